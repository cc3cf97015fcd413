// Experiments: groups of runs.
import { useState, type FormEvent } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "wouter";
import { keys, useExperiments } from "../../shared/data";
import { plural, seconds } from "../../shared/format";
import { useNow, useTitle } from "../../shared/hooks";
import { send } from "../../shared/http";
import { Command, Problem, Skeleton, Time } from "../../shared/parts";

export default function ExperimentsPage() {
  useTitle("Experiments");
  const list = useExperiments();
  const now = useNow(true, 30_000);
  const all = list.data?.experiments ?? [];
  if (list.isPending) return <div className="page"><Skeleton /></div>;
  if (list.isError && !list.data) return <div className="page"><Problem error={list.error} what="The list of experiments" /></div>;
  return (
    <>
      <Create count={all.length} />
      {all.length ? (
        <div className="runs">
          <table className="table">
            <thead><tr><th>Name</th><th>Description</th><th>Last run</th><th>Created</th><th><span className="unseen">Run in it</span></th></tr></thead>
            <tbody>
              {all.map((experiment) => (
                <tr key={experiment.experiment_id}>
                  <td><Link href={`/experiments/${experiment.experiment_id}`} data-row="">{experiment.display_name}</Link></td>
                  <td className="muted">{experiment.description}</td>
                  <td><Time at={ran(experiment.last_run_created_at)} now={now} /></td>
                  <td><Time at={seconds(experiment.created_at)} now={now} /></td>
                  <td className="number"><span><Link href={`/runs/new?experiment=${experiment.experiment_id}`} aria-label={`New run in ${experiment.display_name}`}>New run</Link></span></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <div className="page">
          <div className="empty">
            <h2>No experiment yet</h2>
            <p>An experiment groups runs that belong together. The first run makes one by itself, named Default.</p>
            <Command label="Commands that make the first run" lines={"penstock compile pipeline.py -o pipeline.yaml\npenstock run pipeline.yaml"} />
          </div>
        </div>
      )}
    </>
  );
}

/** An experiment without runs has the year 1970 there, as Kubeflow Pipelines writes it. */
const ran = (time: string | undefined) => (seconds(time) ? seconds(time) : undefined);

function Create({ count }: { count: number }) {
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [name, setName] = useState("");
  const [about, setAbout] = useState("");
  const [error, setError] = useState<unknown>();
  const create = async (event: FormEvent) => {
    event.preventDefault();
    setError(undefined);
    try {
      await send("POST", "/experiments", { display_name: name.trim(), description: about.trim() });
      setOpen(false);
      setName("");
      setAbout("");
    } catch (reason) {
      setError(reason);
    }
    await client.invalidateQueries({ queryKey: keys.experiments });
  };
  return (
    <>
      <form className="bar-row" onSubmit={(event) => void create(event)}>
        {open ? (
          <>
            <input type="text" aria-label="Name of the experiment" placeholder="Name" value={name} autoFocus required onChange={(event) => setName(event.currentTarget.value)} />
            <input type="text" aria-label="Description" placeholder="Description" value={about} onChange={(event) => setAbout(event.currentTarget.value)} />
            <button type="submit" className="primary" disabled={!name.trim()}>Create</button>
            <button type="button" onClick={() => setOpen(false)}>Cancel</button>
          </>
        ) : (
          <>
            <span className="muted">{plural(count, "experiment")}</span>
            <span className="grow" />
            <button type="button" className="primary" onClick={() => setOpen(true)}>New experiment</button>
          </>
        )}
      </form>
      {error ? <div className="page"><Problem error={error} what="Creating the experiment" /></div> : null}
    </>
  );
}
