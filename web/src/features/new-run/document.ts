// A run's document as the start of another run.
import type { InputSpec } from "../../api";

const SPEC = "pipelines.kubeflow.org/pipeline_spec";

interface Metadata { name?: string; generateName?: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> }
interface Argument { name: string; value?: string }

/** Its inputs: as the compiler noted them, else the workflow's own parameters as texts. */
export function inputsOf(document: Record<string, unknown>): InputSpec[] {
  const noted = (document.metadata as Metadata | undefined)?.annotations?.[SPEC];
  const given = (document.spec as { arguments?: { parameters?: Argument[] } } | undefined)?.arguments?.parameters ?? [];
  const known = new Map(specs(noted).map((input) => [input.name, input]));
  return given.map(({ name, value }) => ({ type: "", ...known.get(name), name, default: known.get(name)?.default ?? value ?? null }));
}

function specs(noted: string | undefined): InputSpec[] {
  try {
    const found = JSON.parse(noted ?? "{}") as { inputs?: (Omit<InputSpec, "type"> & { type?: unknown })[] };
    return (found.inputs ?? []).map((input) => ({ ...input, type: typeof input.type === "string" ? input.type : "" }));
  } catch {
    return [];
  }
}

/** The document without what belongs to the run that it is from. */
export function fresh(document: Record<string, unknown>): Record<string, unknown> {
  const { status: _, ...rest } = document;
  const { name, generateName, labels, annotations } = (document.metadata ?? {}) as Metadata;
  const prefix = generateName ?? `${(name ?? "run").replace(/-[a-z0-9]{3,10}$/, "")}-`;
  return { ...rest, metadata: { generateName: prefix, ...(labels && { labels }), ...(annotations && { annotations }) } };
}
