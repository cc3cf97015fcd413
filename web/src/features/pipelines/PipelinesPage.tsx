// The list of pipelines, and the upload of a new one.
import { Link } from "wouter";
import { usePipelines } from "../../shared/data";
import { plural, seconds } from "../../shared/format";
import { useNow, useTitle } from "../../shared/hooks";
import { Command, Problem, Skeleton, Time } from "../../shared/parts";
import { Upload } from "./Upload";
import "./pipelines.css";

export default function PipelinesPage() {
  useTitle("Pipelines");
  const list = usePipelines();
  const now = useNow(true, 30_000);
  const all = list.data?.pipelines ?? [];
  if (list.isPending) return <div className="page"><Skeleton /></div>;
  if (list.isError && !list.data) return <div className="page"><Problem error={list.error} what="The list of pipelines" /></div>;
  return (
    <>
      <div className="bar-row">
        <span className="muted">{plural(all.length, "pipeline")}</span>
        <span className="grow" />
        <Upload primary label="Upload pipeline" path={(file) => `/pipelines/upload?name=${encodeURIComponent(bare(file.name))}`} />
      </div>
      {all.length ? (
        <div className="runs">
          <table className="table">
            <thead><tr><th>Name</th><th>Description</th><th>Uploaded</th><th><span className="unseen">Run it</span></th></tr></thead>
            <tbody>
              {all.map((pipeline) => (
                <tr key={pipeline.pipeline_id}>
                  <td><Link href={`/pipelines/${pipeline.pipeline_id}`} data-row="">{pipeline.display_name || pipeline.name}</Link></td>
                  <td className="muted">{pipeline.description}</td>
                  <td><Time at={seconds(pipeline.created_at)} now={now} /></td>
                  <td className="number"><span><Link href={`/runs/new?pipeline=${pipeline.pipeline_id}`} aria-label={`New run of ${pipeline.display_name || pipeline.name}`}>New run</Link></span></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <div className="page">
          <div className="empty">
            <h2>No pipeline yet</h2>
            <p>Compile one, then upload the file here; or run it right away, which needs no upload.</p>
            <Command label="Commands that make a pipeline" lines={"penstock compile pipeline.py -o pipeline.yaml\npenstock run pipeline.yaml"} />
          </div>
        </div>
      )}
    </>
  );
}

const bare = (name: string) => name.replace(/\.(ya?ml|json|tar\.gz|tgz|zip)$/i, "");
