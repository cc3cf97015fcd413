// The query of the list: `status:failed pipeline:tumours accuracy>0.9 words`, all parts joined by "and".
import type { Run } from "../../api";
import { markOf, WORDS } from "../../shared/state";

type Test = (run: Run) => boolean;

const COMPARE: Record<string, (a: number, b: number) => boolean> = {
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  "=": (a, b) => a === b,
};

const TEXTS: Record<string, (run: Run) => string> = {
  status: (run) => WORDS[markOf(run.state)],
  pipeline: (run) => run.pipeline_name ?? "",
  name: (run) => run.display_name,
};

export function matcher(query: string): Test {
  const tests = query.trim().split(/\s+/).filter(Boolean).map(test);
  return (run) => tests.every((one) => one(run));
}

function test(word: string): Test {
  const [, key = "", text = ""] = /^(\w+):(.*)$/.exec(word) ?? [];
  const read = TEXTS[key];
  if (read) return (run) => read(run).toLowerCase().includes(text.toLowerCase());
  const [, metric, sign = "", bound] = /^([\w-]+)(>=|<=|>|<|=)(-?[\d.]+(?:e-?\d+)?)$/i.exec(word) ?? [];
  const compare = COMPARE[sign];
  if (metric && compare) return (run) => values(run, metric).some((value) => compare(value, Number(bound)));
  const low = word.toLowerCase();
  return (run) => `${run.display_name} ${run.pipeline_name ?? ""}`.toLowerCase().includes(low);
}

export const values = (run: Run, metric: string): number[] =>
  (run.metrics ?? []).filter((m) => m.name === metric && m.value !== null).map((m) => m.value as number);

/** What may come next in the query, for completion. */
export function suggestions(runs: Run[]): string[] {
  const pipelines = new Set(runs.map((run) => run.pipeline_name).filter((name) => name && !/\s/.test(name)));
  const states = new Set(runs.map((run) => WORDS[markOf(run.state)]));
  const metrics = new Set(runs.flatMap((run) => (run.metrics ?? []).map((m) => m.name)));
  return [
    ...[...states].map((state) => `status:${state}`),
    ...[...pipelines].map((name) => `pipeline:${name}`),
    ...[...metrics].map((name) => `${name}>0.9`),
  ];
}
