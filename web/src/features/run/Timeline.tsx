// When each step ran: one row a step, one scale for all.
import type { CSSProperties } from "react";
import type { Node, Run } from "../../api";
import { duration, seconds } from "../../shared/format";
import { Mark } from "../../shared/Mark";
import { markOf } from "../../shared/state";
import { label, roundOf, stepsOf, took } from "./steps";

interface Props { run: Run; nodes: Node[]; now: number; chosen: string | undefined; onChoose: (id: string) => void }

export function Timeline({ run, nodes, now, chosen, onChoose }: Props) {
  const rows = stepsOf(nodes).filter((node) => node.startedAt && node.type !== "Skipped").sort((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0));
  if (!rows.length) return <p className="page muted">No step has started yet.</p>;
  const start = Math.min(seconds(run.started_at) ?? Infinity, ...rows.map((node) => node.startedAt ?? Infinity));
  const end = Math.max(...rows.map((node) => (node.startedAt ?? 0) + (took(node, now) ?? 0)), start + 0.5);
  const at = (time: number) => (100 * (time - start)) / (end - start);
  return (
    <div className="timeline">
      <Axis length={end - start} />
      <ul>
        {rows.map((node) => {
          const time = took(node, now) ?? 0;
          const round = roundOf(node, nodes);
          const left = at(node.startedAt ?? start);
          return (
            <li key={node.id}>
              <button type="button" className="timeline-row" data-row="" aria-pressed={node.id === chosen} onClick={() => onChoose(node.id)}>
                <span className="timeline-name"><Mark kind={markOf(node.phase)} /> {label(node)} {round && <span className="muted">{round.item}</span>}</span>
                <span className="timeline-track">
                  <i className={`bar-${markOf(node.phase)}`} style={{ left: `min(${left}%, 100% - 2px)`, width: `${Math.max(0.3, at(start + time))}%` }} />
                  <em {...beside(left, left + at(start + time))}>{duration(time)}</em>
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** Where the time of a bar stands: after it, else before it, else inside its end. In percent of the track. */
function beside(left: number, right: number): { style: CSSProperties; className?: string } {
  if (right < 90) return { style: { left: `${right}%` } };
  return left > 10 ? { style: { right: `${100 - left}%` } } : { style: { right: `${100 - right}%` }, className: "inside" };
}

function Axis({ length }: { length: number }) {
  const step = tick(length / 6);
  const ticks = Array.from({ length: Math.floor(length / step) + 1 }, (_, i) => i * step).filter((t) => t < length * 0.92);
  return (
    <div className="timeline-axis" aria-hidden="true">
      {ticks.map((t) => (
        <span key={t} style={{ left: `${(100 * t) / length}%` }}>{t === 0 ? "0" : duration(t).replace(".0 ", " ")}</span>
      ))}
    </div>
  );
}

function tick(about: number): number {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400];
  return steps.find((step) => step >= about) ?? Math.ceil(about / 86_400) * 86_400;
}
