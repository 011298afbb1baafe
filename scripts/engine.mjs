/** The engine of the page that `npm start` serves: quick builds, made anew when what they are compiled from changes. */

import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { cargo, root, run, target } from "./steps.mjs";

/** Where `cargo xtask wasm` puts each binary and its JavaScript, which is the same for the first two. */
export const folders = {
  simd: join(target, "engine"),
  relaxed: join(target, "engine-relaxed"),
  graph: join(target, "graph"),
  structure: join(target, "structure"),
  train: join(target, "train"),
};

/** What the files are called there. */
const names = { simd: "saccade_rnn", relaxed: "saccade_rnn", graph: "saccade_graph", structure: "saccade_structure", train: "saccade_train" };

/**
 * The variants by the addresses that `js/src` asks for: the binaries of graphs and of training are built quickly once, and
 * stand for those with relaxed SIMD as well.
 */
const variants = {
  "/js/pkg/saccade_rnn_bg.wasm": "simd",
  "/js/pkg/saccade_rnn_relaxed_bg.wasm": "relaxed",
  "/js/pkg/saccade_graph_bg.wasm": "graph",
  "/js/pkg/saccade_graph_relaxed_bg.wasm": "graph",
  "/js/pkg/saccade_structure_bg.wasm": "structure",
  "/js/pkg/saccade_train_bg.wasm": "train",
  "/js/pkg/saccade_train_relaxed_bg.wasm": "train",
};

/** Builds of the binaries that follow the first, by what tells `cargo xtask wasm` to make them. */
const others = { relaxed: "--relaxed", graph: "--graph", structure: "--structure", train: "--train" };

const watched = ["crate", "kernels", "shaders", "Cargo.toml"];

/** Whether the engine is compiled from a file. */
export function isSource(file) {
  const path = relative(root, file).split(sep).join("/");
  return /^(crate|kernels)\/src\/.*\.rs$|^shaders\/.*\.(rs|wgsl)$|^((crate|kernels|shaders)\/)?Cargo\.toml$/.test(path);
}

/** A function that calls `task` again if it was called meanwhile, and never twice at once; resolves when all is done. */
export function takingTurns(task) {
  let asked = false;
  let running;
  return () => {
    asked = true;
    running ??= (async () => {
      try {
        while (asked) {
          asked = false;
          await task();
        }
      } finally {
        running = undefined;
      }
    })();
    return running;
  };
}

/**
 * All binaries, as good as the source: the one that every browser runs first; the faster one, those of graphs, of taggers
 * and parsers and of training runs, while the page is in use already.
 * `build` builds one and resolves to its {@link Built}; `tell` hears of every build that still matters when it ends.
 */
export class Binaries {
  #build;
  #tell;
  #revision = 0;
  #served = new Set();
  /** Builds the first binary, then has the others follow. */
  update = takingTurns(async () => {
    const built = await this.#one("simd");
    if (built.ok) void this.#follow();
  });
  #follow = takingTurns(async () => {
    const revision = this.#revision;
    for (const variant of Object.keys(others)) if (revision === this.#revision) await this.#one(variant);
  });

  constructor(build, tell) {
    this.#build = build;
    this.#tell = tell;
  }

  /** Whether a binary may be used: the others not before they fit the first again. */
  has(variant) {
    return this.#served.has(variant);
  }

  /** Says that the source has changed. */
  change() {
    this.#revision += 1;
    for (const variant of Object.keys(others)) this.#served.delete(variant);
    return this.update();
  }

  async #one(variant) {
    const revision = this.#revision;
    const built = await this.#build(variant);
    if (revision !== this.#revision) return built;
    if (built.ok) this.#served.add(variant);
    this.#tell(variant, built);
    return built;
  }
}

/**
 * Builds a binary, all but the first without a word and when nothing else wants the processor. Resolves to what came of it: `ok`,
 * whether it is `new`, and what cargo printed.
 */
export async function buildEngine(variant) {
  const file = join(folders[variant], ".stamp");
  const stamp = () => (existsSync(file) ? readFileSync(file, "utf8") : "");
  const before = stamp();
  const args = variant in others ? [others[variant]] : [];
  const { status, output } = await run("cargo", [...cargo.engine, ...args], { background: variant in others });
  const alike = variant !== "relaxed" || status !== 0 || sameScript();
  return { ok: status === 0 && alike, new: stamp() !== before, output };
}

/** Whether the first two binaries want the same JavaScript; one that does not is of no use. */
function sameScript() {
  const [simd, relaxed] = [folders.simd, folders.relaxed].map((folder) => readFileSync(join(folder, "saccade_rnn.js"), "utf8"));
  return simd === relaxed;
}

/** What the JavaScript of a binary that is not built yet is called. */
const ABSENT = "\0not-built-yet:";

/** Has Vite serve the binaries in the place of those in `js/pkg`, and build them anew when their source changes. */
export function servedEngine(binaries) {
  return {
    name: "saccade:engine",
    apply: "serve",
    enforce: "pre",
    config: () => ({
      server: {
        fs: { allow: [root, folders.simd, folders.graph, folders.structure, folders.train] },
        watch: { ignored: Object.values(folders).map((folder) => `${folder}/**`) },
      },
    }),
    resolveId(source) {
      const variant = ["simd", "graph", "structure", "train"].find((variant) => source.endsWith(`/pkg/${names[variant]}.js`));
      if (!variant) return null;
      const file = join(folders[variant], `${names[variant]}.js`);
      // What is not built yet is a module without anything, and nobody is kept waiting who does not use it.
      return existsSync(file) ? file : `${ABSENT}${variant}`;
    },
    load: (id) => (id.startsWith(ABSENT) ? "export {};" : null),
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const path = new URL(request.url ?? "/", "http://page").pathname;
        const address = Object.keys(variants).find((address) => path.endsWith(address));
        if (!address) return next();
        const variant = variants[address];
        // The package then takes the other one.
        if (!binaries.has(variant)) return response.writeHead(404).end();
        const file = join(folders[variant], `${names[variant]}_bg.wasm`);
        response.setHeader("content-type", "application/wasm");
        response.setHeader("content-length", statSync(file).size);
        response.setHeader("cache-control", "no-store");
        createReadStream(file).pipe(response);
      });
      server.watcher.add(watched.map((path) => join(root, path)));
      for (const event of ["add", "change", "unlink"]) {
        server.watcher.on(event, (file) => void (isSource(file) && binaries.change()));
      }
    },
  };
}
