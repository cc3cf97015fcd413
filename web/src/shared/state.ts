// One vocabulary for the state of runs and the phase of nodes, and what each looks like.

export type Mark =
  | "pending" | "running" | "stopping" | "succeeded" | "failed" | "error" | "skipped" | "omitted" | "stopped" | "waiting";

const OF: Record<string, Mark> = {
  PENDING: "pending",
  RUNNING: "running",
  CANCELING: "stopping",
  SUCCEEDED: "succeeded",
  SKIPPED: "skipped",
  FAILED: "failed",
  CANCELED: "stopped",
  Pending: "pending",
  Running: "running",
  Succeeded: "succeeded",
  Skipped: "skipped",
  Failed: "failed",
  Error: "error",
  Omitted: "omitted",
};

export const markOf = (state: string | undefined): Mark => OF[state ?? ""] ?? "waiting";

export const WORDS: Record<Mark, string> = {
  pending: "pending",
  running: "running",
  stopping: "stopping",
  succeeded: "succeeded",
  failed: "failed",
  error: "error",
  skipped: "skipped",
  omitted: "omitted",
  stopped: "stopped",
  waiting: "not started",
};

export const active = (mark: Mark) => mark === "pending" || mark === "running" || mark === "stopping";
export const broken = (mark: Mark) => mark === "failed" || mark === "error";
