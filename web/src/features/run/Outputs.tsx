// Every view of the run, by step, below the numbers that the steps reported.
import { lazy, Suspense } from "react";
import type { Metric, Node, Run, View } from "../../api";
import { useViews } from "../../shared/data";
import { metric } from "../../shared/format";
import { Problem, Skeleton } from "../../shared/parts";
import { label, roundOf, type Round } from "./steps";

const Card = lazy(() => import("./views/Card"));

export function Outputs({ run, nodes, onChoose }: { run: Run; nodes: Node[]; onChoose: (id: string) => void }) {
  const views = useViews(run.run_id);
  const metrics = run.metrics ?? [];
  if (views.isPending) return <div className="page"><Skeleton /></div>;
  if (views.isError && !views.data) return <div className="page"><Problem error={views.error} what="The outputs of this run" /></div>;
  if (!views.data?.views.length && !metrics.length) {
    return <div className="page"><div className="empty"><h2>No outputs yet</h2><p>A step shows charts, tables and reports here when it writes <code>/mlpipeline-ui-metadata.json</code>, and numbers when it writes <code>/mlpipeline-metrics.json</code>.</p></div></div>;
  }
  return (
    <div className="outputs">
      {metrics.length > 0 && <Metrics metrics={metrics} nodes={nodes} />}
      <Suspense fallback={<Skeleton />}>
        {grouped(views.data?.views ?? [], nodes).map(([step, list]) => (
          <section key={step} aria-label={step}>
            <h3><button type="button" className="plain" onClick={() => onChoose(list[0]?.view.node_id ?? "")}>{step}</button></h3>
            <div className="cards">
              {list.map(({ view, round }, i) => <Card key={`${view.node_id}-${view.index ?? i}`} run={run.run_id} view={view} from={round?.item} />)}
            </div>
          </section>
        ))}
      </Suspense>
    </div>
  );
}

interface Placed { view: View; round: Round | undefined }

/** Views by step; those of a loop's rounds together, each kind side by side, so that they can be compared. */
function grouped(views: View[], nodes: Node[]): [string, Placed[]][] {
  const found = new Map<string, Placed[]>();
  for (const view of views) {
    const node = nodes.find((one) => one.id === view.node_id);
    const step = node ? label(node).replace(/ · .*$/s, "") : view.step || "step";
    const round = node && roundOf(node, nodes);
    found.set(step, [...(found.get(step) ?? []), { view, round }]);
  }
  for (const list of found.values()) list.sort((a, b) => (a.view.index ?? 0) - (b.view.index ?? 0) || (a.round?.index ?? 0) - (b.round?.index ?? 0));
  return [...found];
}

/** Steps down, metrics across: the rounds of a loop can be compared at a glance. */
function Metrics({ metrics, nodes }: { metrics: Metric[]; nodes: Node[] }) {
  const title = (metric: Metric | undefined) => {
    const node = nodes.find((one) => one.id === metric?.node_id);
    const round = node && roundOf(node, nodes);
    return node ? `${label(node)}${round && !label(node).includes(" · ") ? ` · ${round.item}` : ""}` : metric?.step || "–";
  };
  const names = [...new Set(metrics.map((m) => m.name))];
  const rows = new Map<string, Metric[]>();
  for (const m of metrics) rows.set(m.node_id || m.step || "", [...(rows.get(m.node_id || m.step || "") ?? []), m]);
  return (
    <section aria-label="Metrics">
      <h3>Metrics</h3>
      <table className="table metrics">
        <thead><tr><th>Step</th>{names.map((name) => <th key={name} className="number">{name}</th>)}</tr></thead>
        <tbody>
          {[...rows].map(([id, list]) => (
            <tr key={id}>
              <td>{title(list[0])}</td>
              {names.map((name) => {
                const found = list.find((m) => m.name === name);
                return <td key={name} className="number" title={found ? String(found.value) : undefined}>{found ? metric(found.value, found.format) : ""}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
