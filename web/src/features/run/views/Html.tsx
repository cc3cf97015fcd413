// Step-made HTML: in a frame that can neither reach this page nor its cookies (no `allow-same-origin`). The server
// gives the document a policy of its own; this page's policy forbids inline scripts and would hold for `srcdoc` too.
import { useLayoutEffect, useRef, useState, type CSSProperties } from "react";
import type { WebAppView } from "../../../api";
import { url } from "../../../shared/http";

const TALLEST = 4000;

export function Html({ run, view }: { run: string; view: WebAppView }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const height = useToldHeight(frame);
  if (view.truncated) return <p className="muted">This report is too large to be shown here. It is under the step's data.</p>;
  const src = url(`/runs/${run}/nodes/${view.node_id ?? ""}/views/${view.index ?? 0}/html`);
  const style = height ? ({ "--told": `${height}px` } as CSSProperties) : undefined;
  return <iframe ref={frame} className="html-view" style={style} title={view.title || `Report of ${view.step || "a step"}`} sandbox="allow-scripts" src={src} />;
}

/** The height that the frame's document says it has. Nothing else is taken from it. */
function useToldHeight(frame: { current: HTMLIFrameElement | null }): number | undefined {
  const [height, setHeight] = useState<number>();
  // Before the frame can load: out of sight it tells its height but once.
  useLayoutEffect(() => {
    const hear = (event: MessageEvent<{ height?: unknown } | null>) => {
      const told = Number(event.data?.height);
      if (event.source === frame.current?.contentWindow && told > 0) setHeight(Math.min(TALLEST, Math.ceil(told)));
    };
    window.addEventListener("message", hear);
    return () => window.removeEventListener("message", hear);
  }, [frame]);
  return height;
}
