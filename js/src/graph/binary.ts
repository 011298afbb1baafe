/** The binary with gradients and optimisers, in this thread; it is fetched on first use. */

// First: what the engine's code finds missing, this one brings.
import { platform } from "../platform.js";
import * as glue from "../../pkg/saccade_graph.js";
import { moduleOf } from "../compile.js";
import { errorOf, messageOf, notLoaded, ours, SaccadeError } from "../errors.js";
import type { InitOptions } from "../types.js";

export { glue };

/** Written out, so that bundlers find the file and put it beside the code. */
const file = () => new URL("../../pkg/saccade_graph_bg.wasm", import.meta.url);

/** What stands for the file. */
type Wasm = NonNullable<InitOptions["wasm"]>;

/** A running instance of the module. After a panic or a trap nothing of it can be trusted, and its calls are never answered. */
export class Instance {
  #failure: SaccadeError | undefined;
  /** How the calls under way are rejected. */
  readonly #underWay = new Set<(error: SaccadeError) => void>();

  /** Whether all that it held is lost. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Calls the engine for something that it answers at once. */
  now<T>(work: () => T): T {
    if (this.#failure) throw this.#failure;
    depth += 1;
    try {
      return work();
    } catch (error) {
      if (error instanceof SaccadeError || (error instanceof Error && "code" in error)) throw ours(error);
      // A trap, a full stack, or something else that the engine never throws while it is sound.
      throw this.fail(messageOf(error));
    } finally {
      depth -= 1;
    }
  }

  /** Calls the engine. */
  async call<T>(work: () => T | Promise<T>): Promise<Awaited<T>> {
    const answer = this.now(work);
    if (!(answer instanceof Promise)) return answer as Awaited<T>;
    let reject: (error: SaccadeError) => void = () => undefined;
    const failed = new Promise<never>((_, no) => {
      reject = no;
    });
    this.#underWay.add(reject);
    try {
      return (await Promise.race([answer, failed])) as Awaited<T>;
    } catch (error) {
      throw ours(error);
    } finally {
      this.#underWay.delete(reject);
    }
  }

  /** Gives back what the instance holds, unless it is lost already. */
  free(held: { free(): void }): void {
    if (this.#failure) return;
    try {
      this.now(() => held.free());
    } catch {
      // Whoever goes on with the instance hears of it.
    }
  }

  fail(reason: string): SaccadeError {
    if (this.#failure) return this.#failure;
    const message = `the engine of graphs stopped, and all that it held is lost; make new parameters (${reason})`;
    this.#failure = errorOf("ENGINE_FAILED", message);
    for (const reject of this.#underWay) reject(this.#failure);
    running = undefined;
    module = "spent";
    // Not yet: a panic tells of itself before the engine stops.
    queueMicrotask(bury);
    return this.#failure;
  }
}

let running: Promise<Instance> | undefined;
/** What the glue has: no instance yet, one that failed, or one that may be used. */
let module: "absent" | "spent" | "sound" = "absent";
/** How many calls are under way that began inside one another. */
let depth = 0;

/** Puts a fresh instance where the one that failed was; the glue then lets nobody call or free what the other held. */
function renew(): void {
  if (module !== "spent") return;
  glue.__wbg_reset_state();
  module = "sound";
}

function bury(): void {
  try {
    renew();
  } catch {
    // The next start tries again.
  }
}

/** The instance that runs, or the start of one. A start that failed is tried again by the next call. */
export function started(wasm?: Wasm): Promise<Instance> {
  return (running ??= begin(wasm).catch((error: unknown) => {
    running = undefined;
    throw notLoaded(error, undefined);
  }));
}

/** The file that came with the package. */
async function shipped(): Promise<WebAssembly.Module> {
  try {
    return await moduleOf(file(), {});
  } catch (error) {
    const advice = 'if your bundler did not put the file there, serve it and say where it is: await init({ wasm: "/saccade_graph_bg.wasm" })';
    throw errorOf("FETCH_FAILED", `${messageOf(error)}; ${advice}`, error);
  }
}

async function begin(wasm: Wasm | undefined): Promise<Instance> {
  if (module === "absent") {
    await glue.default({ module_or_path: await (wasm === undefined ? shipped() : moduleOf(wasm, {})) });
    module = "sound";
  }
  renew();
  const instance = new Instance();
  glue.containClosures((work) => contain(instance, work));
  glue.onFailure((reason) => void instance.fail(reason));
  const inPageOrWorker = "Window" in globalThis || "WorkerGlobalScope" in globalThis;
  const reason = platform.noGpu ?? (inPageOrWorker ? undefined : "WebGPU is for pages and workers alone");
  if (reason !== undefined) glue.forbidGpu(reason);
  return instance;
}

/** Runs what the engine goes on with by itself: whoever waits for it hears of its trap from the instance. */
function contain(instance: Instance, work: () => unknown): unknown {
  if (depth > 0) return work();
  try {
    return instance.now(work);
  } catch {
    return undefined;
  }
}
