import { expect, test } from "vitest";
import { ago, duration, metric, plural, seconds, significant, size } from "../../src/shared/format";

test.each([
  [0, "0.0 s"],
  [-1, "0.0 s"],
  [0.0004, "1 ms"],
  [0.0312, "31 ms"],
  [0.84, "0.8 s"],
  [9.96, "10 s"],
  [59.6, "1 m 00 s"],
  [72, "1 m 12 s"],
  [3599.7, "1 h 00 m"],
  [11_040, "3 h 04 m"],
])("a duration of %d seconds is written %s", (given, text) => expect(duration(given)).toBe(text));

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.0 KiB"],
  [1_258_291, "1.2 MiB"],
  [5 * 1024 ** 4, "5.0 TiB"],
])("%d bytes are written %s", (given, text) => expect(size(given)).toBe(text));

test.each([
  [0, "0"],
  [0.95321, "0.9532"],
  [1 / 3, "0.3333"],
  [12_345.678, "12345.68"],
  [123_456_789, "1.235e+8"],
  [0.00001234, "1.234e-5"],
  [-0.5, "-0.5"],
])("%d has the significant digits %s", (given, text) => expect(significant(given)).toBe(text));

test("a percentage is a hundredfold; what is no number says so", () => {
  expect(metric(0.93, "PERCENTAGE")).toBe("93 %");
  expect(metric(0.93)).toBe("0.93");
  expect(metric(null)).toBe("not a number");
});

test("times come as texts and as numbers; nothing is nothing", () => {
  expect(seconds("1970-01-01T00:01:00.500000Z")).toBe(60.5);
  expect(seconds(60.5)).toBe(60.5);
  for (const none of ["", undefined, null, "soon"]) expect(seconds(none)).toBeUndefined();
});

test.each([
  [10, "just now"],
  [50, "1 min ago"],
  [3000, "50 min ago"],
  [7300, "2 h ago"],
  [200_000, "2 d ago"],
])("%d seconds before now is %s", (before, text) => expect(ago(1e9 - before, 1e9)).toBe(text));

test("a clock that stands behind the server's does not look into the future", () => expect(ago(1010, 1000)).toBe("just now"));

test("one is one", () => expect([plural(1, "run"), plural(0, "run"), plural(2, "match", "matches")]).toEqual(["1 run", "0 runs", "2 matches"]));
