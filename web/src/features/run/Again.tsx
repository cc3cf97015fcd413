// A button that makes a new run of one that has ended, and goes there.
import { useState, type ReactNode } from "react";
import { useLocation } from "wouter";
import type { Run } from "../../api";
import { send } from "../../shared/http";
import { Problem } from "../../shared/parts";

interface Props { run: Run; path: string; body: unknown; what: string; title: string; children: ReactNode }

export function Again({ run, path, body, what, title, children }: Props) {
  const [, go] = useLocation();
  const [error, setError] = useState<unknown>();
  const begin = async () => {
    setError(undefined);
    await send<Run>("POST", `/runs/${run.run_id}${path}`, body).then((made) => go(`/runs/${made.run_id}`), setError);
  };
  return (
    <>
      <button type="button" onClick={() => void begin()} title={title}>{children}</button>
      {error ? <Problem error={error} what={what} /> : null}
    </>
  );
}
