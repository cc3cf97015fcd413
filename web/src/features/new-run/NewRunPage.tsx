// A new run: of a pipeline's version, or a clone of another run.
import { useState, type FormEvent } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useLocation } from "wouter";
import type { InputSpec, Run } from "../../api";
import { useDocument, useExperiments, usePipelines, useRun, useVersion, useVersions } from "../../shared/data";
import { send } from "../../shared/http";
import { useTitle } from "../../shared/hooks";
import { Command, Problem, Skeleton } from "../../shared/parts";
import { useParams } from "../../shared/url";
import { Field } from "./Field";
import { command, initial, parameters, wrong } from "./fields";
import { fresh, inputsOf } from "./document";
import "./new-run.css";

interface Origin { pipeline: string; version: string; name: string; inputs: InputSpec[] | undefined; document?: Record<string, unknown>; error: unknown }

export default function NewRunPage() {
  useTitle("New run");
  const [params, setParams] = useParams();
  const clone = useRun(params.get("clone") ?? "");
  const pipelines = usePipelines();
  const origin = useOrigin(params, clone.data);
  if (params.get("clone") && clone.isPending) return <div className="page"><Skeleton /></div>;
  if (clone.error) return <div className="page"><Problem error={clone.error} what="The run to clone" /></div>;
  const choosing = !origin.document;
  if (choosing && pipelines.data && !pipelines.data.pipelines.length) return <NoPipeline />;
  return (
    <div className="page new-run">
      {choosing ? (
        <Pick
          label="Pipeline"
          value={origin.pipeline}
          options={(pipelines.data?.pipelines ?? []).map((p) => [p.pipeline_id, p.display_name || p.name || p.pipeline_id])}
          onPick={(pipeline) => setParams({ pipeline, version: undefined }, true)}
        />
      ) : (
        <p>A clone of <Link href={`/runs/${clone.data?.run_id}`}>{clone.data?.display_name}</Link>, with the same document.</p>
      )}
      {choosing && <VersionPick origin={origin} onPick={(version) => setParams({ version }, true)} />}
      {origin.error ? <Problem error={origin.error} what="The pipeline" /> : null}
      {origin.inputs && <Form key={`${origin.version} ${clone.data?.run_id}`} origin={origin} inputs={origin.inputs} clone={clone.data} experiment={params.get("experiment") ?? clone.data?.experiment_id ?? ""} />}
    </div>
  );
}

/** What is to run: the address's pipeline and version, else the clone's, else the newest of the first pipeline. */
function useOrigin(params: URLSearchParams, clone: Run | undefined): Origin {
  const pipelines = usePipelines();
  const reference = clone?.pipeline_version_reference;
  const own = clone !== undefined && !reference?.pipeline_version_id;
  const document = useDocument(clone?.run_id ?? "", own);
  const pipeline = own ? "" : (params.get("pipeline") ?? reference?.pipeline_id ?? (params.get("clone") ? "" : pipelines.data?.pipelines[0]?.pipeline_id) ?? "");
  const versions = useVersions(pipeline);
  const newest = versions.data?.pipeline_versions[0]?.pipeline_version_id ?? "";
  const wanted = params.get("version") ?? (pipeline === reference?.pipeline_id ? reference.pipeline_version_id : undefined);
  const version = wanted ?? newest;
  const found = useVersion(pipeline, version);
  const name = pipelines.data?.pipelines.find((p) => p.pipeline_id === pipeline)?.display_name || clone?.pipeline_name || "pipeline";
  const error = found.error ?? versions.error ?? document.error ?? pipelines.error;
  if (own) return { pipeline: "", version: "", name, inputs: document.data && inputsOf(document.data), document: document.data ?? {}, error };
  return { pipeline, version, name, inputs: found.data && (found.data.inputs ?? []), error };
}

function Pick({ label, value, options, onPick }: { label: string; value: string; options: [string, string][]; onPick: (value: string) => void }) {
  const id = `pick-${label.toLowerCase()}`;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onPick(event.currentTarget.value)}>
        {options.map(([key, text]) => <option key={key} value={key}>{text}</option>)}
      </select>
    </div>
  );
}

