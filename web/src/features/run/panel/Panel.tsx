// What one step is, read and made. Its tab stands in the address; without one, the tab that answers the likely question.
import { lazy, Suspense } from "react";
import { Link } from "wouter";
import type { Node, Run } from "../../../api";
import { useViews } from "../../../shared/data";
import { duration } from "../../../shared/format";
import { Mark } from "../../../shared/Mark";
import { Problem, Skeleton, Tabs } from "../../../shared/parts";
import { active, broken, markOf } from "../../../shared/state";
import { here, useParams } from "../../../shared/url";
import { Again } from "../Again";
import { attemptsOf, below, label, roundOf, took } from "../steps";
import { Data } from "./Data";
import { Details } from "./Details";

const Card = lazy(() => import("../views/Card"));
const Log = lazy(() => import("../log/Log"));

const RUNS = new Set(["Pod", "Container", "Retry"]);

interface Props { run: Run; node: Node; nodes: Node[]; now: number; onClose: () => void }

export function Panel({ run, node, nodes, now, onClose }: Props) {
  const [params, setParams] = useParams();
  const attempts = attemptsOf(node, nodes);
  const attempt = attempts[Number(params.get("attempt") ?? attempts.length) - 1] ?? attempts.at(-1);
  const shown = attempt ?? node;
  const leaf = RUNS.has(node.type);
  const views = useViews(run.run_id, leaf ? shown.id : "");
  const count = leaf ? (views.data?.views.length ?? 0) : 0;
  const tabs = leaf ? ["views", "data", "log", "details"] : ["rounds", "data", "details"];
  const asked = params.get("panel") ?? "";
  const tab = tabs.includes(asked) ? asked : usual(node, leaf, views.isPending, count);
  const parts = leaf ? [] : below(node, nodes);
  const words: Record<string, string> = { views: "Views", data: "Data", log: "Log", details: "Details", rounds: "Parts" };
  return (
    <aside className="panel" aria-label={`Step ${label(node)}`}>
      <PanelHead run={run} node={node} nodes={nodes} now={now} onClose={onClose} />
      {shown.cachedFrom && <p className="muted panel-message">cached from run <Link href={`/runs/${shown.cachedFrom.runId}?node=${shown.cachedFrom.nodeId}`}>{shown.cachedFrom.run}</Link> step {shown.cachedFrom.step}</p>}
      {attempts.length > 0 && <Attempts attempts={attempts} at={shown} now={now} onPick={(n) => setParams({ attempt: n })} />}
      <Tabs
        label="Step"
        at={tab}
        tabs={tabs.map((id) => ({ id, label: words[id] ?? id, count: id === "views" ? count : id === "rounds" ? parts.length : 0 }))}
        href={(to) => here({ node: node.id, panel: to })}
        go={(to) => setParams({ panel: to }, true)}
      />
      {shown.message && tab !== "details" && <p className={broken(markOf(shown.phase)) ? "problem panel-message" : "muted panel-message"}>{shown.message}</p>}
      <Suspense fallback={<div className="page"><Skeleton /></div>}>
        {tab === "log" && <Log key={shown.id} run={run.run_id} node={shown} />}
        {tab === "views" && <Views run={run.run_id} query={views} node={shown} />}
        {tab === "data" && <Data run={run.run_id} node={shown} nodes={nodes} />}
        {tab === "details" && <Details run={run.run_id} node={shown} />}
        {tab === "rounds" && <Parts parts={parts} now={now} onChoose={(id) => setParams({ node: id, panel: undefined })} />}
      </Suspense>
    </aside>
  );
}

/** A step that failed opens on its log, one that made something on its views. */
function usual(node: Node, leaf: boolean, pending: boolean, views: number): string {
  const mark = markOf(node.phase);
  if (!leaf) return node.type === "Skipped" ? "details" : "rounds";
  if (broken(mark) || active(mark)) return "log";
  return views > 0 || pending ? "views" : "log";
}

function PanelHead({ run, node, nodes, now, onClose }: Props) {
  const round = roundOf(node, nodes);
  const time = took(node, now);
  return (
    <div className="panel-head">
      <div className="panel-title">
        <h3>{label(node)}</h3>
        {round && <span className="muted" title={round.item}>{round.index + 1} of {round.of}{node.displayName.includes("(") ? "" : ` · ${round.item}`}</span>}
        <Mark kind={markOf(node.phase)} word />
        {time !== undefined && node.type !== "Skipped" && <span className="muted">{duration(time)}</span>}
      </div>
      {!active(markOf(run.state)) && (
        <Again run={run} path=":rerun" body={{ from_step: node.id }} what="Going on with this step" title="A new run: this step and what comes after it run, what went well is reused">
          Run from here
        </Again>
      )}
      <button type="button" className="quiet close" onClick={onClose} aria-label="Close the panel">✕</button>
    </div>
  );
}

function Attempts({ attempts, at, now, onPick }: { attempts: Node[]; at: Node; now: number; onPick: (n: string) => void }) {
  return (
    <div className="attempts" role="group" aria-label="Attempts">
      {attempts.map((node, i) => (
        <button key={node.id} type="button" aria-pressed={node.id === at.id} onClick={() => onPick(String(i + 1))}>
          <Mark kind={markOf(node.phase)} size={14} /> Attempt {i + 1} <span className="muted">{duration(took(node, now) ?? 0)}</span>
        </button>
      ))}
    </div>
  );
}

function Views({ run, query, node }: { run: string; query: ReturnType<typeof useViews>; node: Node }) {
  if (query.isPending) return <div className="page"><Skeleton /></div>;
  if (query.isError && !query.data) return <div className="page"><Problem error={query.error} what="The views of this step" /></div>;
  if (!query.data?.views.length) {
    const wait = active(markOf(node.phase));
    return <p className="page muted">{wait ? "Views appear here when the step has ended." : "This step wrote no /mlpipeline-ui-metadata.json."}</p>;
  }
  return <div className="cards cards-narrow">{query.data.views.map((view, i) => <Card key={view.index ?? i} run={run} view={{ ...view, node_id: view.node_id || node.id }} />)}</div>;
}

function Parts({ parts, now, onChoose }: { parts: Node[]; now: number; onChoose: (id: string) => void }) {
  if (!parts.length) return <p className="page muted">Nothing has started in here yet.</p>;
  return (
    <ul className="parts">
      {parts.map((part) => (
        <li key={part.id}>
          <button type="button" className="part" onClick={() => onChoose(part.id)}>
            <Mark kind={markOf(part.phase)} /> <span>{label(part)}</span> <span className="muted">{took(part, now) === undefined ? "" : duration(took(part, now)!)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
