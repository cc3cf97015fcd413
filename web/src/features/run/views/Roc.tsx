// An ROC curve as it was measured, without smoothing; the pointer reads the threshold.
import { useState, type KeyboardEvent, type PointerEvent } from "react";
import type { RocView } from "../../../api";
import { significant } from "../../../shared/format";

const SIDE = 280;
const PAD = { left: 40, top: 8, right: 12, bottom: 34 };
const TICKS = [0, 0.25, 0.5, 0.75, 1];

type Point = RocView["points"][number];

export function Roc({ view }: { view: RocView }) {
  const [at, setAt] = useState<number>();
  const points = view.points;
  const x = (v: number) => PAD.left + v * SIDE;
  const y = (v: number) => PAD.top + (1 - v) * SIDE;
  const path = points.map(([fpr, tpr], i) => `${i ? "L" : "M"}${x(fpr).toFixed(1)} ${y(tpr).toFixed(1)}`).join("");
  const point = at === undefined ? undefined : points[at];
  const move = (event: PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const k = (SIDE + PAD.left + PAD.right) / box.width;
    setAt(nearest(points, ((event.clientX - box.left) * k - PAD.left) / SIDE, 1 - ((event.clientY - box.top) * k - PAD.top) / SIDE));
  };
  const key = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) setAt(Math.min(points.length - 1, Math.max(0, (at ?? 0) + by)));
  };
  return (
    <figure className="roc">
      <svg viewBox={`0 0 ${SIDE + PAD.left + PAD.right} ${SIDE + PAD.top + PAD.bottom}`} role="img" aria-label={`ROC curve, area ${significant(view.area)}`} tabIndex={0} onPointerMove={move} onPointerLeave={() => setAt(undefined)} onKeyDown={key}>
        {TICKS.map((t) => (
          <g key={t}>
            <path className="grid" d={`M${x(t)} ${y(0)}V${y(1)}M${x(0)} ${y(t)}H${x(1)}`} />
            <text className="tick" x={x(t)} y={y(0) + 15} textAnchor="middle">{t}</text>
            <text className="tick" x={x(0) - 6} y={y(t) + 4} textAnchor="end">{t}</text>
          </g>
        ))}
        <path className="chance" d={`M${x(0)} ${y(0)}L${x(1)} ${y(1)}`} />
        <path className="under" d={`${path}L${x(points.at(-1)?.[0] ?? 1)} ${y(0)}L${x(points[0]?.[0] ?? 0)} ${y(0)}Z`} />
        <path className="curve" d={path} />
        <text className="axis" x={x(0.5)} y={y(0) + 31} textAnchor="middle">false positive rate</text>
        <text className="axis" transform={`translate(9 ${y(0.5)}) rotate(-90)`} textAnchor="middle">true positive rate</text>
        <text className="area" x={x(0.97)} y={y(0.06)} textAnchor="end">area {significant(view.area)}</text>
        {point && (
          <g>
            <path className="cross" d={`M${x(point[0])} ${y(0)}V${y(1)}M${x(0)} ${y(point[1])}H${x(1)}`} />
            <circle className="dot" cx={x(point[0])} cy={y(point[1])} r="4" />
          </g>
        )}
      </svg>
      <figcaption className="muted" aria-live="polite">
        {point ? <>threshold <b>{point[2] === null ? "∞" : significant(point[2])}</b>, false positives <b>{significant(point[0])}</b>, true positives <b>{significant(point[1])}</b></> : `Point at the curve to read its threshold${view.truncated ? `; ${points.length} of ${view.total} points are drawn` : ""}.`}
      </figcaption>
    </figure>
  );
}

/** The measured point that lies nearest. */
function nearest(points: Point[], fpr: number, tpr: number): number {
  let best = 0;
  let least = Infinity;
  points.forEach(([x, y], i) => {
    const distance = (x - fpr) ** 2 + (y - tpr) ** 2;
    if (distance < least) [best, least] = [i, distance];
  });
  return best;
}
