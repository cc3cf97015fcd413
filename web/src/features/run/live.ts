// The run's event stream, laid into the answers that the page already holds.
import { useEffect } from "react";
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { started, type Node, type NodeList, type Run } from "../../api";
import { keys } from "../../shared/data";
import { url } from "../../shared/http";

const TOGETHER = 80;
const GRAPH_PAUSE = 400;

/** Follow a run while it is `going`, from the event after which `nodes` was read. */
export function useLive(id: string, nodes: NodeList | undefined, going: boolean): void {
  const client = useQueryClient();
  const ready = nodes !== undefined;
  useEffect(() => {
    if (!ready || !going) return undefined;
    const after = client.getQueryData<NodeList>(keys.nodes(id))?.last_event ?? 0;
    return follow(client, id, after);
  }, [client, id, ready, going]);
}

function follow(client: QueryClient, id: string, after: number): () => void {
  const source = new EventSource(url(`/runs/${id}/events?after=${after}`));
  const changed = new Map<string, Node>();
  let last = after;
  const flush = once(TOGETHER, () => {
    client.setQueryData<NodeList>(keys.nodes(id), (old) => old && merged(old, changed, last));
    changed.clear();
  });
  const redraw = once(GRAPH_PAUSE, () => void client.invalidateQueries({ queryKey: ["graph", id] }));
  const reviewed = once(GRAPH_PAUSE, () => void client.invalidateQueries({ queryKey: ["views", id] }));

  source.addEventListener("node", (event) => {
    const node = started(JSON.parse(event.data as string) as Node);
    last = Number(event.lastEventId) || last;
    changed.set(node.id, node);
    flush();
    redraw();
    if (node.finishedAt) reviewed();
  });
  source.addEventListener("gone", (event) => {
    const { ids } = JSON.parse(event.data as string) as { ids: string[] };
    last = Number(event.lastEventId) || last;
    for (const id of ids) changed.delete(id);
    client.setQueryData<NodeList>(keys.nodes(id), (old) => old && without(old, ids, last));
    redraw();
    reviewed();
  });
  source.addEventListener("run", (event) => {
    const run = JSON.parse(event.data as string) as Run;
    client.setQueryData<Run>(keys.run(id), () => run);
  });
  source.addEventListener("end", () => {
    source.close();
    void client.invalidateQueries({ queryKey: keys.run(id) });
    for (const what of ["nodes", "graph", "views"]) void client.invalidateQueries({ queryKey: [what, id] });
  });
  return () => source.close();
}

/** The list with the changed nodes in their places, new ones at the end. */
export function merged(old: NodeList, changed: ReadonlyMap<string, Node>, last: number): NodeList {
  const known = new Set(old.nodes.map((node) => node.id));
  const fresh = [...changed.values()].filter((node) => !known.has(node.id));
  return { nodes: [...old.nodes.map((node) => changed.get(node.id) ?? node), ...fresh], last_event: last };
}

/** The list without nodes that are no more. */
export function without(old: NodeList, ids: readonly string[], last: number): NodeList {
  const gone = new Set(ids);
  return { nodes: old.nodes.filter((node) => !gone.has(node.id)), last_event: last };
}

/** `act`, `ms` after the first of several calls. */
function once(ms: number, act: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      act();
    }, ms);
  };
}
