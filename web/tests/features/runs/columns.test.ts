import { expect, test } from "vitest";
import { columns, share, span } from "../../../src/features/runs/columns";
import { aRun } from "../../make";

const reporting = (...metrics: [name: string, value: number | null, format?: string][]) => aRun({ metrics: metrics.map(([name, value, format]) => ({ name, value, format })) });

test("the two most frequent metrics are shown, whoever reports them", () => {
  const runs = [reporting(["a", 1], ["b", 2]), reporting(["b", 3], ["c", 4]), reporting(["c", 5], ["b", 6])];
  expect(columns(runs).map((column) => column.name)).toEqual(["b", "c"]);
  expect(columns([aRun()])).toEqual([]);
});

test("a percentage fills its cell at a hundred", () => {
  const [column] = columns([reporting(["acc", 0.5, "PERCENTAGE"])]);
  expect(column).toMatchObject({ format: "PERCENTAGE", low: 0, high: 1 });
  expect(share(0.5, column!)).toBe(0.5);
});

test("other numbers stand between the least and the greatest, negative ones too", () => {
  const [column] = columns([reporting(["loss", -4]), reporting(["loss", -1]), reporting(["loss", null])]);
  expect(column).toMatchObject({ low: -4, high: -1 });
  expect([share(-4, column!), share(-1, column!), share(9, column!)]).toEqual([0, 1, 1]);
});

test("a single value fills its cell", () => expect(share(0, columns([reporting(["x", 0])])[0]!)).toBe(1));

test("several values of one run are a range", () => {
  expect(span(reporting(["a", 3], ["a", 1], ["a", null]), "a")).toEqual({ from: 1, to: 3 });
  expect(span(reporting(["a", null]), "a")).toBeUndefined();
});
