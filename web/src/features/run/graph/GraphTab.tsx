// The graph of a run: boxes are real buttons in a list, lines lie below them in one drawing.
import { useCallback, useEffect, useMemo, useRef, useState, type PointerEvent } from "react";
import type { Graph, GraphNode, Node } from "../../../api";
import { useGraph } from "../../../shared/data";
import { useKeys, useSize } from "../../../shared/hooks";
import { Problem, Skeleton } from "../../../shared/parts";
import { markOf } from "../../../shared/state";
import { useParams } from "../../../shared/url";
import { boxOf } from "../steps";
import { Box } from "./Box";
import { boxes, CLOSE, fit, heads, lines, packed, shown, under, unpacked, visible, zoomed, type View } from "./draw";

interface Props { run: string; nodes: Node[]; now: number; chosen: string | undefined; onChoose: (id: string) => void }

export function GraphTab({ run, nodes, now, chosen, onChoose }: Props) {
  const [params, setParams] = useParams();
  const open = (params.get("open") ?? "").split(" ").filter(Boolean);
  const graph = useGraph(run, open);
  const live = useMemo(() => overlaid(graph.data, nodes), [graph.data, nodes]);
  const fold = (id: string) => {
    const next = open.includes(id) ? open.filter((one) => one !== id) : [...open, id];
    setParams({ open: next.join(" "), zoom: undefined });
  };
  if (graph.isError && !live) return <div className="page"><Problem error={graph.error} what="The graph" /></div>;
  if (!live) return <div className="page"><Skeleton /></div>;
  return <Drawing graph={live} now={now} chosen={chosen} at={boxOf(chosen, live.nodes, nodes)} onChoose={onChoose} onFold={fold} />;
}

/** The picture with the newest phases: the layout is asked for again later, and less often. */
function overlaid(graph: Graph | undefined, nodes: Node[]): Graph | undefined {
  if (!graph) return undefined;
  const known = new Map(nodes.map((node) => [node.id, node]));
  const renew = (box: GraphNode): GraphNode => {
    const node = known.get(box.id);
    if (!node?.phase) return box;
    return { ...box, phase: node.phase, node_id: node.id, started_at: node.startedAt ?? null, finished_at: node.finishedAt ?? null };
  };
  return { ...graph, nodes: graph.nodes.map(renew) };
}

/** `at` is the box that stands for the chosen node. */
interface DrawingProps { graph: Graph; now: number; chosen: string | undefined; at: string | undefined; onChoose: (id: string) => void; onFold: (id: string) => void }

