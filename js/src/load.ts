/** From an address to a model. */

import { download } from "./download.js";
import type { Engine, Follow, Reason } from "./engine.js";
import { errorOf } from "./errors.js";
import { LoadedModel } from "./model.js";
import type { Device, DevicePreference, InitOptions, LoadOptions, Model, Progress, Source } from "./types.js";
import { reasonInWords } from "./words.js";

const WARM_UP = "The first words are slow, and so nobody waits for them here.";
const WARM_UP_MS = 20;

/** Starts the engine and fetches the model meanwhile, opens it and has it read a few words. */
export async function load(engine: Engine, source: Source, options: LoadOptions = {}): Promise<Model> {
  const { signal, onProgress, wasmUrl, variant, device = "auto" } = options;
  const part = sum(onProgress);
  const starting = engine.call("start", [startOptions({ wasm: wasmUrl, variant })], { signal, onProgress: part() });
  const fetching = download(source, options, { signal, onProgress: part() });
  const [, bytes] = await Promise.all([starting, fetching]);
  const opened = await engine.call("open", [bytes, options.precision ?? "f32"], { signal }, [bytes.buffer]);
  try {
    const place = await expected(engine, device, signal);
    if (options.warmUp ?? true) {
      // A model that cannot read these words says so when it is asked to read others.
      const words = { measureMs: WARM_UP_MS, device: place.device };
      await engine.call("read", [opened.id, WARM_UP, words], { signal }).catch((error: unknown) => {
        if (signal?.aborted) throw error;
      });
    }
    return new LoadedModel(engine, opened, { preference: options.device, ...place });
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

/** Without what is not there, which no thread clones the same way. */
export function startOptions({ wasm, variant }: InitOptions): Pick<InitOptions, "wasm" | "variant"> {
  return { ...(wasm !== undefined && { wasm }), ...(variant !== undefined && { variant }) };
}

/** Callbacks whose progress adds up; the total is known when that of every part is. */
function sum(onProgress: LoadOptions["onProgress"]): () => Follow["onProgress"] {
  const parts: Progress[] = [];
  return () => {
    if (!onProgress) return undefined;
    const at = parts.push({ done: 0, total: null }) - 1;
    return (progress) => {
      parts[at] = progress;
      const done = parts.reduce((all, one) => all + one.done, 0);
      const total = parts.reduce<number | null>((all, one) => (all === null || one.total === null ? null : all + one.total), 0);
      onProgress({ done, total });
    };
  };
}
