import { expect, test } from "vitest";
import { merged } from "../../../src/features/run/live";
import { attemptsOf, below, boxOf, failedOf, label, roundOf, stepsOf, took } from "../../../src/features/run/steps";
import { aNode } from "../../make";

const RETRY = aNode({ id: "r", name: "w.train", type: "Retry", phase: "Failed", children: ["r0", "r1"] });
const FIRST = aNode({ id: "r0", name: "w.train(0)", displayName: "train(0)", phase: "Failed", nodeFlag: { retried: true } });
const SECOND = aNode({ id: "r1", name: "w.train(1)", displayName: "train(1)", phase: "Error", nodeFlag: { retried: true } });
const ROOT = aNode({ id: "w", name: "w", type: "DAG", phase: "Failed" });

test("a retried step counts once, and groups are no steps", () => {
  const nodes = [ROOT, RETRY, FIRST, SECOND, aNode()];
  expect(stepsOf(nodes).map((node) => node.id)).toEqual(["r", "n1"]);
  expect(failedOf(nodes).map((node) => node.id)).toEqual(["r"]);
  expect(attemptsOf(RETRY, nodes)).toEqual([FIRST, SECOND]);
  expect(attemptsOf(aNode(), nodes)).toEqual([]);
});

const LOOP = aNode({ id: "l", name: "w.loop", displayName: "loop", type: "TaskGroup", boundaryID: "w" });
const ROUNDS = ["a", "b(c)"].map((item, i) => aNode({ id: `l${i}`, name: `w.loop(${i}:${item})`, displayName: `loop(${i}:${item})`, type: "DAG", boundaryID: "w" }));
const INNER = aNode({ id: "i", name: "w.loop(0:a).train", displayName: "train", boundaryID: "l0" });

test("a round is called by what it goes over", () => {
  expect(ROUNDS.map(label)).toEqual(["loop · a", "loop · b(c)"]);
  expect(label(aNode({ displayName: "plain (1)" }))).toBe("plain (1)");
});

test("a step knows which round it is in", () => {
  expect(roundOf(INNER, [LOOP, ...ROUNDS, INNER])).toEqual({ index: 0, of: 2, item: "a" });
  expect(roundOf(aNode(), [])).toBeUndefined();
});

test("a loop holds its rounds, a round its steps", () => {
  const nodes = [ROOT, LOOP, ...ROUNDS, INNER];
  expect(below(LOOP, nodes)).toEqual(ROUNDS);
  expect(below(ROUNDS[0]!, nodes)).toEqual([INNER]);
});

test("a hook is called by what it runs", () => expect(label(aNode({ displayName: "w.onExit", templateName: "clean-up" }))).toBe("clean-up"));

test("a step in a folded loop is shown by the loop, one that is drawn by itself", () => {
  const nodes = [ROOT, LOOP, ...ROUNDS, INNER, aNode({ id: "x", name: "w.loop-2" })];
  const [loop, inner, other] = [LOOP, INNER, nodes.at(-1)!].map((node) => ({ id: node.id, node_id: node.id }));
  expect(boxOf("i", [loop!, other!], nodes)).toBe("l");
  expect(boxOf("i", [loop!, inner!], nodes)).toBe("i");
  expect(boxOf("x", [loop!], nodes)).toBeUndefined();
  expect(boxOf(undefined, [loop!], nodes)).toBeUndefined();
});

test("a step takes until its end, or until now", () => {
  expect(took(aNode({ startedAt: 10, finishedAt: 12 }), 99)).toBe(2);
  expect(took(aNode({ startedAt: 10, phase: "Running" }), 13)).toBe(3);
  expect(took(aNode({ startedAt: 10 }), 99)).toBe(0);
  expect(took(aNode({ phase: "Pending" }), 99)).toBeUndefined();
});

test("what changed takes its place, what is new comes last", () => {
  const [a, b] = [aNode({ id: "a" }), aNode({ id: "b" })];
  const changed = new Map([["a", { ...a, phase: "Failed" as const }], ["c", aNode({ id: "c" })]]);
  const next = merged({ nodes: [a, b], last_event: 3 }, changed, 7);
  expect(next.nodes.map((node) => `${node.id} ${node.phase}`)).toEqual(["a Failed", "b Succeeded", "c Succeeded"]);
  expect(next.last_event).toBe(7);
});
