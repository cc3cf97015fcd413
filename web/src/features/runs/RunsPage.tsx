// The list of runs: what runs now, what broke, which was best.
import { useMemo, useRef, useState } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "wouter";
import type { Run, RunList } from "../../api";
import { keys, useRuns } from "../../shared/data";
import { plural } from "../../shared/format";
import { useNow, useTitle } from "../../shared/hooks";
import { send } from "../../shared/http";
import { Confirm, Problem, Skeleton } from "../../shared/parts";
import { active, markOf } from "../../shared/state";
import { useParams } from "../../shared/url";
import { matcher, suggestions } from "./filter";
import { FirstRun } from "./FirstRun";
import { RunTable } from "./RunTable";
import "./runs.css";

export function RunsPage({ experiment = "", experimentName = "" }: { experiment?: string; experimentName?: string }) {
  useTitle(experimentName || "Runs");
  const [params, setParams] = useParams();
  const pages = Math.max(1, Number(params.get("pages")) || 1);
  const runs = useRuns(experiment, pages);
  const query = params.get("filter") ?? "";
  const all = runs.data?.runs ?? [];
  const shown = useMemo(() => all.filter(matcher(query)), [all, query]);
  const now = useNow(true, shown.some((run) => active(markOf(run.state))) ? 1000 : 15_000);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());

  if (runs.isPending) return <div className="page"><Skeleton /></div>;
  if (runs.isError && !runs.data) return <div className="page"><Problem error={runs.error} what="The list of runs" /></div>;
  if (!all.length && !query) return <FirstRun experiment={experiment} name={experimentName} />;
  return (
    <>
      <QueryBar query={query} runs={all} shown={shown.length} total={runs.data.total_size} experiment={experiment} onChange={(filter) => setParams({ filter }, true)} />
      <div className="runs">
        {shown.length ? (
          <RunTable runs={shown} now={now} chosen={chosen} onChosen={setChosen} />
        ) : (
          <div className="page">
            <p>No run matches this query. <button type="button" className="quiet" onClick={() => setParams({ filter: undefined })}>Show all {all.length}</button></p>
          </div>
        )}
        {runs.data.next_page_token && (
          <p className="older">
            <button type="button" disabled={runs.isPlaceholderData} onClick={() => setParams({ pages: String(pages + 1) }, true)}>Show older runs</button>
            <span className="muted">{all.length} of {runs.data.total_size} are here</span>
          </p>
        )}
        <ChosenBar runs={all.filter((run) => chosen.has(run.run_id))} list={keys.runs(experiment, pages)} onDone={() => setChosen(new Set())} />
      </div>
    </>
  );
}

function QueryBar({ query, runs, shown, total, experiment, onChange }: {
  query: string;
  runs: Run[];
  shown: number;
  total: number;
  experiment: string;
  onChange: (query: string) => void;
}) {
  const field = useRef<HTMLInputElement>(null);
  const words = query.split(/(?<=\s)/);
  const before = words.slice(0, -1).join("");
  return (
    <div className="bar-row">
      <input
        ref={field}
        type="search"
        aria-label="Filter runs"
        placeholder="Filter: status:failed pipeline:tumours accuracy>0.9"
        value={query}
        list="run-filters"
        onChange={(event) => onChange(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Escape" && field.current?.blur()}
      />
      <datalist id="run-filters">
        {suggestions(runs).map((text) => (
          <option key={text} value={before + text} />
        ))}
      </datalist>
      <span className="muted">{query ? `${shown} of ${runs.length}` : plural(Math.max(total, runs.length), "run")}</span>
      <span className="grow" />
      <Link className="button primary" href={experiment ? `/runs/new?experiment=${experiment}` : "/runs/new"}>
        New run
      </Link>
    </div>
  );
}

/** What can be done with the selected runs. Takes effect on screen at once, and is taken back if the server refuses. */
function ChosenBar({ runs, list, onDone }: { runs: Run[]; list: ReturnType<typeof keys.runs>; onDone: () => void }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>();
  const running = runs.filter((run) => active(markOf(run.state)));

  const change = (edit: (runs: Run[]) => Run[]) =>
    client.setQueryData<RunList>(list, (old) => old && { ...old, runs: edit(old.runs) });
  const act = async (edit: (runs: Run[]) => Run[], request: () => Promise<unknown>) => {
    setError(undefined);
    change(edit);
    await request().catch(setError);
    await client.invalidateQueries({ queryKey: ["runs"] });
  };
  const has = (some: Run[], run: Run) => some.some((one) => one.run_id === run.run_id);
  const stop = () =>
    act(
      (all) => all.map((run) => (has(running, run) ? { ...run, state: "CANCELING" as const } : run)),
      () => Promise.all(running.map((run) => send("POST", `/runs/${run.run_id}:stop`, { strategy: "Stop" }))),
    );
  const remove = () => {
    setAsking(false);
    onDone();
    void act(
      (all) => all.filter((run) => !has(runs, run)),
      () => Promise.all(runs.map((run) => send("DELETE", `/runs/${run.run_id}`))),
    );
  };

  return (
    <>
      {error ? <Problem error={error} what="The change" /> : null}
      {runs.length > 0 && (
        <div className="chosen-bar" role="toolbar" aria-label="Selected runs">
          <span>{plural(runs.length, "run")} selected</span>
          <button type="button" disabled={!running.length} onClick={() => void stop()}>
            Stop
          </button>
          <button type="button" className="danger" onClick={() => setAsking(true)}>
            Delete
          </button>
          <button type="button" className="quiet" onClick={onDone}>
            Clear
          </button>
        </div>
      )}
      {asking && (
        <Confirm title={`Delete ${plural(runs.length, "run")}?`} verb="Delete" onYes={remove} onNo={() => setAsking(false)}>
          <p>
            {runs.slice(0, 5).map((run) => run.display_name).join(", ")}
            {runs.length > 5 ? ` and ${runs.length - 5} more` : ""}: their steps, logs and artifacts go with them.
          </p>
        </Confirm>
      )}
    </>
  );
}
