import { expect, test } from "vitest";
import { choices, command, kindOf, parameters, quoted, required, wrong } from "../../../src/features/new-run/fields";
import { anInput } from "../../make";

test.each([
  ["Integer", "integer"],
  ["Float", "float"],
  ["Bool", "bool"],
  ["Boolean", "bool"],
  ["JsonArray", "list"],
  ["Dict", "dict"],
  ["String", "text"],
  ["GCSPath", "text"],
  ["int", "text"],
  ["", "text"],
])("an input of type %j is read as %s, as the server reads it", (type, kind) => expect(kindOf(anInput({ type }))).toBe(kind));

test.each([
  ["Integer", " +12 "],
  ["Float", "-.5e3"],
  ["Float", "3"],
  ["Bool", "yes"],
  ["List", "[1, 2]"],
  ["Dict", '{"a": 1}'],
  ["String", "anything"],
])("%s takes %j", (type, text) => expect(wrong(anInput({ type }), text)).toBe(""));

test.each([
  ["Integer", "1.5", /"1.5" is not a whole number/],
  ["Integer", "four", /"four" is not a whole number/],
  ["Float", "nan", /"nan" is not a number/],
  ["Bool", "maybe", /neither true nor false/],
  ["List", '{"a": 1}', /not a list/],
  ["Dict", "[1]", /not an object/],
  ["Dict", "null", /not an object/],
  ["List", "[1,", /not JSON/],
])("%s refuses %j and says why", (type, text, words) => expect(wrong(anInput({ type }), text)).toMatch(words));

test("an input without a default needs a value", () => {
  expect(required(anInput())).toBe(true);
  expect(wrong(anInput(), "")).toMatch(/value is needed/);
  expect(required(anInput({ optional: true }))).toBe(false);
  expect(required(anInput({ default: "" }))).toBe(false);
});

test("empty is a text, but no number, unless nothing is the default", () => {
  expect(wrong(anInput({ default: "a" }), "")).toBe("");
  expect(wrong(anInput({ type: "Integer", default: "4" }), "")).toMatch(/Empty is not a whole number/);
  expect(wrong(anInput({ type: "Integer", optional: true, default: "4" }), "")).toMatch(/Empty is not a whole number/);
  expect(wrong(anInput({ type: "Integer", optional: true }), "")).toBe("");
});

test("true and false are spelt as the pipeline spells them", () => {
  expect(choices(anInput({ type: "Bool", default: "true" }), "true")).toEqual(["true", "false"]);
  expect(choices(anInput({ type: "Bool", default: "True" }), "True")).toEqual(["True", "False"]);
  expect(choices(anInput({ type: "Bool", default: "yes" }), "1")).toEqual(["true", "false", "yes", "1"]);
  expect(choices(anInput({ type: "Bool" }), "")).toEqual(["", "True", "False"]);
});

test("only what differs from its default is sent", () => {
  const inputs = [anInput({ name: "a", default: "1" }), anInput({ name: "b", default: "2" }), anInput({ name: "c" }), anInput({ name: "d", optional: true })];
  expect(parameters(inputs, { a: "1", b: "3", c: "x", d: "" })).toEqual({ b: "3", c: "x" });
});

test("the command line says the same, whatever the values hold", () => {
  expect(command("tumours.yaml", { depth: "4", title: "it's here" })).toBe(`penstock run tumours.yaml -p depth=4 -p 'title=it'\\''s here'`);
  expect(quoted("a;b")).toBe("'a;b'");
  expect(quoted("")).toBe("''");
});
