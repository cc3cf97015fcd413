// The rail, the row with the breadcrumb, the keys that work everywhere.
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "wouter";
import { useExperiment, usePipeline, useRun } from "../shared/data";
import { useKeys } from "../shared/hooks";
import { Keys } from "./Keys";
import { nextTheme, useTheme } from "./theme";

const PLACES = [
  { href: "/runs", label: "Runs", key: "r", icon: "M3 4h2m3 0h9M3 10h2m3 0h9M3 16h2m3 0h9" },
  { href: "/pipelines", label: "Pipelines", key: "p", icon: "M4 3h5v4H4zM11 13h5v4h-5zM6.500 7v3h7v3" },
  { href: "/experiments", label: "Experiments", key: "e", icon: "M8 3h4M9 3v5L4.500 16.500h11L11 8V3M6.500 13h7" },
];

export function Frame({ children }: { children: ReactNode }) {
  const [help, setHelp] = useState(false);
  useEverywhere(() => setHelp(true));
  return (
    <div className="frame">
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <Rail onHelp={() => setHelp(true)} />
      <Top />
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      {help && <Keys onClose={() => setHelp(false)} />}
    </div>
  );
}

function Rail({ onHelp }: { onHelp: () => void }) {
  const [at] = useLocation();
  const [theme, setTheme] = useTheme();
  return (
    <nav className="rail" aria-label="Pages">
      <Link href="/runs" className="brand" aria-label="Penstock">
        <img src="/icon.svg" alt="" width="22" height="22" />
        <span>Penstock</span>
      </Link>
      {PLACES.map((place) => (
        <Link key={place.href} href={place.href} title={`${place.label} (g ${place.key})`} aria-current={at.startsWith(place.href) ? "page" : undefined}>
          <Icon d={place.icon} />
          <span>{place.label}</span>
        </Link>
      ))}
      <div className="rail-foot">
        <button type="button" onClick={() => setTheme(nextTheme(theme))} title={`Theme: ${theme}`}>
          <Icon d="M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14" />
          <span>Theme: {theme}</span>
        </button>
        <button type="button" onClick={onHelp} title="Keys (?)">
          <Icon d="M3 6h14v9H3zM6 9h.1M10 9h.1M14 9h.1M7 12h6" />
          <span>Keys</span>
        </button>
      </div>
    </nav>
  );
}

function Icon({ d }: { d: string }) {
  return (
    <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true" className="icon">
      <path d={d} />
    </svg>
  );
}

/** The breadcrumb is the title of the page. */
function Top() {
  const [at] = useLocation();
  const [, page = "runs", id] = at.split("/");
  const place = PLACES.find((one) => one.href === `/${page}`);
  const inside = useInside(page, id);
  return (
    <header className="top">
      <h1>
        {inside === undefined ? (
          (place?.label ?? "Penstock")
        ) : (
          <>
            <Link href={place?.href ?? "/runs"}>{place?.label}</Link>
            <span className="sep" aria-hidden="true">
              /
            </span>
            <span id="crumb">{inside}</span>
          </>
        )}
      </h1>
      <Version />
    </header>
  );
}

/** What the page below a list is about: undefined on the list itself, "" until its name is known. */
function useInside(page: string, id: string | undefined): string | undefined {
  const on = (wanted: string) => (page === wanted && id && id !== "new" ? id : "");
  const run = useRun(on("runs"));
  const pipeline = usePipeline(on("pipelines"));
  const experiment = useExperiment(on("experiments"));
  if (!id) return undefined;
  if (id === "new") return "New run";
  return (run.data ?? pipeline.data ?? experiment.data)?.display_name ?? pipeline.data?.name ?? "";
}

/** Says so when the server is away, since when, and mends itself. */
function Version() {
  const seen = useRef(Date.now());
  const health = useQuery({
    queryKey: ["health"],
    queryFn: async () => {
      const answer = await fetch("/healthz");
      if (!answer.ok) throw new Error(answer.statusText);
      seen.current = Date.now();
      return (await answer.json()) as { version?: string };
    },
    refetchInterval: 5000,
    retry: false,
  });
  if (health.isError) {
    return (
      <p className="lost" role="status">
        No connection to Penstock. Last news {new Date(seen.current).toLocaleTimeString()}; this page goes on by itself when it is back.
      </p>
    );
  }
  return <span className="muted version">{health.data?.version ? `v${health.data.version}` : ""}</span>;
}

function useEverywhere(onHelp: () => void): void {
  const [, go] = useLocation();
  const leader = useRef(0);
  const to = (href: string) => () => {
    if (Date.now() - leader.current > 1200) return false;
    go(href);
    return true;
  };
  useKeys({
    g: () => ((leader.current = Date.now()), true),
    r: to("/runs"),
    p: to("/pipelines"),
    e: to("/experiments"),
    "?": () => (onHelp(), true),
    "/": () => focusSearch(),
    j: () => moveRow(1),
    k: () => moveRow(-1),
  });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key === "k" && (event.ctrlKey || event.metaKey) && focusSearch()) event.preventDefault();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}

function focusSearch(): boolean {
  const field = document.querySelector<HTMLInputElement>("input[type=search]");
  field?.focus();
  field?.select();
  return !!field;
}

/** `j` and `k` walk over whatever the page marks as rows. */
function moveRow(by: number): boolean {
  const rows = [...document.querySelectorAll<HTMLElement | SVGElement>("[data-row]")];
  const at = rows.findIndex((row) => row === document.activeElement);
  const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by))];
  next?.focus();
  return !!next;
}
