import { existsSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vite";

const page = join(import.meta.dirname, "page");
/** The package's folder; another build of it can be measured in its place. */
const ours = process.env.SACCADE_PACKAGE ?? join(import.meta.dirname, "..", "js");

export default defineConfig({
  root: page,
  base: "./",
  appType: "mpa",
  logLevel: "warn",
  resolve: {
    alias: [
      { find: "saccade-rnn/train", replacement: join(ours, "src", "train", "index.ts") },
      { find: "saccade-rnn", replacement: join(ours, "src", "index.ts") },
    ],
  },
  worker: { format: "es" },
  build: {
    outDir: join(import.meta.dirname, "dist"),
    emptyOutDir: true,
    target: "es2022",
    // A WebAssembly file stays a file, however small, so that it is fetched and compiled as it would be elsewhere.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4096,
    rolldownOptions: {
      // Without the peers, the chunks that would need them are never fetched.
      external: existsSync(join(import.meta.dirname, "node_modules")) ? [] : [/^onnxruntime-web/, /^@tensorflow\//],
      // A build before may have no language models yet, so they are measured in this one alone.
      input: ["index", "roofline", "start", "first", "skim", ...(process.env.SACCADE_PACKAGE ? [] : ["next", "train"])].map((name) => join(page, `${name}.html`)),
    },
  },
});
