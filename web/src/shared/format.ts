// Numbers, times and sizes as the page writes them.

export function duration(seconds: number): string {
  if (seconds > 0 && seconds < 0.0995) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} m ${two(s % 60)} s`;
  const m = Math.round(seconds / 60);
  return `${Math.floor(m / 60)} h ${two(m % 60)} m`;
}

const two = (n: number) => String(n).padStart(2, "0");

export function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  let value = bytes;
  while (value >= 1024 && at < units.length - 1) [value, at] = [value / 1024, at + 1];
  return `${at ? value.toFixed(1) : value} ${units[at]}`;
}

/** A metric to four significant digits; percentages times a hundred. */
export function metric(value: number | null, format = "RAW"): string {
  if (value === null) return "not a number";
  return format === "PERCENTAGE" ? `${significant(value * 100)} %` : significant(value);
}

export function significant(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e7 || size < 1e-4) return value.toExponential(3);
  return String(Number(value.toPrecision(size >= 1000 ? 7 : 4)));
}

/** Seconds since the epoch of an RFC 3339 text or a number of seconds; undefined where there is none. */
export function seconds(time: string | number | undefined | null): number | undefined {
  if (time === undefined || time === null || time === "") return undefined;
  const value = typeof time === "number" ? time : Date.parse(time) / 1000;
  return Number.isFinite(value) ? value : undefined;
}

export function ago(time: number, now: number): string {
  const s = Math.max(0, now - time);
  if (s < 45) return "just now";
  if (s < 3600) return `${Math.max(1, Math.round(s / 60))} min ago`;
  if (s < 86_400) return `${Math.round(s / 3600)} h ago`;
  if (s < 86_400 * 14) return `${Math.round(s / 86_400)} d ago`;
  return new Date(time * 1000).toLocaleDateString();
}

export const fullTime = (time: number) =>
  new Date(time * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });

export const plural = (n: number, one: string, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;
