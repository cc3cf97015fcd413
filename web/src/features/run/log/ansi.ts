// Select Graphic Rendition: the colours that programs write into their logs. The sixteen named colours become classes,
// so that they follow the theme; the others keep their own.

export interface Piece { text: string; classes: string; color?: string; background?: string }

interface Pen { fg: string; bg: string; rgb?: string; back?: string; bold: boolean; dim: boolean; italic: boolean; underline: boolean; inverse: boolean }

const FRESH: Pen = { fg: "", bg: "", bold: false, dim: false, italic: false, underline: false, inverse: false };
const PART = /\u001b\[([0-9;:?]*)[ -/]*([@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[@-Z\\-_]/g;
const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

export function pieces(text: string): Piece[] {
  if (!text.includes("\u001b")) return [{ text, classes: "" }];
  const found: Piece[] = [];
  let pen = { ...FRESH };
  let at = 0;
  for (const match of text.matchAll(PART)) {
    if (match.index > at) found.push(piece(text.slice(at, match.index), pen));
    if (match[2] === "m") pen = drawn(pen, (match[1] ?? "").split(/[;:]/).map(Number));
    at = match.index + match[0].length;
  }
  if (at < text.length) found.push(piece(text.slice(at), pen));
  return found;
}

function piece(text: string, pen: Pen): Piece {
  const classes = [
    pen.fg && `fg-${pen.fg}`,
    pen.bg && `bg-${pen.bg}`,
    ...(["bold", "dim", "italic", "underline", "inverse"] as const).map((name) => pen[name] && name),
  ];
  return { text, classes: classes.filter(Boolean).join(" "), color: pen.rgb, background: pen.back };
}

function drawn(pen: Pen, codes: number[]): Pen {
  let next = { ...pen };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0;
    if (code === 38 || code === 48) {
      const [color, used] = wide(codes.slice(i + 1));
      next = code === 38 ? { ...next, fg: color.name, rgb: color.rgb } : { ...next, bg: color.name, back: color.rgb };
      i += used;
    } else next = { ...next, ...simple(code) };
  }
  return next;
}

function simple(code: number): Partial<Pen> {
  if (code === 0) return { ...FRESH, rgb: undefined, back: undefined };
  if (code === 1) return { bold: true };
  if (code === 2) return { dim: true };
  if (code === 3) return { italic: true };
  if (code === 4) return { underline: true };
  if (code === 7) return { inverse: true };
  if (code === 22) return { bold: false, dim: false };
  if (code === 23) return { italic: false };
  if (code === 24) return { underline: false };
  if (code === 27) return { inverse: false };
  if (code === 39) return { fg: "", rgb: undefined };
  if (code === 49) return { bg: "", back: undefined };
  if ((code >= 30 && code < 38) || (code >= 90 && code < 98)) return { fg: NAMES[code % 10] ?? "", rgb: undefined };
  if ((code >= 40 && code < 48) || (code >= 100 && code < 108)) return { bg: NAMES[code % 10] ?? "", back: undefined };
  return {};
}

interface Color { name: string; rgb?: string }

/** `5;n` of 256 colours or `2;r;g;b`, and how many codes that took. */
function wide(codes: number[]): [Color, number] {
  const [kind, n = 0, g = 0, b = 0] = codes;
  if (kind === 2) return [{ name: "", rgb: `rgb(${n} ${g} ${b})` }, 4];
  if (kind !== 5) return [{ name: "" }, 1];
  if (n < 16) return [{ name: NAMES[n % 8] ?? "" }, 2];
  if (n > 231) return [{ name: "", rgb: gray(8 + (n - 232) * 10) }, 2];
  const level = (v: number) => (v ? 55 + v * 40 : 0);
  const i = n - 16;
  return [{ name: "", rgb: `rgb(${level(Math.floor(i / 36))} ${level(Math.floor(i / 6) % 6)} ${level(i % 6)})` }, 2];
}

const gray = (v: number) => `rgb(${v} ${v} ${v})`;
