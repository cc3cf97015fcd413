// Values for tests, with what a test says about them in place of the usual.
import type { GraphNode, InputSpec, Node, Run } from "../src/api";

export const aRun = (more: Partial<Run> = {}): Run => ({ run_id: "r1", display_name: "a run", state: "SUCCEEDED", ...more });

export const aNode = (more: Partial<Node> = {}): Node => ({ id: "n1", name: "w.step", displayName: "step", type: "Pod", phase: "Succeeded", ...more });

export const anInput = (more: Partial<InputSpec> = {}): InputSpec => ({ name: "depth", ...more });

export const aBox = (more: Partial<GraphNode> = {}): GraphNode => ({
  id: "b1",
  label: "step",
  kind: "step",
  phase: "",
  node_id: "",
  counts: {},
  parent: "",
  expandable: false,
  expanded: false,
  started_at: null,
  finished_at: null,
  x: 0,
  y: 0,
  width: 100,
  height: 36,
  ...more,
});
