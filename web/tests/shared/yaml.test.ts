import { expect, test } from "vitest";
import { yaml } from "../../src/shared/yaml";

test("maps and lists stand in blocks, keys in their order", () => {
  expect(yaml({ kind: "Workflow", spec: { b: [1, { c: null, d: [true, "x"] }], a: {} }, none: [] })).toBe(
    "kind: Workflow\nspec:\n  b:\n  - 1\n  - c: null\n    d:\n    - true\n    - x\n  a: {}\nnone: []\n",
  );
});

test("lists of lists keep their depth", () => expect(yaml({ steps: [[{ name: "a" }], [{ name: "b" }, { name: "c" }]] })).toBe("steps:\n- - name: a\n- - name: b\n  - name: c\n"));

test.each(["yes", "No", "null", "1e3", "0o14", "012", "", " a", "a: b", "# no", "- a", "{{inputs}}", "*x", "true", "~", "a #b", "a:", "2020-01-01", ".5", "'", '"'])(
  "the text %j is quoted, for it could be read as something else",
  (text) => expect(yaml({ key: text })).toBe(`key: ${JSON.stringify(text)}\n`),
);

test.each(["python:3.11", "a b", "/tmp/x", "v1.2-3", "x"])("the text %j needs no quotes or gets them whole", (text) => {
  expect([`key: ${text}\n`, `key: ${JSON.stringify(text)}\n`]).toContain(yaml({ key: text }));
});

test.each([
  ["a\nb", "key: |-\n  a\n  b\n"],
  ["a\nb\n", "key: |\n  a\n  b\n"],
  ["a\n\n  b\n\n", "key: |+\n  a\n\n    b\n\n"],
])("several lines stand as they are: %j", (text, written) => expect(yaml({ key: text })).toBe(written));

test.each([" a\nb", "a\tb\nc", "a \nb", "a\r\nb", "a\u001b[31m\nb"])("lines that a block would bend are quoted: %j", (text) => expect(yaml({ key: text })).toBe(`key: ${JSON.stringify(text)}\n`));
