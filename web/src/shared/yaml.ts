// A document as YAML to read: block style, keys in their order. Written from JSON values only.
const PLAIN = /^[A-Za-z_/][\w ./@+-]*[\w./@+-]$|^[A-Za-z_]$/;
// What a block of lines would not keep: control characters, spaces at the end of a line, space at the very start.
const BENT = /[^\P{C}\n]| +\n|^\s/u;
const WORDS = new Set(["true", "false", "null", "yes", "no", "on", "off", "y", "n"]);

export const yaml = (value: unknown): string => lines(value, 0).join("\n") + "\n";

function lines(value: unknown, indent: number): string[] {
  const pad = "  ".repeat(indent);
  if (Array.isArray(value) && value.length) {
    return value.flatMap((item) => {
      const [first = "", ...rest] = lines(item, indent + 1);
      return [`${pad}- ${first.trimStart()}`, ...rest];
    });
  }
  if (isObject(value) && Object.keys(value).length) {
    return Object.entries(value).flatMap(([key, item]) => entry(`${pad}${scalar(key)}:`, item, indent));
  }
  return [pad + scalar(value)];
}

function entry(head: string, value: unknown, indent: number): string[] {
  if (typeof value === "string" && /\n/.test(value.trimEnd()) && !BENT.test(value)) return block(head, value, indent);
  const nested = (Array.isArray(value) && value.length > 0) || (isObject(value) && Object.keys(value).length > 0);
  return nested ? [head, ...lines(value, Array.isArray(value) ? indent : indent + 1)] : [`${head} ${scalar(value)}`];
}

function block(head: string, text: string, indent: number): string[] {
  const end = /\n*$/.exec(text)?.[0].length ?? 0;
  const keep = end === 0 ? "|-" : end === 1 ? "|" : "|+";
  const body = (end ? text.slice(0, -1) : text).split("\n");
  return [`${head} ${keep}`, ...body.map((line) => (line ? "  ".repeat(indent + 1) + line : ""))];
}

function scalar(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value);
  return PLAIN.test(value) && !WORDS.has(value.toLowerCase()) ? value : JSON.stringify(value);
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
