import { Link } from "wouter";
import { Command } from "../../shared/parts";

/** Nothing there yet: the two lines that make the first one. */
export function FirstRun({ experiment, name }: { experiment: string; name: string }) {
  return (
    <div className="page">
      <div className="empty">
        <h2>{experiment ? `No run in ${name} yet` : "No run yet"}</h2>
        <p>These two lines make the first one; it appears here by itself.</p>
        <Command
          label="Commands that make the first run"
          lines={"penstock compile pipeline.py -o pipeline.yaml\npenstock run pipeline.yaml"}
        />
        <p className="muted">
          No pipeline at hand? <code>make demo</code> runs the two examples. A pipeline that is already here starts under{" "}
          <Link href={experiment ? `/runs/new?experiment=${experiment}` : "/runs/new"}>New run</Link>.
        </p>
      </div>
    </div>
  );
}
