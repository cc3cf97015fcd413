// One box of the graph: mark, name, time; a loop counts its rounds and can be opened.
import type { GraphNode } from "../../../api";
import { duration } from "../../../shared/format";
import { Mark } from "../../../shared/Mark";
import { active, markOf, WORDS } from "../../../shared/state";

/** `around`: the chosen step is this box, or lies folded in it. */
interface Props { box: GraphNode; now: number; chosen: boolean; around: boolean; onChoose: (id: string) => void; onFold: (id: string) => void }

export function Box({ box, now, chosen, around, onChoose, onFold }: Props) {
  const mark = markOf(box.phase);
  const time = took(box, now);
  const style = { left: box.x, top: box.y, width: box.width, height: box.height };
  return (
    <li className={`box box-${box.kind} is-${mark} ${chosen ? "is-chosen" : around ? "is-around" : ""}`} style={style}>
      <button type="button" className="box-main" data-row="" aria-pressed={chosen} disabled={!box.node_id} title={box.message || box.label} onClick={() => onChoose(box.node_id)}>
        <span className="box-top">
          <Mark kind={mark} />
          <span className="box-label">{box.label}{box.kind === "loop" && total(box) > 0 && <b> ×{total(box)}</b>}</span>
          {time !== undefined && <span className="box-time">{duration(time)}</span>}
        </span>
        {box.kind === "loop" && <Counts box={box} />}
      </button>
      {box.expandable && (
        <button type="button" className="box-fold" aria-expanded={box.expanded} aria-label={`${box.expanded ? "Fold" : "Open"} ${box.label}`} title={box.expanded ? "Fold the rounds" : "Show the rounds"} onClick={() => onFold(box.id)}>
          {box.expanded ? "−" : "+"}
        </button>
      )}
    </li>
  );
}

const total = (box: GraphNode) => Object.values(box.counts).reduce((sum, n) => sum + n, 0);

function took(box: GraphNode, now: number): number | undefined {
  if (!box.started_at || box.phase === "Skipped" || box.phase === "Omitted" || box.phase === "Pending") return undefined;
  return Math.max(0, (box.finished_at ?? (active(markOf(box.phase)) ? now : box.started_at)) - box.started_at);
}

function Counts({ box }: { box: GraphNode }) {
  return (
    <span className="box-counts">
      {Object.entries(box.counts).map(([phase, n]) => (
        <span key={phase}>
          <Mark kind={markOf(phase)} size={12} /> {n} <span className="box-word">{WORDS[markOf(phase)]}</span>
        </span>
      ))}
    </span>
  );
}