function Drawing({ graph, now, chosen, at, onChoose, onFold }: DrawingProps) {
  const area = useRef<HTMLDivElement>(null);
  const size = useSize(area);
  const { view, setView, reset } = useView(graph, size);
  useWheel(area, setView);
  const drag = useDrag(setView);
  useIntoSight(graph, at, size, view, setView);
  useKeys({ "0": () => (reset(), true) });

  const seen = visible(graph.nodes, view, size);
  const close = view.zoom >= CLOSE;
  const pick = (event: { clientX: number; clientY: number }) => {
    const box = area.current?.getBoundingClientRect();
    if (close || !box) return;
    const found = under(graph.nodes, (event.clientX - box.left - view.x) / view.zoom, (event.clientY - box.top - view.y) / view.zoom);
    if (found?.node_id) onChoose(found.node_id);
  };
  return (
    <div className="graph" ref={area} {...drag} onClick={pick}>
      <div className="graph-plane" style={{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.zoom})` }}>
        <Lines graph={graph} chosen={at} far={!close} />
        {close && (
          <ul aria-label="Steps of the graph">
            {seen.filter((box) => box.kind !== "junction").map((box) => (
              <Box key={box.id} box={box} now={now} chosen={chosen !== undefined && (box.node_id || box.id) === chosen} around={box.id === at} onChoose={onChoose} onFold={onFold} />
            ))}
          </ul>
        )}
      </div>
      <ZoomButtons view={view} onZoom={(factor) => setView((old) => zoomed(old, factor, { x: size.width / 2, y: size.height / 2 }))} onFit={reset} />
    </div>
  );
}

const FAINT = new Set(["skipped", "omitted"]);

function Lines({ graph, chosen, far }: { graph: Graph; chosen: string | undefined; far: boolean }) {
  const phases = useMemo(() => new Map(graph.nodes.map((box) => [box.id, markOf(box.phase)])), [graph.nodes]);
  const junctions = useMemo(() => new Set(graph.nodes.filter((box) => box.kind === "junction").map((box) => box.id)), [graph.nodes]);
  const faint = (id: string) => FAINT.has(phases.get(id) ?? "");
  const quiet = graph.edges.filter((edge) => faint(edge.source) || faint(edge.target));
  const plain = graph.edges.filter((edge) => !faint(edge.source) && !faint(edge.target));
  const near = graph.edges.filter((edge) => chosen !== undefined && (edge.source === chosen || edge.target === chosen));
  return (
    <svg className="graph-lines" width={graph.width} height={graph.height} aria-hidden="true">
      <path className="edge edge-faint" d={lines(quiet)} />
      <path className="edge" d={lines(plain)} />
      <path className="head-arrow" d={heads(plain, junctions)} />
      {near.length > 0 && (
        <g className="near">
          <path className="edge" d={lines(near)} />
          <path className="head-arrow" d={heads(near, junctions)} />
        </g>
      )}
      {far && [...new Set(phases.values())].map((mark) => (
        <path key={mark} className={`far far-${mark}`} d={boxes(graph.nodes.filter((box) => markOf(box.phase) === mark))} />
      ))}
    </svg>
  );
}

function ZoomButtons({ view, onZoom, onFit }: { view: View; onZoom: (factor: number) => void; onFit: () => void }) {
  return (
    <div className="zoom" role="group" aria-label="Zoom">
      <button type="button" onClick={() => onZoom(1 / 1.3)} aria-label="Zoom out">−</button>
      <button type="button" onClick={onFit} title="Fit (0)" aria-label="Fit the graph">{Math.round(view.zoom * 100)} %</button>
      <button type="button" onClick={() => onZoom(1.3)} aria-label="Zoom in">+</button>
    </div>
  );
}

type Change = (edit: (view: View) => View) => void;

/** The view: the reader's, kept in the address; else all of the graph. */
function useView(graph: Graph, size: { width: number; height: number }): { view: View; setView: Change; reset: () => void } {
  const [params, setParams] = useParams();
  const stored = params.get("zoom");
  const [own, setOwn] = useState<View | undefined>(() => unpacked(stored));
  const fitted = fit(graph, size);
  const current = own ?? fitted;
  const latest = useRef(current);
  latest.current = current;
  useEffect(() => {
    if (!stored) setOwn(undefined);
  }, [stored]);
  useEffect(() => {
    if (!own) return undefined;
    const timer = setTimeout(() => setParams({ zoom: packed(own) }, true), 250);
    return () => clearTimeout(timer);
  }, [own, setParams]);
  const setView = useCallback<Change>((edit) => {
    latest.current = edit(latest.current);
    setOwn(latest.current);
  }, []);
  const reset = () => {
    setOwn(undefined);
    setParams({ zoom: undefined }, true);
  };
  return { view: current, setView, reset };
}

/** Zoom with the wheel, about the pointer. Listened to by hand: the page itself must not scroll. */
function useWheel(area: { current: HTMLDivElement | null }, setView: Change): void {
  useEffect(() => {
    const element = area.current;
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const box = element!.getBoundingClientRect();
      const at = { x: event.clientX - box.left, y: event.clientY - box.top };
      setView((view) => zoomed(view, Math.exp(-event.deltaY / 400), at));
    };
    element?.addEventListener("wheel", wheel, { passive: false });
    return () => element?.removeEventListener("wheel", wheel);
  }, [area, setView]);
}

function useDrag(setView: Change) {
  const from = useRef<{ x: number; y: number } | null>(null);
  return {
    onPointerDown: (event: PointerEvent<HTMLDivElement>) => {
      if (event.button !== 0 || (event.target as Element).closest("button")) return;
      from.current = { x: event.clientX, y: event.clientY };
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent) => {
      const start = from.current;
      if (!start) return;
      const [dx, dy] = [event.clientX - start.x, event.clientY - start.y];
      from.current = { x: event.clientX, y: event.clientY };
      setView((view) => ({ ...view, x: view.x + dx, y: view.y + dy }));
    },
    onPointerUp: () => {
      from.current = null;
    },
  };
}

/** A box that was chosen elsewhere (keys, another tab) is brought into sight, if it is not. */
function useIntoSight(graph: Graph, chosen: string | undefined, size: { width: number; height: number }, view: View, setView: Change): void {
  const done = useRef<string | undefined>(undefined);
  useEffect(() => {
    const key = `${chosen} ${Math.round(size.width / 50)}`;
    const box = graph.nodes.find((one) => one.id === chosen);
    if (!box || !size.width || done.current === key) return;
    done.current = key;
    const next = shown(view, box, size);
    if (next.x !== view.x || next.y !== view.y) setView(() => next);
  }, [graph, chosen, size, view, setView]);
}
