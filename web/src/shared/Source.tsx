import { useMemo } from "react";
import { Copy } from "./parts";
import { yaml } from "./yaml";
import "./source.css";

/** A document to read, copy and keep. */
export default function Source({ document, name }: { document: unknown; name: string }) {
  const text = useMemo(() => yaml(document), [document]);
  const save = () => {
    const link = window.document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
    link.download = `${name}.yaml`;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <div className="source">
      <div className="actions">
        <Copy text={text} />
        <button type="button" className="quiet" onClick={save}>Download {name}.yaml</button>
      </div>
      <pre tabIndex={0} aria-label={`Source of ${name}`}><code>{text}</code></pre>
    </div>
  );
}
