import { useRef, useState } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { useLocation } from "wouter";
import type { Pipeline } from "../../api";
import { send } from "../../shared/http";
import { Problem } from "../../shared/parts";

/** A button that takes a file and sends it; what the server says against it stands beside. */
export function Upload({ label, path, primary = false }: { label: string; path: (file: File) => string; primary?: boolean }) {
  const field = useRef<HTMLInputElement>(null);
  const client = useQueryClient();
  const [, go] = useLocation();
  const [busy, setBusy] = useState("");
  const [error, setError] = useState<unknown>();
  const upload = async (file: File) => {
    const form = new FormData();
    form.append("uploadfile", file);
    setBusy(file.name);
    setError(undefined);
    try {
      const made = await send<Pipeline>("POST", path(file), form);
      // At once: whoever goes on while the lists are fetched anew must not be called back.
      if (made.pipeline_id) go(`/pipelines/${made.pipeline_id}`);
      await client.invalidateQueries();
    } catch (reason) {
      setError(reason);
    }
    setBusy("");
    if (field.current) field.current.value = "";
  };
  return (
    <>
      {error ? <Problem error={error} what="The upload" /> : null}
      <input ref={field} type="file" accept=".yaml,.yml,.json,.zip,.gz,.tgz" className="unseen" tabIndex={-1} aria-label={`${label}: file`} onChange={(event) => {
        const file = event.currentTarget.files?.[0];
        if (file) void upload(file);
      }} />
      <button type="button" className={primary ? "primary" : undefined} disabled={!!busy} onClick={() => field.current?.click()}>{busy ? `Uploading ${busy}` : label}</button>
    </>
  );
}
