// What the page asks the server for, and how long an answer stands.
import { useQuery } from "@tanstack/react-query";
import { started } from "../api";
import type {
  Experiment, ExperimentList, Graph, NodeList, Pipeline, PipelineList, PipelineVersion, PipelineVersionList, Run,
  RunList, ViewList,
} from "../api";
import { get, query } from "./http";
import { active, markOf } from "./state";

export const keys = {
  runs: (experiment = "", pages = 1) => ["runs", experiment, pages] as const,
  run: (id: string) => ["run", id] as const,
  nodes: (id: string) => ["nodes", id] as const,
  graph: (id: string, open: string[]) => ["graph", id, ...open] as const,
  views: (id: string, node = "") => ["views", id, node] as const,
  pipelines: ["pipelines"] as const,
  experiments: ["experiments"] as const,
};

const QUICK = 2000;
const SLOW = 4000;

/** The newest runs. Asked for again while the page is looked at, more often while one of them runs. */
export const useRuns = (experiment = "", pages = 1) =>
  useQuery({
    queryKey: keys.runs(experiment, pages),
    queryFn: () => newest(experiment, pages),
    placeholderData: (before) => before,
    refetchInterval: ({ state }) => (state.data?.runs.some((run) => active(markOf(run.state))) ? QUICK : SLOW),
  });

async function newest(experiment: string, pages: number): Promise<RunList> {
  const ask = (page_token: string) => get<RunList>(`/runs${query({ page_size: 200, sort_by: "created_at desc", experiment_id: experiment, page_token })}`);
  let list = await ask("");
  for (let page = 1; page < pages && list.next_page_token; page++) {
    const next = await ask(list.next_page_token);
    list = { ...next, runs: [...list.runs, ...next.runs] };
  }
  return list;
}

export const useRun = (id: string) => useQuery({ queryKey: keys.run(id), queryFn: () => get<Run>(`/runs/${id}`), enabled: !!id });

export const useNodes = (id: string) =>
  useQuery({ queryKey: keys.nodes(id), queryFn: () => nodesOf(id), staleTime: Infinity });

async function nodesOf(id: string): Promise<NodeList> {
  const list = await get<NodeList>(`/runs/${id}/nodes`);
  return { ...list, nodes: list.nodes.map(started) };
}

export const useGraph = (id: string, open: string[]) =>
  useQuery({
    queryKey: keys.graph(id, open),
    queryFn: () => get<Graph>(`/runs/${id}/graph${query({ expand: open })}`),
    placeholderData: (before) => before,
  });

export const useViews = (id: string, node = "") =>
  useQuery({
    queryKey: keys.views(id, node),
    queryFn: () => get<ViewList>(node ? `/runs/${id}/nodes/${node}/views` : `/runs/${id}/views`),
  });

export const useDocument = (id: string, wanted = true) =>
  useQuery({
    queryKey: ["workflow", id],
    queryFn: () => get<Record<string, unknown>>(`/runs/${id}/workflow`),
    enabled: wanted && !!id,
  });

export const usePipelines = () =>
  useQuery({ queryKey: keys.pipelines, queryFn: () => get<PipelineList>(`/pipelines${query({ page_size: 200 })}`) });

export const usePipeline = (id: string) =>
  useQuery({ queryKey: ["pipeline", id], queryFn: () => get<Pipeline>(`/pipelines/${id}`), enabled: !!id });

export const useVersions = (pipeline: string) =>
  useQuery({
    queryKey: ["versions", pipeline],
    queryFn: () => get<PipelineVersionList>(`/pipelines/${pipeline}/versions${query({ page_size: 200, sort_by: "created_at desc" })}`),
    enabled: !!pipeline,
  });

export const useVersion = (pipeline: string, version: string) =>
  useQuery({
    queryKey: ["version", pipeline, version],
    queryFn: () => get<PipelineVersion>(`/pipelines/${pipeline}/versions/${version}`),
    enabled: !!pipeline && !!version,
    staleTime: Infinity,
  });

export const useExperiments = () =>
  useQuery({ queryKey: keys.experiments, queryFn: () => get<ExperimentList>(`/experiments${query({ page_size: 200 })}`) });

export const useExperiment = (id: string) =>
  useQuery({ queryKey: ["experiment", id], queryFn: () => get<Experiment>(`/experiments/${id}`), enabled: !!id });
