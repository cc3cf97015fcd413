// State that lives in the address: one search parameter per thing.
import { useCallback } from "react";
import { useLocation, useSearch } from "wouter";

type Change = Record<string, string | undefined>;

/** The search parameters, and a setter that keeps the others. `replace` where Back should not stop. */
export function useParams(): [URLSearchParams, (change: Change, replace?: boolean) => void] {
  const search = useSearch();
  const [, go] = useLocation();
  const set = useCallback(
    (change: Change, replace = false) => {
      // From the address itself: two changes in one tick must not undo each other.
      const next = changed(window.location.search, change);
      if (next !== window.location.search) go(window.location.pathname + next, { replace });
    },
    [go],
  );
  return [new URLSearchParams(search), set];
}

export function changed(search: string, change: Change): string {
  const params = new URLSearchParams(search);
  for (const [key, value] of Object.entries(change)) {
    if (value === undefined || value === "") params.delete(key);
    else params.set(key, value);
  }
  const text = params.toString();
  return text ? `?${text}` : "";
}

/** A link that changes one parameter of this page. */
export const here = (change: Change) => window.location.pathname + changed(window.location.search, change);
