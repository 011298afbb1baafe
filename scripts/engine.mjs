/** The engine of the page that `npm start` serves: quick builds, made anew when what they are compiled from changes. */

import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { cargo, root, run, target } from "./steps.mjs";

/** Where `cargo xtask wasm` puts each engine: its binaries with and without relaxed SIMD, and the JavaScript of both. */
export const folders = {
  engine: join(target, "engine"),
  graph: join(target, "graph"),
  structure: join(target, "structure"),
  train: join(target, "train"),
};

/** What their files begin with. */
const names = { engine: "saccade_rnn", graph: "saccade_graph", structure: "saccade_structure", train: "saccade_train" };

/** The engines that follow the first, by what tells `cargo xtask wasm` to make them. */
const others = { graph: "--graph", structure: "--structure", train: "--train" };

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
 * All engines, as good as the source: the first, with which the page reads; those of graphs, of taggers and parsers and of
 * training runs, while the page is in use already.
 * `build` builds one and resolves to its {@link Built}; `tell` hears of every build that still matters when it ends.
 */
export class Engines {
  #build;
  #tell;
  #revision = 0;
  #served = new Set();
  /** Builds the first engine, then has the others follow. */
  update = takingTurns(async () => {
    const built = await this.#one("engine");
    if (built.ok) void this.#follow();
  });
  #follow = takingTurns(async () => {
    const revision = this.#revision;
    for (const name of Object.keys(others)) if (revision === this.#revision) await this.#one(name);
  });

  constructor(build, tell) {
    this.#build = build;
    this.#tell = tell;
  }

  /** Whether an engine may be used: the others not before they fit the first again. */
  has(name) {
    return this.#served.has(name);
  }

  /** Says that the source has changed. */
  change() {
    this.#revision += 1;
    for (const name of Object.keys(others)) this.#served.delete(name);
    return this.update();
  }

  async #one(name) {
    const revision = this.#revision;
    const built = await this.#build(name);
    if (revision !== this.#revision) return built;
    if (built.ok) this.#served.add(name);
    this.#tell(name, built);
    return built;
  }
}

/**
 * Builds an engine, all but the first without a word and when nothing else wants the processor. Resolves to what came of it: `ok`,
 * whether it is `new`, and what cargo printed.
 */
export async function buildEngine(name) {
  const file = join(folders[name], ".stamp");
  const stamp = () => (existsSync(file) ? readFileSync(file, "utf8") : "");
  const before = stamp();
  const args = name in others ? [others[name]] : [];
  const { status, output } = await run("cargo", [...cargo.engine, ...args], { background: name in others });
  return { ok: status === 0, new: stamp() !== before, output };
}

/** What the JavaScript of an engine that is not built yet is called. */
const ABSENT = "\0not-built-yet:";

/** Has Vite serve the engines in the place of those in `js/pkg`, and build them anew when their source changes. */
export function servedEngines(engines) {
  return {
    name: "saccade:engine",
    apply: "serve",
    enforce: "pre",
    config: () => ({
      server: {
        fs: { allow: [root, ...Object.values(folders)] },
        watch: { ignored: Object.values(folders).map((folder) => `${folder}/**`) },
      },
    }),
    resolveId(source) {
      const name = Object.keys(names).find((name) => source.endsWith(`/pkg/${names[name]}.js`));
      if (!name) return null;
      const file = join(folders[name], `${names[name]}.js`);
      // What is not built yet is a module without anything, and nobody is kept waiting who does not use it.
      return existsSync(file) ? file : `${ABSENT}${name}`;
    },
    load: (id) => (id.startsWith(ABSENT) ? "export {};" : null),
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const file = new URL(request.url ?? "/", "http://page").pathname.match(/\/js\/pkg\/([^/]+\.wasm)$/)?.[1];
        const name = file && Object.keys(names).find((name) => file.startsWith(`${names[name]}_`));
        if (!name) return next();
        // What is not there is not waited for.
        const path = join(folders[name], file);
        if (!engines.has(name) || !existsSync(path)) return response.writeHead(404).end();
        response.setHeader("content-type", "application/wasm");
        response.setHeader("content-length", statSync(path).size);
        response.setHeader("cache-control", "no-store");
        createReadStream(path).pipe(response);
      });
      server.watcher.add(watched.map((path) => join(root, path)));
      for (const event of ["add", "change", "unlink"]) {
        server.watcher.on(event, (file) => void (isSource(file) && engines.change()));
      }
    },
  };
}
