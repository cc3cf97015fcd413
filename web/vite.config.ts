// The page is written against React's interface and built with Preact; PENSTOCK_REACT=1 builds it with React itself,
// which must stay possible.
import { defineConfig } from "vitest/config";

const preact = {
  "react/jsx-runtime": "preact/jsx-runtime",
  "react/jsx-dev-runtime": "preact/jsx-runtime",
  "react-dom/client": "preact/compat/client",
  "react-dom/test-utils": "preact/test-utils",
  "react-dom": "preact/compat",
  react: "preact/compat",
};

export default defineConfig({
  resolve: { alias: process.env.PENSTOCK_REACT ? {} : preact },
  oxc: { jsx: { runtime: "automatic", importSource: "react" } },
  build: {
    outDir: process.env.PENSTOCK_WEB_OUT ?? "../src/penstock/web",
    emptyOutDir: true,
    target: "es2022",
    // The server forbids inline scripts and data: sources.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: "manifest.json",
    chunkSizeWarningLimit: 200,
    // A library's "use client" means nothing here.
    rollupOptions: { onwarn: (warning, warn) => warning.code !== "MODULE_LEVEL_DIRECTIVE" && warn(warning) },
  },
  server: { proxy: { "/apis": "http://127.0.0.1:8391", "/healthz": "http://127.0.0.1:8391" } },
  test: {
    include: ["tests/**/*.test.{ts,tsx}"],
    environment: "node",
    css: true,
  },
});
