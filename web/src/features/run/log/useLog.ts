import { useEffect, useRef, useState } from "react";
import { ApiError, reach } from "../../../shared/http";
import { LogReader, type Line } from "./parse";

export interface Reading { lines: readonly Line[]; version: number; done: boolean; error?: unknown }

/** The log of a node, as it comes in; `follow` goes on until the step ends. */
export function useLog(run: string, node: string, follow: boolean): Reading {
  const [state, setState] = useState<Reading>({ lines: [], version: 0, done: false });
  // Decided once: a step that ends while it is read needs no second reading.
  const live = useRef(follow);
  useEffect(() => {
    const stop = new AbortController();
    const reader = new LogReader();
    let waiting = 0;
    const show = (done: boolean, error?: unknown) => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(() => setState((old) => ({ lines: reader.lines, version: old.version + 1, done, error })));
    };
    read(`/runs/${run}/nodes/${node}/log${live.current ? "?follow=1" : ""}`, reader, stop.signal, () => show(false))
      .then(() => show(true))
      .catch((error: unknown) => {
        if (stop.signal.aborted) return;
        // No log is an empty log: the step was never started, or wrote nothing.
        const none = error instanceof ApiError && error.status === 404;
        show(true, none ? undefined : error);
      });
    return () => stop.abort();
  }, [run, node]);
  return state;
}

async function read(path: string, reader: LogReader, signal: AbortSignal, onMore: () => void): Promise<void> {
  const answer = await reach(path, { signal });
  const body = answer.body?.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = (await body?.read()) ?? { done: true, value: undefined };
    reader.push(decoder.decode(value, { stream: !done }));
    if (done) break;
    onMore();
  }
  reader.end();
}
