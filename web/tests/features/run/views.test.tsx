// @vitest-environment happy-dom
// What steps made is a stranger's: how it is shown.
import { createRoot } from "react-dom/client";
import { act } from "react-dom/test-utils";
import { beforeEach, expect, test } from "vitest";
import type { View } from "../../../src/api";
import Card from "../../../src/features/run/views/Card";

const place = () => document.getElementById("place")!;

beforeEach(() => {
  document.body.innerHTML = '<div id="place"></div>';
});

const show = (view: View) => act(() => createRoot(place()).render(<Card run="r1" view={view} />));

test("a report stands in a frame that may run scripts and nothing else", async () => {
  await show({ kind: "web-app", node_id: "n1", index: 2, title: "Comparison" });
  const frame = place().querySelector("iframe")!;
  expect(frame.getAttribute("sandbox")).toBe("allow-scripts");
  expect(frame.getAttribute("src")).toBe("/apis/v2beta1/runs/r1/nodes/n1/views/2/html");
  expect(frame.hasAttribute("srcdoc")).toBe(false);
  expect(frame.title).toBe("Comparison");
});

test("a matrix has the first column on x, the second on y from below", async () => {
  await show({ kind: "confusion_matrix", labels: ["no", "yes"], matrix: [[3, 1], [2, 4]], target_name: "truth", predicted_name: "guess" });
  expect([...place().querySelectorAll(".cell")].map((cell) => cell.textContent)).toEqual(["1", "4", "3", "2"]);
  await act(() => [...place().querySelectorAll("button")].find((button) => button.textContent === "Percent of truth")!.click());
  expect([...place().querySelectorAll(".cell")].map((cell) => cell.textContent)).toEqual(["25 %", "66.7 %", "75 %", "33.3 %"]);
});

test("a curve says its area", async () => {
  await show({ kind: "roc", points: [[0, 0, null], [0, 1, 0.5], [1, 1, 0]], area: 0.98765 });
  expect(place().querySelector("svg")?.getAttribute("aria-label")).toBe("ROC curve, area 0.9877");
});

test("a bad output says what was read and what was expected", async () => {
  await show({ kind: "error", message: "outputs[1].schema is missing", output: '{"type": "roc"}', expected: "fpr, tpr, threshold" });
  expect(place().textContent).toContain("outputs[1].schema is missing");
  expect(place().textContent).toContain("fpr, tpr, threshold");
});

test("a kind that this page does not know says so, and hides nothing else", async () => {
  await show({ kind: "hologram" } as unknown as View);
  expect(place().textContent).toContain('no drawing for the kind "hologram"');
});
