// What the run was given: its parameters, where it came from, the document itself.
import { lazy, Suspense } from "react";
import { Link } from "wouter";
import type { Run } from "../../api";
import { useDocument, useExperiment } from "../../shared/data";
import { fullTime, seconds } from "../../shared/format";
import { Facts, Problem, Skeleton } from "../../shared/parts";

const Source = lazy(() => import("../../shared/Source"));

export function Config({ run }: { run: Run }) {
  const found = useDocument(run.run_id);
  const experiment = useExperiment(run.experiment_id ?? "");
  const parameters = Object.entries(run.runtime_config?.parameters ?? {});
  const at = (time: string | undefined) => (seconds(time) === undefined ? undefined : fullTime(seconds(time)!));
  const reference = run.pipeline_version_reference;
  return (
    <div className="page config">
      <section aria-label="Parameters">
        <h3>Parameters</h3>
        {parameters.length ? <Facts rows={parameters.map(([name, value]) => [name, <code key={name}>{typeof value === "string" ? value : JSON.stringify(value)}</code>])} /> : <p className="muted">This pipeline takes none.</p>}
      </section>
      <section aria-label="Run">
        <h3>Run</h3>
        <Facts
          rows={[
            ["Pipeline", reference?.pipeline_id ? <Link href={`/pipelines/${reference.pipeline_id}?version=${reference.pipeline_version_id ?? ""}`}>{run.pipeline_name || reference.pipeline_id}</Link> : run.pipeline_name],
            ["Experiment", run.experiment_id && <Link href={`/experiments/${run.experiment_id}`}>{experiment.data?.display_name ?? "Its runs"}</Link>],
            ["Workflow", <code key="w">{run.workflow_name}</code>],
            ["Run id", <code key="i">{run.run_id}</code>],
            ["Created", at(run.created_at)],
            ["Started", at(run.started_at)],
            ["Finished", at(run.finished_at)],
            ["Description", run.description],
          ]}
        />
      </section>
      <section aria-label="Document">
        <h3>Document</h3>
        {found.isError && <Problem error={found.error} what="The document" />}
        {found.data ? <Suspense fallback={<Skeleton />}><Source document={spec(found.data)} name={run.workflow_name || "workflow"} /></Suspense> : null}
      </section>
    </div>
  );
}

/** The document as it was submitted: what became of it stands in the other tabs. */
const spec = ({ status: _, ...rest }: Record<string, unknown>) => rest;
