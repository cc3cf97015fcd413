// Readings of the list of nodes that several tabs share.
import type { Node } from "../../api";
import { active, broken, markOf } from "../../shared/state";

const STEPS = new Set(["Pod", "Container", "Retry", "Suspend", "HTTP", "Plugin", "Skipped"]);

/** Steps as a person counts them: no groups, and a retried step once. */
export const stepsOf = (nodes: Node[]) => nodes.filter((node) => STEPS.has(node.type) && !node.nodeFlag?.retried);

export const failedOf = (nodes: Node[]) => stepsOf(nodes).filter((node) => broken(markOf(node.phase)));

export const attemptsOf = (node: Node, nodes: Node[]) =>
  node.type === "Retry" ? nodes.filter((one) => one.nodeFlag?.retried && node.children?.includes(one.id)) : [];

/** What a person calls the node: its last name; a round of a loop by what it goes over, a hook by what it runs. */
export function label(node: Node): string {
  if (/\.(onExit|hooks\.[^.]+)$/.test(node.displayName)) return node.templateName || node.displayName;
  return node.displayName.replace(/^([^(]*)\((\d+):(.*)\)$/s, "$1 · $3");
}

export interface Round { index: number; of: number; item: string }

/** Which round of a loop a node belongs to, where it belongs to one. */
export function roundOf(node: Node, nodes: Node[]): Round | undefined {
  const found = /^(.*)\((\d+):([^()]*)\)/s.exec(node.name);
  if (!found) return undefined;
  const [, base = "", index = "0", item = ""] = found;
  const others = new Set(nodes.map((one) => (one.name.startsWith(`${base}(`) ? /^\((\d+):/.exec(one.name.slice(base.length))?.[1] : undefined)));
  others.delete(undefined);
  return { index: Number(index), of: others.size, item };
}

/** Which of the boxes that are drawn stands for a node: its own, else the folded loop or group that it is inside. */
export function boxOf(id: string | undefined, boxes: readonly { id: string; node_id: string }[], nodes: readonly Node[]): string | undefined {
  const own = boxes.find((box) => id !== undefined && (box.node_id || box.id) === id);
  const node = nodes.find((one) => one.id === id);
  if (own || !node) return own?.id;
  const names = new Map(nodes.map((one) => [one.id, one.name]));
  const around = boxes.filter((box) => /^[.([]/.test(node.name.slice(names.get(box.id)?.length)) && node.name.startsWith(names.get(box.id) ?? "\0"));
  return around.sort((a, b) => names.get(b.id)!.length - names.get(a.id)!.length)[0]?.id;
}

export function took(node: Node, now: number): number | undefined {
  if (!node.startedAt) return undefined;
  const end = node.finishedAt ?? (active(markOf(node.phase)) ? now : node.startedAt);
  return Math.max(0, end - node.startedAt);
}

/** The nodes below a group, a loop or a round. */
export function below(node: Node, nodes: Node[]): Node[] {
  if (node.type === "TaskGroup") return nodes.filter((one) => one.name.startsWith(`${node.name}(`) && one.boundaryID === node.boundaryID && !one.nodeFlag?.retried);
  return nodes.filter((one) => one.boundaryID === node.id && !one.nodeFlag?.retried && one.type !== "StepGroup");
}
