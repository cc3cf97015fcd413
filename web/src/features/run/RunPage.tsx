// One run: its head, its tabs, and the panel of the chosen step beside them.
import { useMemo, useRef, type PointerEvent, type ReactNode } from "react";
import type { Node } from "../../api";
import { useNodes, useRun } from "../../shared/data";
import { useKeys, useNow, useStored, useTitle } from "../../shared/hooks";
import { Problem, Skeleton, Tabs } from "../../shared/parts";
import { active, markOf } from "../../shared/state";
import { here, useParams } from "../../shared/url";
import { Config } from "./Config";
import { GraphTab } from "./graph/GraphTab";
import { Head } from "./Head";
import { useLive } from "./live";
import { Outputs } from "./Outputs";
import { Panel } from "./panel/Panel";
import { failedOf, stepsOf } from "./steps";
import { Steps } from "./Steps";
import { Timeline } from "./Timeline";
import "./run.css";

export default function RunPage({ id }: { id: string }) {
  const run = useRun(id);
  const list = useNodes(id);
  const going = run.data !== undefined && active(markOf(run.data.state));
  useLive(id, list.data, going);
  useTitle(run.data?.display_name ?? "");
  const now = useNow(going);
  const nodes = useMemo(() => list.data?.nodes ?? [], [list.data]);
  const [params, setParams] = useParams();
  const chosen = useChosen(nodes, params, setParams);

  if (run.isPending) return <div className="page"><Skeleton /></div>;
  if (!run.data) return <div className="page"><Problem error={run.error} what="This run" /></div>;
  const tab = params.get("tab") ?? "graph";
  return (
    <div className="run">
      <Head run={run.data} now={now} />
      {run.data.message && <RunMessage message={run.data.message} failed={run.data.state === "FAILED"} />}
      {list.isError && <Problem error={list.error} what="The steps of this run" />}
      <Split open={chosen.node !== undefined} side={chosen.node && <Panel key={chosen.node.id} run={run.data} node={chosen.node} nodes={nodes} now={now} onClose={() => chosen.choose(undefined)} />}>
        <Tabs
          label="Run"
          keys
          at={tab}
          tabs={[
            { id: "graph", label: "Graph" },
            { id: "timeline", label: "Timeline" },
            { id: "steps", label: "Steps", count: stepsOf(nodes).length },
            { id: "outputs", label: "Outputs" },
            { id: "config", label: "Config" },
          ]}
          href={(to) => here({ tab: to === "graph" ? undefined : to })}
          go={(to) => setParams({ tab: to === "graph" ? undefined : to }, true)}
        />
        {tab === "graph" && <GraphTab run={id} nodes={nodes} now={now} chosen={chosen.node?.id} onChoose={chosen.choose} />}
        {tab === "timeline" && <Timeline run={run.data} nodes={nodes} now={now} chosen={chosen.node?.id} onChoose={chosen.choose} />}
        {tab === "steps" && <Steps nodes={nodes} now={now} chosen={chosen.node?.id} onChoose={chosen.choose} />}
        {tab === "outputs" && <Outputs run={run.data} nodes={nodes} onChoose={chosen.choose} />}
        {tab === "config" && <Config run={run.data} />}
      </Split>
    </div>
  );
}

interface Chosen { node: Node | undefined; choose: (id: string | undefined) => void }

/** The step that the panel shows: the address's, else the first that failed. Closing it is said in the address too. */
function useChosen(nodes: Node[], params: URLSearchParams, setParams: ReturnType<typeof useParams>[1]): Chosen {
  const failed = useMemo(() => failedOf(nodes), [nodes]);
  const wanted = params.get("node") ?? failed[0]?.id;
  const node = nodes.find((one) => one.id === wanted);
  const choose = (id: string | undefined) =>
    setParams({ node: id ?? (failed.length ? "none" : undefined), panel: id ? (params.get("panel") ?? undefined) : undefined, attempt: undefined, L: undefined, q: undefined });
  const next = () => {
    if (params.get("q") || !failed.length) return false;
    choose(failed[(failed.findIndex((one) => one.id === wanted) + 1) % failed.length]?.id);
    return true;
  };
  useKeys({ n: next, Escape: () => node && (choose(undefined), true) });
  return { node, choose };
}

function RunMessage({ message, failed }: { message: string; failed: boolean }) {
  return <div className={failed ? "problem run-message" : "run-message muted"}>{message}</div>;
}

/** Two sides; the border can be dragged, or moved with the arrow keys, and is remembered. */
function Split({ open, side, children }: { open: boolean; side: ReactNode; children: ReactNode }) {
  const [stored, store] = useStored("penstock.split", "44");
  const box = useRef<HTMLDivElement>(null);
  const share = Math.min(75, Math.max(25, Number(stored) || 44));
  const drag = (event: PointerEvent) => {
    const area = box.current?.getBoundingClientRect();
    if (!area || !(event.currentTarget as Element).hasPointerCapture(event.pointerId)) return;
    store(String(Math.round((100 * (area.right - event.clientX)) / area.width)));
  };
  return (
    <div className="split" ref={box} style={{ gridTemplateColumns: open ? `minmax(0, ${100 - share}fr) 5px minmax(0, ${share}fr)` : "minmax(0, 1fr)" }}>
      <section className="split-main" aria-label="Run">{children}</section>
      {open && (
        <>
          <div
            className="handle"
            role="separator"
            tabIndex={0}
            aria-orientation="vertical"
            aria-label="Width of the panel"
            aria-valuenow={share}
            aria-valuemin={25}
            aria-valuemax={75}
            onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
            onPointerMove={drag}
            onKeyDown={(event) => {
              if (event.key === "ArrowLeft") store(String(share + 2));
              if (event.key === "ArrowRight") store(String(share - 2));
            }}
          />
          {side}
        </>
      )}
    </div>
  );
}
