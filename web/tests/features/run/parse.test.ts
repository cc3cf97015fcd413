import { expect, test } from "vitest";
import { folded, lastError, LogReader, matches, plain, settled, type Line } from "../../../src/features/run/log/parse";

const TIME = "2026-01-02T03:04:05.678901Z";

function read(...pieces: string[]): readonly Line[] {
  const reader = new LogReader();
  pieces.forEach((piece) => reader.push(piece));
  reader.end();
  return reader.lines;
}

const texts = (...lines: string[]): Line[] => lines.map((text) => ({ time: TIME, stream: "stdout", text }));

test("a record is a line, with its time and stream", () => {
  expect(read(`${TIME} stdout F one\n${TIME} stderr F two\n`)).toEqual([
    { time: TIME, stream: "stdout", text: "one" },
    { time: TIME, stream: "stderr", text: "two" },
  ]);
});

test("pieces may be cut anywhere", () => {
  const whole = `${TIME} stdout F one two\n${TIME} stderr F three\n`;
  for (let at = 0; at <= whole.length; at++) expect(read(whole.slice(0, at), whole.slice(at)).map((line) => line.text)).toEqual(["one two", "three"]);
});

test("parts of a line are put together, each stream's by itself", () => {
  expect(read(`${TIME} stdout P a\n${TIME} stderr P x\n${TIME} stdout F b\n${TIME} stderr F y\n`).map((line) => line.text)).toEqual(["ab", "xy"]);
});

test("an empty line is a line; spaces at its start stay", () => expect(read(`${TIME} stdout F \n${TIME} stdout F   in\n${TIME} stdout F\n`).map((line) => line.text)).toEqual(["", "  in", ""]));

test("what is no record is shown as it is", () => expect(read("plain text\n").map((line) => line.text)).toEqual(["plain text"]));

test("the last line counts without its end", () => expect(read(`${TIME} stdout F cut`).map((line) => line.text)).toEqual(["cut"]));

test("a carriage return starts the line over, as on a terminal", () => {
  expect(settled("10 %\r50 %\r100 %")).toBe("100 %");
  expect(settled("done\r")).toBe("done");
  expect(settled("a\r\u001b[K")).toBe("a");
  expect(settled("\r\r")).toBe("");
});

test("escapes can be taken out", () => expect(plain("\u001b[1;31mred\u001b[0m \u001b]8;;http://a\u0007link\u001b]8;;\u0007")).toBe("red link"));

test("a JSON line folds to its message", () => {
  expect(folded('{"level": "INFO", "msg": "hello", "n": 1}')).toEqual({ level: "info", message: "hello" });
  expect(folded('{"severity": "warn", "message": "hm"}')).toEqual({ level: "warn", message: "hm" });
  for (const other of ['{"n": 1}', "{not json}", "text", '{"msg": 3}']) expect(folded(other)).toBeUndefined();
});

test("a search looks at what is shown, whatever its case", () => {
  expect(matches(texts("Loss 1", "\u001b[31mlo\u001b[0mss", "old\rnew"), "LOSS")).toEqual([0, 1]);
  expect(matches(texts("old\rnew"), "old")).toEqual([]);
  expect(matches(texts("a"), "")).toEqual([]);
});

test("the last line that tells of an error is the reason, else the last of all", () => {
  expect(lastError(texts("start", "ValueError: no", "bye"))).toBe(1);
  expect(lastError(texts("start", "bye"))).toBe(1);
  expect(lastError([])).toBe(-1);
});
