// What goes over the wire, named as in the server's OpenAPI document; a test holds the two together. Keys that stand at
// their default may be absent.

export interface Status { code?: number; message: string }

export interface Metric { name: string; node_id?: string; value: number | null; format?: string; step?: string }

export interface Progress { pending: number; running: number; succeeded: number; failed: number }

export interface VersionReference { pipeline_id?: string; pipeline_version_id?: string }

export type RunState = "PENDING" | "RUNNING" | "CANCELING" | "SUCCEEDED" | "SKIPPED" | "FAILED" | "CANCELED";

export interface RuntimeConfig { parameters?: Record<string, unknown> }

export interface Run {
  run_id: string;
  display_name: string;
  description?: string;
  experiment_id?: string;
  state?: RunState | "";
  pipeline_version_reference?: VersionReference;
  runtime_config?: RuntimeConfig;
  created_at?: string;
  finished_at?: string;
  started_at?: string;
  error?: Status;
  phase?: string;
  message?: string;
  workflow_name?: string;
  pipeline_name?: string;
  progress?: Progress;
  metrics?: Metric[];
}

export interface RunList { runs: Run[]; total_size: number; next_page_token: string }

export interface Experiment {
  experiment_id: string;
  display_name: string;
  description?: string;
  created_at?: string;
  last_run_created_at?: string;
}

export interface ExperimentList { experiments: Experiment[]; total_size: number; next_page_token: string }

export interface Pipeline {
  pipeline_id: string;
  name?: string;
  display_name?: string;
  description?: string;
  created_at?: string;
  latest_version_id?: string;
}

export interface PipelineList { pipelines: Pipeline[]; total_size: number; next_page_token: string }

export interface InputSpec { name: string; type?: string; default?: string | null; optional?: boolean; description?: string }

export interface PipelineVersion {
  pipeline_id?: string;
  pipeline_version_id: string;
  name?: string;
  display_name?: string;
  description?: string;
  created_at?: string;
  pipeline_spec?: Record<string, unknown>;
  inputs?: InputSpec[];
}

export interface PipelineVersionList { pipeline_versions: PipelineVersion[]; total_size: number; next_page_token: string }

export type Phase = "Pending" | "Running" | "Succeeded" | "Skipped" | "Failed" | "Error" | "Omitted";

export interface Parameter { name: string; value?: string }

export interface Artifact {
  name: string;
  path?: string;
  key?: string;
  raw?: string;
  size?: number;
  directory?: boolean;
  optional?: boolean;
}

export interface NodeFlag { hooked?: boolean; retried?: boolean }

export interface NodeInputs { parameters?: Parameter[]; artifacts?: Artifact[] }

export interface NodeOutputs { parameters?: Parameter[]; artifacts?: Artifact[]; result?: string; exitCode?: string }

/** The step whose outputs stand for a node's own: nothing was started. */
export interface Origin { runId: string; run: string; nodeId: string; step: string }

/** A node without a phase is pending; `started` says so. */
export interface Node {
  id: string;
  name: string;
  displayName: string;
  type: string;
  phase?: Phase;
  templateName?: string;
  boundaryID?: string;
  message?: string;
  startedAt?: number;
  finishedAt?: number;
  progress?: string;
  nodeFlag?: NodeFlag;
  inputs?: NodeInputs;
  outputs?: NodeOutputs;
  children?: string[];
  cachedFrom?: Origin;
}

export const started = (node: Node): Node => ({ ...node, phase: node.phase ?? "Pending" });

export interface NodeList { nodes: Node[]; last_event: number }

export type BoxKind = "step" | "loop" | "group" | "exit" | "junction";

export interface GraphNode {
  id: string;
  label: string;
  kind: BoxKind;
  phase: Phase | "";
  node_id: string;
  message?: string;
  counts: Record<string, number>;
  parent: string;
  expandable: boolean;
  expanded: boolean;
  started_at: number | null;
  finished_at: number | null;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface GraphEdge { source: string; target: string; points: [number, number][] }

export interface Graph { nodes: GraphNode[]; edges: GraphEdge[]; width: number; height: number }

interface ViewBase { title?: string; node_id?: string; step?: string; index?: number }

export interface RocView extends ViewBase { kind: "roc"; points: [number, number, number | null][]; area: number; truncated?: boolean; total?: number }
export interface ConfusionMatrixView extends ViewBase {
  kind: "confusion_matrix";
  labels: string[];
  matrix: number[][];
  target_name?: string;
  predicted_name?: string;
}
export interface TableView extends ViewBase { kind: "table"; header: string[]; rows: string[][]; truncated?: boolean; total?: number }
export interface MarkdownView extends ViewBase { kind: "markdown"; text: string; truncated?: boolean }
export interface WebAppView extends ViewBase { kind: "web-app"; html?: string; truncated?: boolean }
export interface TensorboardView extends ViewBase { kind: "tensorboard"; source: string }
export interface ErrorView extends ViewBase { kind: "error"; message: string; output?: string; expected?: string }

export type View = RocView | ConfusionMatrixView | TableView | MarkdownView | WebAppView | TensorboardView | ErrorView;

export interface ViewList { views: View[] }
