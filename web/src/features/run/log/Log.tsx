// The log of a step. Only the rows in sight exist; 100,000 lines feel like 100.
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type WheelEvent } from "react";
import { Link } from "wouter";
import type { Node } from "../../../api";
import { plural } from "../../../shared/format";
import { useKeys, useSize } from "../../../shared/hooks";
import { url } from "../../../shared/http";
import { Problem } from "../../../shared/parts";
import { active, broken, markOf } from "../../../shared/state";
import { here, useParams } from "../../../shared/url";
import { pieces } from "./ansi";
import { folded, lastError, matches, plain, settled, type Line } from "./parse";
import { useLog } from "./useLog";

const ROW = 20;
const SPARE = 20;

export default function Log({ run, node }: { run: string; node: Node }) {
  const [params, setParams] = useParams();
  const going = active(markOf(node.phase));
  const log = useLog(run, node.id, going);
  const query = params.get("q") ?? "";
  const found = useMemo(() => matches(log.lines, query), [log.lines, log.version, query]);
  const wanted = Number(params.get("L")) || undefined;
  const failed = broken(markOf(node.phase));
  const target = wanted ?? (failed && log.done ? lastError(log.lines) + 1 || undefined : undefined);
  const times = params.get("times") === "1";
  const scroll = useScroll(log.lines.length, log.version, target, going);
  const step = useSteps(found, scroll.jump);

  return (
    <div className="log">
      <div className="log-bar">
        <input
          type="search"
          aria-label="Search the log"
          placeholder="Search the log"
          value={query}
          onChange={(event) => setParams({ q: event.currentTarget.value }, true)}
          onKeyDown={(event) => {
            if (event.key === "Enter") step.go(event.shiftKey ? -1 : 1);
            if (event.key === "Escape") event.currentTarget.blur();
          }}
        />
        {query && <span className="muted" role="status">{found.length ? `${step.at + 1} of ${found.length}` : "none"}</span>}
        <span className="grow" />
        <button type="button" className="quiet" aria-pressed={times} onClick={() => setParams({ times: times ? undefined : "1" }, true)}>Times</button>
        <button type="button" className="quiet" aria-pressed={scroll.follow} onClick={scroll.toEnd} title="Follow (f)">Follow</button>
        <a className="button quiet" href={`${url(`/runs/${run}/nodes/${node.id}/log`)}?download=1`} download={`${node.id}.log`}>Download</a>
      </div>
      {log.error ? <Problem error={log.error} what="The log" /> : null}
      {failed && log.done && <Reason lines={log.lines} />}
      <div className="log-area" ref={scroll.area} {...scroll.on} tabIndex={0} role="log" aria-label="Log" aria-live="off">
        {log.lines.length === 0 && (log.done || log.version > 0 || !going) && <p className="log-none muted">{log.done ? "This step wrote nothing." : "Nothing written yet."}</p>}
        <div className="log-all" style={{ height: log.lines.length * ROW }}>
          <div className="log-seen" style={{ transform: `translateY(${scroll.from * ROW}px)` }}>
            {log.lines.slice(scroll.from, scroll.to).map((line, i) => (
              <Row key={scroll.from + i} n={scroll.from + i + 1} line={line} times={times} query={query} chosen={scroll.from + i + 1 === target} current={found[step.at] === scroll.from + i} />
            ))}
          </div>
        </div>
      </div>
      {!scroll.follow && going && scroll.waiting > 0 && (
        <button type="button" className="log-more primary" onClick={scroll.toEnd}>{plural(scroll.waiting, "new line")} ↓</button>
      )}
    </div>
  );
}

/** The line that tells why the step failed, whole: in the log below it may run out of sight. */
function Reason({ lines }: { lines: readonly Line[] }) {
  const at = lastError(lines);
  const line = lines[at];
  if (!line) return null;
  return (
    <p className="log-reason">
      <Link href={here({ L: String(at + 1), panel: "log" })} replace>Line {at + 1}</Link> {plain(settled(line.text))}
    </p>
  );
}

