// Geometry of the drawing; knows no framework.
import type { GraphEdge, GraphNode } from "../../../api";

export interface View { zoom: number; x: number; y: number }
export interface Area { width: number; height: number }

/** Below this zoom boxes are drawn as plain shapes, without elements of their own. */
export const CLOSE = 0.35;
const MOST = 2.5;
const LEAST = 0.02;

/** Everything in sight, not larger than life, from the top. */
export function fit(graph: Area, area: Area): View {
  if (!area.width || !graph.width) return { zoom: 1, x: 0, y: 0 };
  const zoom = Math.max(LEAST, Math.min(1, area.width / graph.width, area.height / graph.height));
  return { zoom, x: (area.width - graph.width * zoom) / 2, y: Math.max(0, Math.min(12, area.height - graph.height * zoom)) };
}

export function zoomed(view: View, factor: number, at: { x: number; y: number }): View {
  const zoom = Math.min(MOST, Math.max(LEAST, view.zoom * factor));
  const k = zoom / view.zoom;
  return { zoom, x: at.x - (at.x - view.x) * k, y: at.y - (at.y - view.y) * k };
}

/** The view moved as little as needed to bring a box into sight. */
export function shown(view: View, box: GraphNode, area: Area): View {
  const room = 24;
  const left = box.x * view.zoom + view.x;
  const top = box.y * view.zoom + view.y;
  return {
    zoom: view.zoom,
    x: view.x + shift(left, box.width * view.zoom, area.width, room),
    y: view.y + shift(top, box.height * view.zoom, area.height, room),
  };
}

function shift(start: number, length: number, room: number, margin: number): number {
  if (start < margin) return margin - start;
  if (start + length > room - margin) return Math.max(margin - start, room - margin - start - length);
  return 0;
}

export function visible(nodes: GraphNode[], view: View, area: Area): GraphNode[] {
  const margin = 200;
  const left = (-view.x - margin) / view.zoom;
  const top = (-view.y - margin) / view.zoom;
  const right = (area.width - view.x + margin) / view.zoom;
  const bottom = (area.height - view.y + margin) / view.zoom;
  return nodes.filter((n) => n.x + n.width > left && n.x < right && n.y + n.height > top && n.y < bottom);
}

/** Edges as one path: straight down through the layers, bent between them. */
export const lines = (edges: GraphEdge[]) => edges.map(line).join("");

function line({ points }: GraphEdge): string {
  const [first, ...rest] = points;
  if (!first) return "";
  let [x, y] = first;
  let d = `M${x} ${y}`;
  for (const [nx, ny] of rest) {
    const middle = (y + ny) / 2;
    d += nx === x ? `V${ny}` : `C${x} ${middle} ${nx} ${middle} ${nx} ${ny}`;
    [x, y] = [nx, ny];
  }
  return d;
}

/** The heads of the arrows, as one path. */
export const heads = (edges: GraphEdge[], skip: ReadonlySet<string>) =>
  edges
    .filter((edge) => !skip.has(edge.target))
    .map(({ points }) => points.at(-1))
    .map((end) => (end ? `M${end[0]} ${end[1]}l-3.500 -6h7z` : ""))
    .join("");

export const boxes = (nodes: GraphNode[]) => nodes.map((n) => `M${n.x} ${n.y}h${n.width}v${n.height}h${-n.width}z`).join("");

export const under = (nodes: GraphNode[], x: number, y: number) =>
  nodes.find((n) => n.x <= x && x <= n.x + n.width && n.y <= y && y <= n.y + n.height);

export const packed = (view: View) => `${view.zoom.toFixed(3)},${Math.round(view.x)},${Math.round(view.y)}`;

export function unpacked(text: string | null): View | undefined {
  const [zoom, x, y] = (text ?? "").split(",").map(Number);
  return zoom && x !== undefined && y !== undefined && [zoom, x, y].every(Number.isFinite) ? { zoom, x, y } : undefined;
}
