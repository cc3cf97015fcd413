import { useEffect, useRef, type KeyboardEvent } from "react";
import { Link } from "wouter";
import type { Progress, Run } from "../../api";
import { duration, metric, seconds } from "../../shared/format";
import { Mark } from "../../shared/Mark";
import { Time } from "../../shared/parts";
import { active, markOf } from "../../shared/state";
import { columns, share, span, type Column } from "./columns";

interface Props {
  runs: Run[];
  now: number;
  chosen: ReadonlySet<string>;
  onChosen: (chosen: ReadonlySet<string>) => void;
}

export function RunTable({ runs, now, chosen, onChosen }: Props) {
  const metrics = columns(runs);
  const longest = Math.max(1, ...runs.map((run) => took(run, now) ?? 0));
  const all = runs.length > 0 && runs.every((run) => chosen.has(run.run_id));
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    onChosen(next);
  };
  return (
    <table className="table">
      <thead>
        <tr>
          <th className="check">
            <input type="checkbox" aria-label="Select all runs" checked={all} onChange={() => onChosen(all ? new Set() : new Set(runs.map((run) => run.run_id)))} />
          </th>
          <th className="state">
            <span className="unseen">Status</span>
          </th>
          <th>Name</th>
          <th>Pipeline</th>
          <th>Duration</th>
          <th>Started</th>
          {metrics.map((column) => (
            <th key={column.name}>{column.name}</th>
          ))}
          <th className="wide">Steps</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <Row key={run.run_id} run={run} now={now} metrics={metrics} longest={longest} chosen={chosen.has(run.run_id)} onToggle={() => toggle(run.run_id)} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ run, now, metrics, longest, chosen, onToggle }: {
  run: Run;
  now: number;
  metrics: Column[];
  longest: number;
  chosen: boolean;
  onToggle: () => void;
}) {
  const state = markOf(run.state);
  const flash = useChanged(run.state ?? "");
  const space = (event: KeyboardEvent) => {
    if (event.key !== " ") return;
    event.preventDefault();
    onToggle();
  };
  return (
    <tr className={`${chosen ? "chosen" : ""} ${flash ? "flash" : ""}`}>
      <td className="check">
        <input type="checkbox" aria-label={`Select ${run.display_name}`} checked={chosen} onChange={onToggle} />
      </td>
      <td className="state">
        <Mark kind={state} />
      </td>
      <td>
        <Link href={`/runs/${run.run_id}`} data-row="" onKeyDown={space}>
          {run.display_name}
        </Link>
      </td>
      <td>
        <PipelineCell run={run} />
      </td>
      <td>
        <Took run={run} now={now} longest={longest} />
      </td>
      <td>
        <Time at={seconds(run.started_at) ?? seconds(run.created_at)} now={now} />
      </td>
      {metrics.map((column) => (
        <td key={column.name}>
          <MetricCell run={run} column={column} />
        </td>
      ))}
      <td className="wide">{run.progress && <Steps progress={run.progress} />}</td>
    </tr>
  );
}

function PipelineCell({ run }: { run: Run }) {
  const id = run.pipeline_version_reference?.pipeline_id;
  const name = run.pipeline_name || "–";
  return id ? (
    <span>
      <Link href={`/pipelines/${id}`}>{name}</Link>
    </span>
  ) : (
    <span className="muted">{name}</span>
  );
}

function took(run: Run, now: number): number | undefined {
  const start = seconds(run.started_at);
  if (start === undefined) return undefined;
  return Math.max(0, (seconds(run.finished_at) ?? now) - start);
}

function Took({ run, now, longest }: { run: Run; now: number; longest: number }) {
  const time = took(run, now);
  if (time === undefined) return <span className="muted">–</span>;
  return (
    <span className="span-bar">
      <span className="track" aria-hidden="true">
        <i className={active(markOf(run.state)) ? "live" : ""} style={{ width: `${(100 * time) / longest}%` }} />
      </span>
      <span>{duration(time)}</span>
    </span>
  );
}

/** A number with its bar. Several values (a loop's) show the range; each of them on hover. */
function MetricCell({ run, column }: { run: Run; column: Column }) {
  const found = span(run, column.name);
  if (!found) return null;
  const text = (value: number) => metric(value, column.format);
  const each = (run.metrics ?? []).filter((m) => m.name === column.name);
  const title = each.map((m) => `${m.step ? `${m.step}: ` : ""}${m.value ?? "not a number"}`).join("\n");
  const [from, to] = [share(found.from, column), share(found.to, column)];
  return (
    <span className="metric-cell" title={title}>
      {found.from === found.to ? text(found.to) : `${text(found.from).replace(" %", "")} – ${text(found.to)}`}
      <span className="track" aria-hidden="true">
        <i style={{ left: from < to ? `${100 * from}%` : "0", width: `${100 * (from < to ? to - from : to)}%` }} />
      </span>
    </span>
  );
}

function Steps({ progress }: { progress: Progress }) {
  const { pending, running, succeeded, failed } = progress;
  const total = pending + running + succeeded + failed;
  return (
    <span className="progress">
      <span>
        {succeeded}/{total}
      </span>
      {failed > 0 && <span className="mark-failed">{failed} failed</span>}
      {running > 0 && <span className="mark-running">{running} running</span>}
    </span>
  );
}

/** True for a moment after `value` changed. */
function useChanged(value: string): boolean {
  const before = useRef(value);
  const changed = before.current !== value;
  useEffect(() => {
    before.current = value;
  });
  return changed;
}
