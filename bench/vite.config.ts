import { join } from "node:path";
import { defineConfig } from "vite";

const page = join(import.meta.dirname, "page");

export default defineConfig({
  root: page,
  base: "./",
  appType: "mpa",
  logLevel: "warn",
  worker: { format: "es" },
  build: {
    outDir: join(import.meta.dirname, "dist"),
    emptyOutDir: true,
    target: "es2022",
    // A WebAssembly file stays a file, however small, so that it is fetched and compiled as it would be elsewhere.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4096,
    rolldownOptions: { input: ["index", "roofline", "start"].map((name) => join(page, `${name}.html`)) },
  },
});
