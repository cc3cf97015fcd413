// A flat table of all steps with their state: for runs whose graph nobody can read.
import type { Node } from "../../api";
import { duration, fullTime } from "../../shared/format";
import { Mark } from "../../shared/Mark";
import { broken, markOf } from "../../shared/state";
import { useParams } from "../../shared/url";
import { label, roundOf, stepsOf, took } from "./steps";

interface Props { nodes: Node[]; now: number; chosen: string | undefined; onChoose: (id: string) => void }

export function Steps({ nodes, now, chosen, onChoose }: Props) {
  const [params, setParams] = useParams();
  const text = (params.get("find") ?? "").toLowerCase();
  const only = params.get("failed") === "1";
  const shown = stepsOf(nodes).filter((node) => node.name.toLowerCase().includes(text) && (!only || broken(markOf(node.phase))));
  return (
    <div className="steps">
      <div className="bar-row">
        <input type="search" aria-label="Find a step" placeholder="Find a step" value={params.get("find") ?? ""} onChange={(event) => setParams({ find: event.currentTarget.value }, true)} />
        <label className="check-label">
          <input type="checkbox" checked={only} onChange={() => setParams({ failed: only ? undefined : "1" }, true)} /> Failed only
        </label>
      </div>
      <table className="table">
        <thead>
          <tr>
            <th className="state"><span className="unseen">Status</span></th>
            <th>Step</th>
            <th>Round</th>
            <th className="number">Duration</th>
            <th>Started</th>
            <th>Message</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((node) => (
            <StepRow key={node.id} node={node} nodes={nodes} now={now} chosen={node.id === chosen} onChoose={onChoose} />
          ))}
        </tbody>
      </table>
      {!shown.length && <p className="page muted">{nodes.length ? "No step matches." : "No step has started yet."}</p>}
    </div>
  );
}

function StepRow({ node, nodes, now, chosen, onChoose }: { node: Node; nodes: Node[]; now: number; chosen: boolean; onChoose: (id: string) => void }) {
  const time = took(node, now);
  const round = roundOf(node, nodes);
  return (
    <tr className={chosen ? "chosen" : ""}>
      <td className="state"><Mark kind={markOf(node.phase)} /></td>
      <td>
        <button type="button" className="plain" data-row="" aria-pressed={chosen} onClick={() => onChoose(node.id)}>{label(node)}</button>
      </td>
      <td className="muted">{round ? `${round.index + 1} of ${round.of} · ${round.item}` : ""}</td>
      <td className="number">{time === undefined ? "" : duration(time)}</td>
      <td className="muted" title={node.startedAt ? fullTime(node.startedAt) : undefined}>{node.startedAt ? new Date(node.startedAt * 1000).toLocaleTimeString() : ""}</td>
      <td className="muted">{node.message}</td>
    </tr>
  );
}
