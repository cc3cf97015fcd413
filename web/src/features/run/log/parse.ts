// A step's log as it is stored: `<RFC 3339 time> <stdout|stderr> <F|P> <text>`, a line of output in one F record after
// any number of P records. What a carriage return overwrites, and colours, are worked out when a line is drawn.

export interface Line { time: string; stream: string; text: string }

export class LogReader {
  readonly lines: Line[] = [];
  private rest = "";
  private open: Record<string, Line | undefined> = {};

  /** Take the next piece, cut anywhere. */
  push(piece: string): void {
    const parts = (this.rest + piece).split("\n");
    this.rest = parts.pop() ?? "";
    for (const part of parts) this.record(part);
  }

  /** The stream has ended: what is left is a record too. */
  end(): void {
    if (this.rest) this.record(this.rest);
    this.rest = "";
  }

  private record(record: string): void {
    const [, time = "", stream = "stdout", kind = "F", text = ""] = /^(\S+) (stdout|stderr) ([FP]) ?(.*)$/s.exec(record) ?? [];
    const body = time ? text : record;
    const before = this.open[stream];
    if (before) before.text += body;
    else this.lines.push({ time, stream, text: body });
    this.open[stream] = kind === "P" ? (before ?? this.lines.at(-1)) : undefined;
  }
}

/** What a terminal would show of a line: each carriage return starts it over. */
export function settled(text: string): string {
  if (!text.includes("\r")) return text;
  return text.split("\r").findLast((part) => plain(part).trim()) ?? "";
}

const ESCAPES = /\u001b\[[0-9;:?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[@-Z\\-_]/g;

/** Without colours and other escapes. */
export const plain = (text: string) => (text.includes("\u001b") ? text.replace(ESCAPES, "") : text);

/** A JSON line folded to its message; undefined for any other line. */
export function folded(text: string): { level: string; message: string } | undefined {
  if (!text.startsWith("{") || !text.endsWith("}")) return undefined;
  try {
    const found = JSON.parse(text) as Record<string, unknown>;
    const message = found.message ?? found.msg ?? found.event;
    if (typeof message !== "string") return undefined;
    return { level: String(found.level ?? found.severity ?? found.levelname ?? "").toLowerCase(), message };
  } catch {
    return undefined;
  }
}

/** Numbers (from 0) of the lines that hold `query`, whatever their case. */
export function matches(lines: readonly Line[], query: string): number[] {
  if (!query) return [];
  const low = query.toLowerCase();
  const found: number[] = [];
  lines.forEach((line, i) => {
    if (plain(settled(line.text)).toLowerCase().includes(low)) found.push(i);
  });
  return found;
}

/** The last line that tells of an error, else the last of all; -1 in an empty log. */
export function lastError(lines: readonly Line[]): number {
  for (let i = lines.length - 1; i >= 0; i--) if (/error|exception|fatal|traceback/i.test(lines[i]!.text)) return i;
  return lines.length - 1;
}
