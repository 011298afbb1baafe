import { copyFileSync, createReadStream, existsSync, mkdirSync, readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import type { Plugin } from "vite";
import { offline } from "./www/build/offline.ts";
import { preview } from "./www/build/preview.ts";
import { sandbox } from "./www/build/sandbox.ts";

const root = import.meta.dirname;

/** Serves `models/*.safetensors` beside the page while developing, and copies them beside the built page. */
function models(): Plugin {
  const folder = join(root, "models");
  let out = "";
  return {
    name: "saccade:models",
    configResolved(config) {
      out = resolve(config.root, config.build.outDir, "models");
    },
    configureServer(server) {
      server.middlewares.use("/models", (request, response) => {
        const file = join(folder, basename((request.url ?? "").split("?")[0] ?? ""));
        if (!file.endsWith(".safetensors") || !existsSync(file)) {
          response.statusCode = 404;
          response.end();
          return;
        }
        response.setHeader("content-type", "application/octet-stream");
        createReadStream(file).pipe(response);
      });
    },
    writeBundle() {
      mkdirSync(out, { recursive: true });
      for (const name of existsSync(folder) ? readdirSync(folder) : []) {
        if (name.endsWith(".safetensors")) copyFileSync(join(folder, name), join(out, name));
      }
    },
  };
}

export default defineConfig({
  root: join(root, "www"),
  // Relative addresses: the built page works in any folder of any host.
  base: "./",
  // An address that names no file is an error, not the page.
  appType: "mpa",
  plugins: [svelte({ configFile: false }), models(), sandbox(), preview(), offline()],
  worker: { format: "es" },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    // What the first view is made of comes as one file, though chapters that come later share parts of it.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "first", tags: ["$initial"] }] } } },
  },
  server: { fs: { allow: [root] } },
  test: { include: ["**/*.test.ts"] },
});
