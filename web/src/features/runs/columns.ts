// The two metrics that the list shows, and how long their bars are.
import type { Run } from "../../api";

export interface Column { name: string; format: string; low: number; high: number }

export interface Span { from: number; to: number }

/** The first two metrics, the most frequent first; the order of the runs breaks ties. */
export function columns(runs: Run[]): Column[] {
  const counts = new Map<string, number>();
  for (const run of runs) for (const name of names(run)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 2)
    .map(([name]) => column(runs, name));
}

const names = (run: Run) => new Set((run.metrics ?? []).map((metric) => metric.name));

function column(runs: Run[], name: string): Column {
  const found = runs.flatMap((run) => (run.metrics ?? []).filter((m) => m.name === name && m.value !== null));
  const all = found.map((m) => m.value as number);
  const percent = found.every((m) => m.format === "PERCENTAGE");
  // A percentage fills its cell at 100 %; other numbers stand between the least and the greatest listed.
  return percent
    ? { name, format: "PERCENTAGE", low: 0, high: 1 }
    : { name, format: "RAW", low: Math.min(0, ...all), high: Math.max(...all) };
}

/** What a run reported of a metric: from the least to the greatest, as steps of a loop may report it each. */
export function span(run: Run, name: string): Span | undefined {
  const all = (run.metrics ?? []).filter((m) => m.name === name && m.value !== null).map((m) => m.value as number);
  return all.length ? { from: Math.min(...all), to: Math.max(...all) } : undefined;
}

/** 0 to 1: how much of its cell the bar of `value` fills. */
export function share(value: number, { low, high }: Column): number {
  return high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 1;
}