function Row({ n, line, times, query, chosen, current }: { n: number; line: Line; times: boolean; query: string; chosen: boolean; current: boolean }) {
  const text = settled(line.text);
  const json = folded(text);
  return (
    <div className={`log-row ${line.stream} ${chosen ? "is-chosen" : ""} ${current ? "is-current" : ""}`} title={json ? text : undefined}>
      <Link className="log-n" href={here({ L: String(n), panel: "log" })} replace tabIndex={-1} aria-label={`Line ${n}`}>{n}</Link>
      {line.stream === "stderr" && <span className="unseen">stderr: </span>}
      {times && <span className="log-time">{clock(line.time)}</span>}
      <span className="log-text">
        {json ? <><span className={`level level-${json.level}`}>{json.level}</span> <Found text={json.message} query={query} /></> : pieces(text).map((piece, i) => (
          <span key={i} className={piece.classes || undefined} style={piece.color || piece.background ? { color: piece.color, backgroundColor: piece.background } : undefined}>
            <Found text={piece.text} query={query} />
          </span>
        ))}
      </span>
    </div>
  );
}

function Found({ text, query }: { text: string; query: string }) {
  if (!query) return <>{text}</>;
  const parts = text.split(new RegExp(`(${query.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")})`, "i"));
  return <>{parts.map((part, i) => (i % 2 ? <mark key={i}>{part}</mark> : part))}</>;
}

const clock = (time: string) => (time ? new Date(time).toLocaleTimeString(undefined, { hour12: false, fractionalSecondDigits: 3 } as Intl.DateTimeFormatOptions) : "");

/** Which rows are in sight, and whether the end is followed: scrolling up stops that, the end starts it again. */
function useScroll(count: number, version: number, target: number | undefined, going: boolean) {
  const area = useRef<HTMLDivElement>(null);
  const { height } = useSize(area);
  const [top, setTop] = useState(0);
  const [follow, setFollow] = useState(going && target === undefined);
  const seen = useRef(0);
  const end = useCallback(() => {
    const element = area.current;
    if (element) element.scrollTop = element.scrollHeight;
  }, []);
  const jump = useCallback((line: number) => {
    const element = area.current;
    setFollow(false);
    if (element) element.scrollTop = Math.max(0, line * ROW - element.clientHeight / 2);
  }, []);
  // Before the frame is painted: between frames it would undo a scroll that nobody has heard of yet.
  useLayoutEffect(() => {
    if (follow) {
      end();
      seen.current = count;
    }
  }, [follow, version, count, height, end]);
  const aimed = useRef<number | undefined>(undefined);
  useEffect(() => {
    if (target === undefined || aimed.current === target || count < target || !height) return;
    aimed.current = target;
    jump(target - 1);
  }, [target, count, height, jump]);
  const onScroll = () => {
    const element = area.current;
    if (!element) return;
    const bottom = element.scrollTop + element.clientHeight >= element.scrollHeight - 4;
    if (element.scrollTop < top - 2 && !bottom) setFollow(false);
    else if (bottom && going) setFollow(true);
    setTop(element.scrollTop);
  };
  const onWheel = (event: WheelEvent) => event.deltaY < 0 && setFollow(false);
  const onKeyDown = (event: KeyboardEvent) => ["ArrowUp", "PageUp", "Home"].includes(event.key) && setFollow(false);
  const toEnd = () => {
    setFollow(true);
    end();
  };
  useKeys({ f: () => (toEnd(), true) });
  const from = Math.max(0, Math.floor(top / ROW) - SPARE);
  return { area, on: { onScroll, onWheel, onKeyDown }, follow, toEnd, jump, from, to: from + Math.ceil((height || 400) / ROW) + 2 * SPARE, waiting: count - seen.current };
}

/** `n` and `N` walk over the matches. */
function useSteps(found: number[], jump: (line: number) => void) {
  const [index, setIndex] = useState(0);
  const at = Math.min(index, Math.max(0, found.length - 1));
  const go = (by: number) => {
    if (!found.length) return false;
    const next = (at + by + found.length) % found.length;
    setIndex(next);
    jump(found[next]!);
    return true;
  };
  useKeys({ n: () => go(1), N: () => go(-1) });
  return { at, go };
}
