// One card a view: title, the step that it is from, full screen, its data to keep.
import { useRef } from "react";
import type { View } from "../../../api";
import { BadOutput } from "./BadOutput";
import { Html } from "./Html";
import { Markdown } from "./Markdown";
import { Matrix } from "./Matrix";
import { Roc } from "./Roc";
import { TableView } from "./TableView";
import { asCsv, save, saveDrawing } from "./save";
import "./views.css";

const TITLES: Record<View["kind"], string> = {
  roc: "ROC",
  confusion_matrix: "Confusion matrix",
  table: "Table",
  markdown: "Notes",
  "web-app": "Report",
  tensorboard: "TensorBoard",
  error: "Output that cannot be shown",
};

/** `from` says what the view is from where that is not plain: the round of a loop. */
export default function Card({ run, view, from = "" }: { run: string; view: View; from?: string }) {
  const box = useRef<HTMLElement>(null);
  const title = view.title || TITLES[view.kind] || view.kind;
  const csv = asCsv(view);
  const drawn = view.kind === "roc";
  return (
    <article className={`card card-${view.kind}`} ref={box} aria-label={[title, view.step, from].filter(Boolean).join(", ")}>
      <header>
        <h4>{title}</h4>
        {(from || view.step) && <span className="muted card-step">{from || view.step}</span>}
        <span className="grow" />
        {csv && <button type="button" className="quiet" onClick={() => save(`${title}.csv`, "text/csv", csv)}>CSV</button>}
        {drawn && <button type="button" className="quiet" onClick={() => saveDrawing(`${title}.svg`, box.current?.querySelector("svg"))}>SVG</button>}
        <button type="button" className="quiet" aria-label={`${title}: full screen`} title="Full screen" onClick={() => void toggle(box.current)}>⤢</button>
      </header>
      <div className="card-body">
        <Body run={run} view={view} />
      </div>
    </article>
  );
}

function Body({ run, view }: { run: string; view: View }) {
  switch (view.kind) {
    case "roc":
      return <Roc view={view} />;
    case "confusion_matrix":
      return <Matrix view={view} />;
    case "table":
      return <TableView view={view} />;
    case "markdown":
      return <Markdown view={view} />;
    case "web-app":
      return <Html run={run} view={view} />;
    case "tensorboard":
      return <p>Event files for TensorBoard lie at <code>{view.source}</code>. Point a TensorBoard at them: <code>tensorboard --logdir {view.source}</code></p>;
    case "error":
      return <BadOutput view={view} />;
    default:
      return <BadOutput view={{ kind: "error", message: `This page has no drawing for the kind "${(view as View).kind}".` }} />;
  }
}

const toggle = (element: HTMLElement | null) => (document.fullscreenElement ? document.exitFullscreen() : element?.requestFullscreen());
