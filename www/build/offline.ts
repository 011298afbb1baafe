import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin, ResolvedConfig } from "vite";
import { probe } from "../../js/src/relaxed.ts";

/** What the page opens with; other models are kept for offline use once they have been used. */
const FIRST_MODEL = "models/sst2-skim-lstm-small.safetensors";

/** What few visits need, which is kept once it was used: engines, and a text to learn from. */
const LATER = /\.(wasm|txt)$/;

/** What other sites show of a link: the page itself never does. */
const PREVIEW = "share.png";

/** What the models of a folder hold, by their paths beside the page. */
function hashes(folder: string): Record<string, string> {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".safetensors")).sort() : [];
  const of = (name: string) => createHash("sha256").update(readFileSync(join(folder, name))).digest("hex").slice(0, 16);
  return Object.fromEntries(names.map((name) => [`models/${name}`, of(name)]));
}

/**
 * Writes `sw.js` beside the built page: the service worker of `www/build/sw.js`, with the names of all files that the page
 * is made of and a version that changes with their bytes.
 */
export function offline(): Plugin {
  let config: ResolvedConfig;
  return {
    name: "saccade:offline",
    apply: "build",
    // After the page itself has been made, which belongs to the version as well.
    enforce: "post",
    configResolved(resolved) {
      config = resolved;
    },
    generateBundle(_, bundle) {
      const { publicDir, root } = config;
      const hash = createHash("sha256");
      for (const part of Object.values(bundle)) hash.update(part.type === "chunk" ? part.code : part.source);
      const own = existsSync(publicDir) ? readdirSync(publicDir).filter((name) => name !== PREVIEW).sort() : [];
      for (const name of own) hash.update(readFileSync(join(publicDir, name)));
      const models = hashes(join(root, "..", "models"));
      hash.update(JSON.stringify(models));
      const built = Object.keys(bundle).filter((name) => name !== "index.html" && !LATER.test(name));
      const engine = (name: RegExp) => JSON.stringify(Object.keys(bundle).find((file) => name.test(file)));
      const files = ["./", ...built.sort(), ...own, ...(FIRST_MODEL in models ? [FIRST_MODEL] : [])];
      const source = readFileSync(join(root, "build", "sw.js"), "utf8")
        .replace("__VERSION__", JSON.stringify(hash.digest("hex").slice(0, 16)))
        .replace("__FILES__", JSON.stringify(files))
        .replace("__MODELS__", JSON.stringify(models))
        .replace("__PROBE__", JSON.stringify(probe))
        .replace("__RELAXED__", engine(/rnn_relaxed_bg.*\.wasm$/))
        .replace("__SIMD__", engine(/rnn_bg.*\.wasm$/));
      this.emitFile({ type: "asset", fileName: "sw.js", source });
    },
  };
}
