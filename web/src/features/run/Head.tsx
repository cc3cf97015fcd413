// The run's own row: state, time, what can be done with it, its parameters.
import { useState } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "wouter";
import type { Run } from "../../api";
import { keys } from "../../shared/data";
import { duration, seconds } from "../../shared/format";
import { send } from "../../shared/http";
import { Mark } from "../../shared/Mark";
import { Problem } from "../../shared/parts";
import { active, markOf } from "../../shared/state";
import { here } from "../../shared/url";
import { Again } from "./Again";

const SHOWN = 3;

export function Head({ run, now }: { run: Run; now: number }) {
  const state = markOf(run.state);
  const start = seconds(run.started_at);
  const time = start === undefined ? undefined : (seconds(run.finished_at) ?? now) - start;
  return (
    <div className="head">
      <h2>{run.display_name}</h2>
      <Mark kind={state} word />
      {time !== undefined && <span className="muted" aria-label="Duration">{duration(time)}</span>}
      <Actions run={run} />
      <Parameters run={run} />
    </div>
  );
}

function Actions({ run }: { run: Run }) {
  const client = useQueryClient();
  const [failed, setFailed] = useState<{ error: unknown; what: string }>();
  const going = active(markOf(run.state));
  const set = (run: Run) => client.setQueryData<Run>(keys.run(run.run_id), run);
  const stop = async (strategy: "Stop" | "Terminate") => {
    setFailed(undefined);
    set({ ...run, state: "CANCELING" });
    await send("POST", `/runs/${run.run_id}:stop`, { strategy }).catch((error: unknown) => {
      set(run);
      setFailed({ error, what: "Stopping the run" });
    });
  };
  // Shown when the server has it: whoever follows a run that has ended hears only of its end.
  const retry = async () => {
    setFailed(undefined);
    await send<Run>("POST", `/runs/${run.run_id}:retry`, {}).then(set, (error: unknown) => setFailed({ error, what: "Trying the run again" }));
  };
  return (
    <div className="actions">
      {going &&
        (run.state === "CANCELING" ? (
          <button type="button" onClick={() => void stop("Terminate")} title="End it at once: exit handlers do not run">
            Stop at once
          </button>
        ) : (
          <button type="button" onClick={() => void stop("Stop")} title="Running steps are ended; exit handlers still run">
            Stop
          </button>
        ))}
      {(run.state === "FAILED" || run.state === "CANCELED") && (
        <button
          type="button"
          onClick={() => void retry()}
          title="Failed steps and what comes after them run again; the rest stays"
        >
          Retry
        </button>
      )}
      {!going && <Again run={run} path=":resubmit" body={{}} what="Resubmitting the run" title="A new run of the same document and parameters">Resubmit</Again>}
      <Link className="button" href={`/runs/new?clone=${run.run_id}`}>
        Clone
      </Link>
      {failed ? <Problem error={failed.error} what={failed.what} /> : null}
    </div>
  );
}

function Parameters({ run }: { run: Run }) {
  const all = Object.entries(run.runtime_config?.parameters ?? {});
  if (!all.length) return null;
  return (
    <ul className="chips" aria-label="Parameters">
      {all.slice(0, SHOWN).map(([name, value]) => (
        <li key={name} title={`${name} = ${text(value)}`}>
          <span className="muted">{name}</span> {text(value)}
        </li>
      ))}
      {all.length > SHOWN && (
        <li>
          <Link href={here({ tab: "config" })}>{all.length - SHOWN} more</Link>
        </li>
      )}
    </ul>
  );
}

const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
