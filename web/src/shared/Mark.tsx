// Status: a shape first, then a colour, then a word. Drawn here and nowhere else.
import { WORDS, type Mark as Kind } from "./state";

/** `word` shows the word beside the shape; else it is said to screen readers only. */
export function Mark({ kind, word = false, size = 16 }: { kind: Kind; word?: boolean; size?: number }) {
  return (
    <span className={`mark mark-${kind}`} title={word ? undefined : WORDS[kind]}>
      <svg viewBox="0 0 16 16" width={size} height={size} aria-hidden="true">
        <Shape kind={kind} />
      </svg>
      <span className={word ? "mark-word" : "unseen"}>{WORDS[kind]}</span>
    </span>
  );
}

/** The shape alone, for use inside another drawing: 16 by 16. */
export function Shape({ kind }: { kind: Kind }) {
  switch (kind) {
    case "succeeded":
      return <path className="stroke" d="M3 8.6 6.4 12 13 4.6" />;
    case "failed":
      return (
        <>
          <circle className="fill" cx="8" cy="8" r="7" />
          <path className="cut" d="m5.3 5.3 5.4 5.4m0-5.4-5.4 5.4" />
        </>
      );
    case "error":
      return (
        <>
          <path className="fill" d="M8 1.2 15.4 14.4H.6Z" />
          <path className="cut" d="M8 6v4m0 1.9v.2" />
        </>
      );
    case "running":
    case "stopping":
      return (
        <>
          <circle className="ring" cx="8" cy="8" r="5.8" />
          <path className="stroke turning" d="M8 2.2A5.8 5.8 0 0 1 13.8 8" />
        </>
      );
    case "skipped":
      return (
        <>
          <circle className="thin" cx="8" cy="8" r="5.8" />
          <path className="thin" d="m3.9 12.1 8.2-8.2" />
        </>
      );
    case "stopped":
      return <rect className="thin" x="3" y="3" width="10" height="10" rx="1.5" />;
    case "omitted":
    case "waiting":
      return <circle className="thin dotted" cx="8" cy="8" r="5.8" />;
    case "pending":
      return <circle className="thin" cx="8" cy="8" r="5.8" />;
  }
}