function VersionPick({ origin, onPick }: { origin: Origin; onPick: (version: string) => void }) {
  const versions = useVersions(origin.pipeline);
  const all = versions.data?.pipeline_versions ?? [];
  return <Pick label="Version" value={origin.version} options={all.map((v, i) => [v.pipeline_version_id, `${v.display_name || v.name || v.pipeline_version_id}${i === 0 ? " (newest)" : ""}`])} onPick={onPick} />;
}

interface FormProps { origin: Origin; inputs: InputSpec[]; clone: Run | undefined; experiment: string }

function Form({ origin, inputs, clone, experiment }: FormProps) {
  const [values, setValues] = useState(() => starting(inputs, clone));
  const [name, setName] = useState(() => (clone ? `Clone of ${clone.display_name}` : `${origin.name} ${stamp()}`));
  const [group, setGroup] = useState(experiment);
  const [tried, setTried] = useState(false);
  const { start, busy, error } = useStart();
  const given = parameters(inputs, values);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    const bad = inputs.find((input) => wrong(input, values[input.name] ?? ""));
    if (bad) return document.getElementById(`input-${bad.name}`)?.focus();
    const source = origin.document ? { pipeline_spec: fresh(origin.document) } : { pipeline_version_reference: { pipeline_id: origin.pipeline, pipeline_version_id: origin.version } };
    return void start({ display_name: name.trim(), experiment_id: group || undefined, runtime_config: { parameters: given }, ...source });
  };
  return (
    <form onSubmit={submit} noValidate>
      <div className="field">
        <label htmlFor="run-name">Name of the run</label>
        <input id="run-name" type="text" value={name} onChange={(event) => setName(event.currentTarget.value)} autoComplete="off" />
      </div>
      <ExperimentPick value={group} onPick={setGroup} />
      <fieldset>
        <legend>Parameters</legend>
        {!inputs.length && <p className="muted">This pipeline takes none.</p>}
        {inputs.map((input) => <Field key={input.name} input={input} value={values[input.name] ?? ""} shown={tried} onChange={(value) => setValues((old) => ({ ...old, [input.name]: value }))} />)}
      </fieldset>
      {error ? <Problem error={error} what="Starting the run" /> : null}
      <div className="actions">
        <button type="submit" className="primary" disabled={busy}>{busy ? "Starting" : "Start run"}</button>
        <Link className="button" href="/runs">Cancel</Link>
      </div>
      <section className="same" aria-label="Command line">
        <h2>The same from a terminal</h2>
        <Command lines={command(`${origin.name.replace(/\s+/g, "-")}.yaml`, given)} label="Command that starts the same run" />
        <p className="muted">The file is the pipeline's source, which can be downloaded from its page.</p>
      </section>
    </form>
  );
}

function ExperimentPick({ value, onPick }: { value: string; onPick: (id: string) => void }) {
  const experiments = useExperiments();
  const all = experiments.data?.experiments ?? [];
  return <Pick label="Experiment" value={value} options={[["", "Default"], ...all.filter((e) => e.display_name !== "Default").map((e): [string, string] => [e.experiment_id, e.display_name])]} onPick={onPick} />;
}

function useStart() {
  const [, go] = useLocation();
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const start = async (body: unknown) => {
    setBusy(true);
    setError(undefined);
    try {
      const run = await send<Run>("POST", "/runs", body);
      void client.invalidateQueries({ queryKey: ["runs"] });
      go(`/runs/${run.run_id}`);
    } catch (reason) {
      setError(reason);
      setBusy(false);
    }
  };
  return { start, busy, error };
}

function starting(inputs: InputSpec[], clone: Run | undefined): Record<string, string> {
  const before = clone?.runtime_config?.parameters ?? {};
  const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  return Object.fromEntries(inputs.map((input) => [input.name, input.name in before ? text(before[input.name]) : initial(input)]));
}

const stamp = () => new Date().toLocaleString(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });

function NoPipeline() {
  return (
    <div className="page">
      <div className="empty">
        <h2>No pipeline to run yet</h2>
        <p>Compile one, then upload the file under <Link href="/pipelines">Pipelines</Link>; or run it from the terminal right away.</p>
        <Command label="Commands that make the first run" lines={"penstock compile pipeline.py -o pipeline.yaml\npenstock run pipeline.yaml"} />
      </div>
    </div>
  );
}
