// What went into a step and what came out of it.
import { Link } from "wouter";
import type { Artifact, Node, Parameter } from "../../../api";
import { size } from "../../../shared/format";
import { url } from "../../../shared/http";
import { Copy } from "../../../shared/parts";
import { here } from "../../../shared/url";
import { label } from "../steps";

export function Data({ run, node, nodes }: { run: string; node: Node; nodes: Node[] }) {
  const result = node.outputs?.result === undefined ? [] : [{ name: "result", value: node.outputs.result }];
  return (
    <div className="panel-body data">
      <Section title="Inputs" empty="This step takes nothing." parameters={node.inputs?.parameters ?? []}>
        {(node.inputs?.artifacts ?? []).map((artifact) => <InputRow key={artifact.name} run={run} artifact={artifact} nodes={nodes} />)}
      </Section>
      <Section title="Outputs" empty={node.finishedAt ? "This step gave nothing on." : "Nothing yet: outputs are there when the step has ended."} parameters={[...(node.outputs?.parameters ?? []), ...result]}>
        {(node.outputs?.artifacts ?? []).filter((artifact) => artifact.key).map((artifact) => <ArtifactRow key={artifact.name} run={run} node={node.id} artifact={artifact} name={artifact.name} />)}
      </Section>
    </div>
  );
}

function Section({ title, empty, parameters, children }: { title: string; empty: string; parameters: Parameter[]; children: unknown[] }) {
  const none = !parameters.length && !children.length;
  return (
    <section aria-label={title}>
      <h4>{title}</h4>
      {none ? <p className="muted">{empty}</p> : <ul className="rows">{parameters.map((one) => <ParameterRow key={one.name} parameter={one} />)}{children as never}</ul>}
    </section>
  );
}

function ParameterRow({ parameter }: { parameter: Parameter }) {
  const value = parameter.value ?? "";
  return (
    <li>
      <span className="row-name" title={parameter.name}>{parameter.name}</span>
      <code className="row-value">{value || <span className="muted">empty</span>}</code>
      <Copy text={value} />
    </li>
  );
}

function ArtifactRow({ run, node, artifact, name }: { run: string; node: string; artifact: Artifact; name: string }) {
  const href = url(`/runs/${run}/nodes/${node}/artifacts/${encodeURIComponent(artifact.name)}`);
  return (
    <li>
      <span className="row-name" title={name}>{name}</span>
      <span className="row-value">
        <a href={href} target="_blank" rel="noreferrer" aria-label={`Open ${name}`}>{artifact.directory ? "Folder" : "Open"}</a>
        {artifact.size !== undefined && <span className="muted"> {size(artifact.size)}</span>}
        {artifact.path && <code className="muted path">{artifact.path}</code>}
      </span>
      <a className="row-act" href={`${href}?download=1`} download aria-label={`Download ${name}`}>Download</a>
    </li>
  );
}

/** An input is an output of another step: say of which. */
function InputRow({ run, artifact, nodes }: { run: string; artifact: Artifact; nodes: Node[] }) {
  const maker = artifact.key ? nodes.find((node) => node.type !== "DAG" && node.outputs?.artifacts?.some((one) => one.key === artifact.key)) : undefined;
  const made = maker?.outputs?.artifacts?.find((one) => one.key === artifact.key);
  if (!maker || !made) {
    return <li><span className="row-name">{artifact.name}</span><span className="row-value muted">{artifact.raw !== undefined ? <code>{artifact.raw}</code> : artifact.key || "not given"}</span></li>;
  }
  return (
    <>
      <ArtifactRow run={run} node={maker.id} artifact={{ ...made, path: artifact.path ?? "" }} name={artifact.name} />
      <li className="from"><span className="muted">made by</span> <Link href={here({ node: maker.id, panel: "data", attempt: undefined })}>{label(maker)}</Link></li>
    </>
  );
}
