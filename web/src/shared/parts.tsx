// Small parts that every page uses.
import { useEffect, useRef, useState, type ReactNode } from "react";
import { Link } from "wouter";
import { ago, fullTime } from "./format";
import { ApiError } from "./http";
import { useKeys, useLater } from "./hooks";

export function Copy({ text, label = "Copy" }: { text: string; label?: string }) {
  const [done, setDone] = useState(false);
  const copy = () => {
    void navigator.clipboard?.writeText(text).then(() => setDone(true));
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <button type="button" className="quiet" onClick={copy}>
      {done ? "Copied" : label}
    </button>
  );
}

/** Lines for a terminal, with a button that copies them. */
export function Command({ lines, label }: { lines: string; label: string }) {
  return (
    <div className="command">
      <pre tabIndex={0} aria-label={label}>
        <code>{lines}</code>
      </pre>
      <Copy text={lines} />
    </div>
  );
}

export interface Tab { id: string; label: string; count?: number }

/** Tabs that are links: each has its address. `[` and `]` step through the set that has `keys`. */
export function Tabs({ tabs, at, href, go, label, keys = false }: {
  tabs: Tab[];
  at: string;
  href: (id: string) => string;
  go: (id: string) => void;
  label: string;
  keys?: boolean;
}) {
  const step = (by: number) => {
    const next = tabs[tabs.findIndex((tab) => tab.id === at) + by];
    if (keys && next) go(next.id);
    return keys;
  };
  useKeys(keys ? { "[": () => step(-1), "]": () => step(1) } : {});
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <Link key={tab.id} href={href(tab.id)} replace aria-current={tab.id === at ? "page" : undefined}>
          <span className="tab-label" data-label={tab.label}>{tab.label}</span>
          {tab.count ? <span className="count">{tab.count}</span> : null}
        </Link>
      ))}
    </nav>
  );
}

export function Time({ at, now }: { at: number | undefined; now: number }) {
  if (at === undefined) return <span className="muted">–</span>;
  return (
    <time dateTime={new Date(at * 1000).toISOString()} title={fullTime(at)}>
      {ago(at, now)}
      <span className="unseen"> ({fullTime(at)})</span>
    </time>
  );
}

/** What went wrong, to what, and what to do. */
export function Problem({ error, what }: { error: unknown; what: string }) {
  const message = error instanceof Error ? error.message : String(error);
  const missing = error instanceof ApiError && error.status === 404;
  return (
    <div className="problem" role="alert">
      <strong>{missing ? `${what} is not there.` : `${what}: that did not work.`}</strong> {message}
    </div>
  );
}

export function Skeleton({ rows = 6 }: { rows?: number }) {
  const late = useLater();
  if (!late) return null;
  return (
    <div className="skeleton" aria-label="Loading" role="status">
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} />
      ))}
    </div>
  );
}

/** A question about something that cannot be undone; names what goes. */
export function Confirm({ title, children, verb, onYes, onNo }: {
  title: string;
  children: ReactNode;
  verb: string;
  onYes: () => void;
  onNo: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} onClose={onNo} aria-labelledby="confirm-title">
      <h2 id="confirm-title">{title}</h2>
      {children}
      <div className="actions">
        <button type="button" onClick={onNo}>
          Keep
        </button>
        <button type="button" className="danger" onClick={onYes}>
          {verb}
        </button>
      </div>
    </dialog>
  );
}

/** Names and values, one a row. */
export function Facts({ rows }: { rows: [string, ReactNode][] }) {
  const shown = rows.filter(([, value]) => value !== undefined && value !== "" && value !== null);
  return (
    <dl className="facts">
      {shown.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
