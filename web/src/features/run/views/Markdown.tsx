import { useMemo } from "react";
import DOMPurify from "dompurify";
import { Marked } from "marked";
import type { MarkdownView } from "../../../api";

// Raw HTML is shown as the text that it is.
const marked = new Marked({ gfm: true, renderer: { html: ({ text }) => escaped(text) } });
const purify = DOMPurify(window);
purify.addHook("afterSanitizeAttributes", (element) => {
  if (element.tagName !== "A") return;
  element.setAttribute("target", "_blank");
  element.setAttribute("rel", "noopener noreferrer");
});

const escaped = (text: string) => text.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c] ?? c);

export function Markdown({ view }: { view: MarkdownView }) {
  const html = useMemo(() => purify.sanitize(marked.parse(view.text, { async: false }), { FORBID_TAGS: ["style", "form", "input"], FORBID_ATTR: ["style"] }), [view.text]);
  return (
    <>
      <div className="markdown" dangerouslySetInnerHTML={{ __html: html }} />
      {view.truncated && <p className="muted">Cut here: the text is longer than is shown.</p>}
    </>
  );
}
