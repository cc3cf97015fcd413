// Values of a pipeline's inputs: what is wrong with a text, what goes to the server, what stands on a command line.
import type { InputSpec } from "../../api";

export type Kind = "text" | "integer" | "float" | "bool" | "list" | "dict";

/** The type names that the server checks, spelled as it knows them; any other is a text here too. */
const KINDS: Record<string, Kind> = {
  Integer: "integer",
  Float: "float",
  Bool: "bool",
  Boolean: "bool",
  List: "list",
  JsonArray: "list",
  Dict: "dict",
  JsonObject: "dict",
};

const A_KIND: Record<Kind, string> = {
  text: "a text",
  integer: "a whole number",
  float: "a number",
  bool: "true or false",
  list: "a list",
  dict: "an object",
};

const CHECKS: Record<Kind, (text: string) => string> = {
  text: () => "",
  integer: (text) => (/^[+-]?\d+$/.test(text.trim()) ? "" : `"${text}" is not a whole number.`),
  float: (text) => (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? "" : `"${text}" is not a number.`),
  bool: (text) => (/^(true|false|yes|no|y|n|t|f|on|off|1|0)$/i.test(text.trim()) ? "" : `"${text}" is neither true nor false.`),
  list: (text) => wrongJson("list", text),
  dict: (text) => wrongJson("dict", text),
};

export const kindOf = (input: InputSpec): Kind => KINDS[input.type ?? ""] ?? "text";

export const required = (input: InputSpec) => !input.optional && (input.default === undefined || input.default === null);

/** What is wrong with `text` as a value of `input`, in words; "" where nothing is. */
export const wrong = (input: InputSpec, text: string): string => (text === "" ? wrongEmpty(input) : CHECKS[kindOf(input)](text));

function wrongEmpty(input: InputSpec): string {
  if (required(input)) return "A value is needed: this input has no default.";
  const kind = kindOf(input);
  return kind === "text" || initial(input) === "" ? "" : `Empty is not ${A_KIND[kind]}. Enter a value, or reset to the default.`;
}

function wrongJson(kind: "list" | "dict", text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    const fits = kind === "list" ? Array.isArray(value) : typeof value === "object" && value !== null && !Array.isArray(value);
    return fits ? "" : kind === "list" ? "This is JSON, but not a list: write [1, 2]." : 'This is JSON, but not an object: write {"key": 1}.';
  } catch (error) {
    return `This is not JSON: ${(error as Error).message}.`;
  }
}

export const initial = (input: InputSpec): string => input.default ?? "";

/** What a choice of true or false offers: the spellings of the pipeline's own default, and `value` whatever it is. */
export function choices(input: InputSpec, value: string): string[] {
  const own = initial(input);
  const pair = own !== "" && own === own.toLowerCase() ? ["true", "false"] : ["True", "False"];
  const nothing = own === "" ? [""] : [];
  return [...new Set([...nothing, ...pair, ...(own ? [own] : []), value])];
}

/** What is sent: texts, as the pipeline reads them; values that stand at their default are left out. */
export function parameters(inputs: InputSpec[], values: Record<string, string>): Record<string, string> {
  const changed = inputs.filter((input) => (values[input.name] ?? "") !== initial(input));
  return Object.fromEntries(changed.map((input) => [input.name, values[input.name] ?? ""]));
}

/** The command that starts the same run in a terminal. */
export function command(file: string, given: Record<string, string>): string {
  const words = Object.entries(given).map(([name, value]) => `-p ${quoted(`${name}=${value}`)}`);
  return ["penstock run", quoted(file), ...words].join(" ");
}

export const quoted = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
