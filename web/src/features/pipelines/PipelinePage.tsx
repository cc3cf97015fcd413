// One pipeline: its versions, what the chosen one takes, its source.
import { lazy, Suspense, useState } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useLocation } from "wouter";
import type { InputSpec } from "../../api";
import { usePipeline, useVersion, useVersions } from "../../shared/data";
import { seconds } from "../../shared/format";
import { useNow, useTitle } from "../../shared/hooks";
import { send } from "../../shared/http";
import { Confirm, Problem, Skeleton, Tabs, Time } from "../../shared/parts";
import { here, useParams } from "../../shared/url";
import { Upload } from "./Upload";
import "./pipelines.css";

const Source = lazy(() => import("../../shared/Source"));

export default function PipelinePage({ id }: { id: string }) {
  const [params, setParams] = useParams();
  const pipeline = usePipeline(id);
  const versions = useVersions(id);
  const all = versions.data?.pipeline_versions ?? [];
  const chosen = params.get("version") ?? all[0]?.pipeline_version_id ?? "";
  const version = useVersion(id, chosen);
  const tab = params.get("tab") ?? "inputs";
  const name = pipeline.data?.display_name || pipeline.data?.name || "";
  useTitle(name);
  if (pipeline.isPending) return <div className="page"><Skeleton /></div>;
  if (pipeline.isError) return <div className="page"><Problem error={pipeline.error} what="This pipeline" /></div>;
  return (
    <div className="pipeline">
      <div className="bar-row">
        <h2>{name}</h2>
        <span className="muted">{pipeline.data.description}</span>
        <span className="grow" />
        <Remove id={id} name={name} versions={all.length} />
        <Upload label="Upload version" path={(file) => `/pipelines/upload_version?pipelineid=${id}&name=${encodeURIComponent(versionName(file.name, all.length))}`} />
        <Link className="button primary" href={`/runs/new?pipeline=${id}&version=${chosen}`}>New run</Link>
      </div>
      <div className="pipeline-parts">
        <Versions id={id} chosen={chosen} />
        <div className="pipeline-main">
          <Tabs label="Version" keys at={tab} tabs={[{ id: "inputs", label: "Inputs", count: version.data?.inputs?.length ?? 0 }, { id: "source", label: "Source" }]} href={(to) => here({ tab: to })} go={(to) => setParams({ tab: to }, true)} />
          <div className="page">
            {version.isError && <Problem error={version.error} what="This version" />}
            {version.data && tab === "inputs" && <Inputs inputs={version.data.inputs ?? []} />}
            {version.data && tab === "source" && <Suspense fallback={<Skeleton />}><Source document={version.data.pipeline_spec} name={name} /></Suspense>}
          </div>
        </div>
      </div>
    </div>
  );
}

const versionName = (file: string, count: number) => `${file.replace(/\.(ya?ml|json)$/i, "")} ${count + 1}`;

function Versions({ id, chosen }: { id: string; chosen: string }) {
  const versions = useVersions(id);
  const now = useNow(true, 30_000);
  return (
    <nav className="versions" aria-label="Versions">
      <h3>Versions</h3>
      <ul>
        {(versions.data?.pipeline_versions ?? []).map((version) => (
          <li key={version.pipeline_version_id}>
            <Link href={here({ version: version.pipeline_version_id })} replace data-row="" aria-current={version.pipeline_version_id === chosen ? "true" : undefined}>
              <span>{version.display_name || version.name}</span> <span className="muted"><Time at={seconds(version.created_at)} now={now} /></span>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Inputs({ inputs }: { inputs: InputSpec[] }) {
  if (!inputs.length) return <p className="muted">This pipeline takes no parameters.</p>;
  return (
    <table className="table">
      <thead><tr><th>Name</th><th>Type</th><th>Default</th><th>Description</th></tr></thead>
      <tbody>
        {inputs.map((input) => (
          <tr key={input.name}>
            <td><b>{input.name}</b></td>
            <td className="muted">{input.type || "text"}</td>
            <td>{input.default === undefined || input.default === null ? <span className="muted">{input.optional ? "none" : "needed"}</span> : <code>{input.default || '""'}</code>}</td>
            <td className="muted">{input.description}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Remove({ id, name, versions }: { id: string; name: string; versions: number }) {
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>();
  const [, go] = useLocation();
  const client = useQueryClient();
  const remove = async () => {
    setAsking(false);
    await send("DELETE", `/pipelines/${id}`).then(() => go("/pipelines"), setError);
    void client.invalidateQueries({ queryKey: ["pipelines"] });
  };
  return (
    <>
      {error ? <Problem error={error} what="Deleting the pipeline" /> : null}
      <button type="button" className="danger" onClick={() => setAsking(true)}>Delete</button>
      {asking && (
        <Confirm title={`Delete ${name}?`} verb="Delete" onYes={() => void remove()} onNo={() => setAsking(false)}>
          <p>Its {versions === 1 ? "one version goes" : `${versions} versions go`} with it. Runs that were made from it stay.</p>
        </Confirm>
      )}
    </>
  );
}
