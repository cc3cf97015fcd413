import { expect, test } from "vitest";
import { pieces } from "../../../src/features/run/log/ansi";

const E = "\u001b[";

test("a text without escapes is one piece", () => expect(pieces("as it is")).toEqual([{ text: "as it is", classes: "" }]));

test.each([
  ["31m", "fg-red"],
  ["91m", "fg-red"],
  ["42m", "bg-green"],
  ["1;4;36m", "fg-cyan bold underline"],
  ["1m" + E + "22m", ""],
  ["31m" + E + "39m", ""],
  ["7m", "inverse"],
  ["38;5;1m", "fg-red"],
  ["3;2m", "dim italic"],
])("the codes %j give the classes %j", (codes, classes) => expect(pieces(`${E}${codes}x`).at(-1)).toMatchObject({ text: "x", classes }));

test.each([
  ["38;5;196m", { color: "rgb(255 0 0)" }],
  ["48;5;244m", { background: "rgb(128 128 128)" }],
  ["38;2;1;2;3m", { color: "rgb(1 2 3)" }],
])("the codes %j keep their own colour", (codes, colour) => expect(pieces(`${E}${codes}x`).at(-1)).toMatchObject(colour));

test("a reset ends all of it", () => expect(pieces(`${E}1;38;2;1;2;3ma${E}0mb${E}me`).slice(1)).toEqual([{ text: "b", classes: "" }, { text: "e", classes: "" }].map((piece) => expect.objectContaining(piece))));

test("other escapes are not shown", () => expect(pieces(`${E}2Ka${E}1Ab\u001b]0;title\u0007c`).map((piece) => piece.text).join("")).toBe("abc"));

test("no markup comes out of a log", () => expect(pieces(`${E}31m<img src=x onerror=alert(1)>`)[0]?.text).toBe("<img src=x onerror=alert(1)>"));
