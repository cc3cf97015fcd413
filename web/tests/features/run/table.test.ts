import { expect, test } from "vitest";
import { asCsv } from "../../../src/features/run/views/save";
import { sorted } from "../../../src/features/run/views/sort";

const column = (...values: string[]) => values.map((value) => [value]);
const order = (rows: string[][], down = false) => sorted(rows, { column: 0, down }).map(([value]) => value);

test("numbers sort as numbers, before texts; nothing comes last", () => expect(order(column("10", "9", "b", "", "-1", "a10", "a9", "1e1"))).toEqual(["-1", "9", "10", "1e1", "a9", "a10", "b", ""]));

test("the other way round as well; without an order nothing moves", () => {
  expect(order(column("1", "3", "2"), true)).toEqual(["3", "2", "1"]);
  expect(sorted(column("2", "1"), undefined)).toEqual(column("2", "1"));
});

test("equal rows stay in their order", () => expect(sorted([["1", "a"], ["1", "b"], ["0", "c"]], { column: 0, down: true }).map((row) => row[1])).toEqual(["a", "b", "c"]));

test("a table's data goes out as CSV, quoted where that is needed", () => expect(asCsv({ kind: "table", header: ["a", "b"], rows: [['say "x"', "1,2"]] })).toBe('a,b\n"say ""x""","1,2"\n'));

test("a curve and a matrix are data too; a report is not", () => {
  expect(asCsv({ kind: "roc", points: [[0, 0, null], [0.5, 1, 0.25]], area: 0.9 })).toBe("fpr,tpr,threshold\n0,0,inf\n0.5,1,0.25\n");
  expect(asCsv({ kind: "confusion_matrix", labels: ["no", "yes"], matrix: [[3, 1], [2, 4]] })).toBe("target,predicted,count\nno,no,3\nno,yes,1\nyes,no,2\nyes,yes,4\n");
  expect(asCsv({ kind: "web-app" })).toBeUndefined();
});
