// Shared, then features, then app: what may import what.
import { expect, test } from "vitest";

const SOURCES = import.meta.glob<string>("../src/**/*.{ts,tsx}", { query: "?raw", import: "default", eager: true });
const FILES = Object.keys(SOURCES).map((path) => path.replace("../src/", ""));

/** `shared`, `app`, `features/<name>`, or the file itself where it lies at the top. */
const room = (file: string) => (/^features\/[^/]+/.exec(file) ?? /^[^/]+/.exec(file))?.[0].replace(/\.ts$/, "") ?? file;

const imports = (file: string) =>
  [...(SOURCES[`../src/${file}`] ?? "").matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(([, to = ""]) => new URL(to, `file:///${file}`).pathname.slice(1));

function allowed(from: string, to: string): boolean {
  if (from === to || to === "api" || to === "shared") return true;
  return from === "app" && to.startsWith("features/");
}

test("there is something to look at", () => expect(FILES.length).toBeGreaterThan(30));

test.each(FILES)("%s imports only what lies below it", (file) => {
  expect(imports(file).filter((to) => !allowed(room(file), room(to)))).toEqual([]);
});
