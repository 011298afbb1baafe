/** From an address to a model. */

import type { Engine, Follow, Reason } from "./engine.js";
import { errorOf } from "./errors.js";
import { followed, unlessAborted } from "./follow.js";
import { LoadedLanguageModel } from "./language.js";
import { LoadedModel } from "./model.js";
import { about, fileIn } from "./source.js";
import type { AnyModel, Device, DevicePreference, InitOptions, LoadOptions, Progress, Source } from "./types.js";
import { reasonInWords } from "./words.js";

const WARM_UP = "The first words are slow, and so nobody waits for them here.";
const WARM_UP_MS = 20;

/** Starts the engine and fetches the model meanwhile, opens it and has it read a few words. */
export function load(engine: Engine, source: Source, options: LoadOptions = {}): Promise<AnyModel> {
  return followed(undefined, options, (follow) => unlessAborted(follow.signal, loaded(engine, source, options, follow)));
}

async function loaded(engine: Engine, source: Source, options: LoadOptions, { signal, onProgress }: Follow): Promise<AnyModel> {
  signal?.throwIfAborted();
  const { wasmUrl, variant, device = "auto", cache, integrity } = options;
  const part = sum(onProgress);
  const [engineBytes, fileBytes] = [part(), part()];
  const starting = start(engine, { wasm: wasmUrl, variant }, { signal, onProgress: engineBytes?.tell });
  const ways = { by: "load", addresses: true, cache, integrity };
  const fetching = fileIn(source, ways, { signal, onProgress: fileBytes?.tell });
  const [file] = await Promise.all([fetching, starting.then(engineBytes?.end)]);
  // Not to be stopped: nobody would know the model's id.
  const opened = await engine.call("open", [file.bytes, options.precision ?? "f32"], {}, [file.bytes.buffer]).catch(about(file));
  try {
    signal?.throwIfAborted();
    const { id, config } = opened;
    const { task = config.task } = options;
    if (task !== config.task) throw errorOf("MODEL_CONFIG", `load: expected a model whose task is "${task}", found "${config.task}"`);
    const place = await expected(engine, device, signal);
    if (options.warmUp ?? true) {
      const read: Promise<unknown> =
        config.task === "classify"
          ? engine.call("read", [id, WARM_UP, { measureMs: WARM_UP_MS, device: place.device }], { signal })
          : engine.call("askOnce", [id, { scores: "total", device: place.device }, { text: WARM_UP, top: 1 }], { signal });
      // A model that cannot read these words says so when it is asked to read others.
      await read.catch((error: unknown) => {
        if (signal?.aborted) throw error;
      });
    }
    const there = { preference: options.device, ...place };
    return config.task === "classify" ? new LoadedModel(engine, { id, config }, there) : new LoadedLanguageModel(engine, { id, config }, there);
  } catch (error) {
    await engine.call("release", [opened.id]).catch(() => undefined);
    throw error;
  }
}

/** Where a model will read, before it has. */
async function expected(
  engine: Engine,
  device: DevicePreference,
  signal: AbortSignal | undefined,
): Promise<{ device: Device; deviceReason: string }> {
  const on = (device: Device, reason: Reason) => ({ device, deviceReason: reasonInWords(reason) });
  if (device === "cpu") return on("cpu", { code: "cpuAsked" });
  if (device === "auto") return on("cpu", { code: "unmeasured" });
  const found = await engine.call("gpu", [], { signal });
  if (!("reason" in found)) return on("webgpu", { code: "gpuAsked", adapter: found.name || "unnamed adapter" });
  if (device === "webgpu-only") throw errorOf("DEVICE_UNAVAILABLE", found.reason);
  return on("cpu", { code: "noGpu", why: found.reason });
}

/** Starts the engine unless it runs. */
export function start(engine: Engine, { wasm, variant }: InitOptions, follow: Follow): Promise<undefined> {
  // Without what is not there, which no thread clones the same way.
  return engine.call("start", [{ ...(wasm !== undefined && { wasm }), ...(variant !== undefined && { variant }) }], follow);
}

/** Parts whose progress adds up. It is told once all parts were heard of, so that the total is that of all. */
function sum(onProgress: Follow["onProgress"]) {
  const parts: (Progress | undefined)[] = [];
  return () => {
    if (!onProgress) return undefined;
    const at = parts.push(undefined) - 1;
    const tell = (progress: Progress) => {
      parts[at] = progress;
      let [done, total]: [number, number | null] = [0, 0];
      for (const part of parts) {
        if (!part) return;
        done += part.done;
        total = total === null || part.total === null ? null : total + part.total;
      }
      onProgress({ done, total }, 0, null);
    };
    /** Nothing more comes, be it that nothing had to. */
    const end = () => {
      const done = parts[at]?.done ?? 0;
      if (parts[at]?.total !== done) tell({ done, total: done });
    };
    return { tell, end };
  };
}
