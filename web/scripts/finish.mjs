// After the build: lay a .gz beside each file, and hold the shell (HTML, first scripts, styles) to its budget.
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const SHELL = 60 * 1024;
const out = process.env.PENSTOCK_WEB_OUT ?? new URL("../../src/penstock/web", import.meta.url).pathname;

const files = (folder) =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });

const manifest = JSON.parse(readFileSync(join(out, "manifest.json"), "utf8"));
rmSync(join(out, "manifest.json"));

const sizes = new Map();
for (const path of files(out).filter((path) => /\.(html|js|css|svg|json)$/.test(path))) {
  const packed = gzipSync(readFileSync(path), { level: 9 });
  writeFileSync(`${path}.gz`, packed);
  sizes.set(path.slice(out.length + 1), packed.length);
}

const shell = new Set(["index.html", "theme.js"]);
const follow = (key) => {
  const chunk = manifest[key];
  if (shell.has(chunk.file)) return;
  shell.add(chunk.file);
  (chunk.css ?? []).forEach((file) => shell.add(file));
  (chunk.imports ?? []).forEach(follow);
};
follow("index.html");

const total = [...shell].reduce((sum, file) => sum + (sizes.get(file) ?? 0), 0);
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
for (const [file, size] of sizes) console.log(`${shell.has(file) ? "shell" : "later"}  ${kib(size).padStart(10)}  ${file}`);
console.log(`shell, gzipped: ${kib(total)} of ${kib(SHELL)}`);
// React itself is larger; that it builds is all that is asked of it.
if (total > SHELL && !process.env.PENSTOCK_REACT) {
  console.error(`The page's shell is ${kib(total)}, more than ${kib(SHELL)}. Load something later, or leave it out.`);
  process.exit(1);
}
