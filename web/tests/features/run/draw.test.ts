import { expect, test } from "vitest";
import { boxes, fit, heads, lines, packed, shown, under, unpacked, visible, zoomed } from "../../../src/features/run/graph/draw";
import { aBox } from "../../make";

const AREA = { width: 800, height: 600 };

test("a small graph is shown as large as life, in the middle", () => expect(fit({ width: 200, height: 100 }, AREA)).toMatchObject({ zoom: 1, x: 300 }));

test("a large one is shown whole", () => {
  const { zoom, x, y } = fit({ width: 3200, height: 1000 }, AREA);
  expect([x, x + 3200 * zoom]).toEqual([0, 800]);
  expect(y + 1000 * zoom).toBeLessThanOrEqual(600);
});

test("there is a view before the size is known", () => expect(fit({ width: 200, height: 100 }, { width: 0, height: 0 })).toEqual({ zoom: 1, x: 0, y: 0 }));

test("what is under the pointer stays there while zooming, within bounds", () => {
  const at = { x: 100, y: 50 };
  const next = zoomed({ zoom: 1, x: 20, y: 10 }, 2, at);
  expect([(at.x - next.x) / next.zoom, (at.y - next.y) / next.zoom]).toEqual([80, 40]);
  expect(zoomed({ zoom: 1, x: 0, y: 0 }, 1000, at).zoom).toBe(2.5);
  expect(zoomed({ zoom: 1, x: 0, y: 0 }, 1e-9, at).zoom).toBe(0.02);
});

test("a box in sight moves nothing; one outside moves the view as little as needed", () => {
  const view = { zoom: 1, x: 0, y: 0 };
  expect(shown(view, aBox({ x: 100, y: 100 }), AREA)).toEqual(view);
  expect(shown(view, aBox({ x: 900, y: 100 }), AREA)).toMatchObject({ x: 800 - 24 - 1000, y: 0 });
  expect(shown(view, aBox({ x: -50, y: 100 }), AREA)).toMatchObject({ x: 74 });
});

test("only what is near the sight is drawn", () => {
  const all = [aBox({ id: "in" }), aBox({ id: "near", x: 950 }), aBox({ id: "far", x: 1100 })];
  expect(visible(all, { zoom: 1, x: 0, y: 0 }, AREA).map((box) => box.id)).toEqual(["in", "near"]);
});

test("a line goes straight down, and bends between columns", () => {
  expect(lines([{ source: "a", target: "b", points: [[0, 0], [0, 10], [20, 30]] }])).toBe("M0 0V10C0 20 20 20 20 30");
  expect(lines([{ source: "a", target: "b", points: [] }])).toBe("");
});

test("an arrow ends in a head, but not where edges only meet", () => {
  const edges = [{ source: "a", target: "b", points: [[0, 0], [5, 10]] as [number, number][] }];
  expect(heads(edges, new Set())).toMatch(/^M5 10/);
  expect(heads(edges, new Set(["b"]))).toBe("");
});

test("boxes far away are one path, and can still be hit", () => {
  expect(boxes([aBox({ x: 1, y: 2 })])).toBe("M1 2h100v36h-100z");
  expect(under([aBox({ x: 10, y: 10 })], 50, 20)?.id).toBe("b1");
  expect(under([aBox({ x: 10, y: 10 })], 5, 20)).toBeUndefined();
});

test("a view goes through the address unharmed", () => {
  expect(unpacked(packed({ zoom: 0.5, x: -10, y: 20 }))).toEqual({ zoom: 0.5, x: -10, y: 20 });
  for (const odd of [null, "", "1", "1,2", "a,b,c", "0,1,1", "1,2,NaN"]) expect(unpacked(odd)).toBeUndefined();
});
