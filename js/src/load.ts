/** From an address to a model. */

import type { Engine, Follow, Reason } from "./engine.js";
import { errorOf, SaccadeError } from "./errors.js";
import { followed, unlessAborted } from "./follow.js";
import type { FoundFile } from "./integrity.js";
import { LoadedLanguageModel } from "./language.js";
import { LoadedModel } from "./model.js";
import { originOf } from "./pool.js";
import { about, fileIn } from "./source.js";
import { LoadedParser, LoadedTagger, LoadedTreeClassifier } from "./structure/models.js";
import { isStructured, structuredTaskIn } from "./structure/task.js";
import type { AnyModel, Device, DevicePreference, InitOptions, LoadOptions, Progress, Source, Task } from "./types.js";
import { reasonInWords } from "./words.js";

const WARM_UP = "The first words are slow, and so nobody waits for them here.";
const WARM_UP_MS = 20;
const WARM_UP_TREE = "( ( slow) ( words))";

/** Starts the engine and fetches the model meanwhile, opens it and has it read a few words. */
export function load(engine: Engine, source: Source, options: LoadOptions = {}): Promise<AnyModel> {
  return followed(undefined, options, (follow) => unlessAborted(follow.signal, loaded(engine, source, options, follow)));
}

async function loaded(engine: Engine, source: Source, options: LoadOptions, { signal, onProgress }: Follow): Promise<AnyModel> {
  signal?.throwIfAborted();
  const { task, wasmUrl, variant, cache, integrity } = options;
  const part = sum(onProgress);
  const [engineBytes, fileBytes] = [part(), part()];
  const told = { signal, onProgress: engineBytes?.tell };
  const starting = isStructured(task) ? startStructures(engine, wasmUrl, told) : start(engine, { wasm: wasmUrl, variant }, told);
  const started = starting.then(engineBytes?.end);
  // Whoever waits for it hears of it.
  started.catch(() => undefined);
  const ways = { by: "load", addresses: true, cache, integrity };
  const fetching = fileIn(source, ways, { signal, onProgress: fileBytes?.tell });
  // A file of any task may turn out to need another engine.
  const [file] = await Promise.all([fetching, task === undefined ? undefined : started]);
  const structured = structuredTaskIn(file.bytes);
  insist(task, structured);
  if (!structured && !isStructured(task)) {
    await started;
    return opened(engine, file, options, signal);
  }
  const otherBytes = isStructured(task) ? undefined : part();
  await (isStructured(task) ? started : startStructures(engine, undefined, { signal, onProgress: otherBytes?.tell }).then(otherBytes?.end));
  return openedStructure(engine, file, options, signal);
}

/** Throws that a model is not of the task that was asked for. */
function insist(task: Task | undefined, found: Task | undefined): void {
  if (!task || !found || task === found) return;
  throw errorOf("MODEL_CONFIG", `load: expected a model whose task is "${task}", found "${found}"`);
}

/** A classifier or a language model. */
async function opened(engine: Engine, file: FoundFile, options: LoadOptions, signal: AbortSignal | undefined): Promise<AnyModel> {
  const { task, device = "auto", precision = "f32", warmUp = true } = options;
  const origin = originOf(engine, file.bytes, precision, { module: "module", start: "start", open: "open" });
  // Not to be stopped: nobody would know the model's id.
  const { id, config } = await engine.call("open", [file.bytes, precision], {}, [file.bytes.buffer]).catch(about(file));
  try {
    signal?.throwIfAborted();
    await file.keep?.(origin.file);
    insist(task, config.task);
    let place = await expected(engine, device, signal);
    if (warmUp) {
      if (device === "webgpu" && place.device === "webgpu") {
        // Nobody waits for it, and a GPU that fails says so when it is asked.
        engine.call("prepare", [id]).catch(() => undefined);
        place = { device: "cpu", deviceReason: reasonInWords({ code: "gpuStarting" }) };
      }
      const read: Promise<unknown> =
        config.task === "classify"
          ? engine.call("read", [id, WARM_UP, { measureMs: WARM_UP_MS, device: place.device }], { signal })
          : engine.call("askOnce", [id, { scores: "total", device: place.device }, { text: WARM_UP, top: 1 }], { signal });
      await unlessStopped(read, signal);
    }
    const there = { preference: options.device, ...place };
    return config.task === "classify"
      ? new LoadedModel(engine, { id, config, origin }, there)
      : new LoadedLanguageModel(engine, { id, config, origin }, there);
  } catch (error) {
    await engine.call("release", [id]).catch(() => undefined);
    throw error;
  }
}

/** A tagger, a parser or a tree classifier. */
async function openedStructure(engine: Engine, file: FoundFile, options: LoadOptions, signal: AbortSignal | undefined): Promise<AnyModel> {
  const { task, device, precision = "f32", warmUp = true } = options;
  const origin = originOf(engine, file.bytes, precision, { module: "moduleOfStructures", start: "startStructures", open: "openStructured" });
  const made = await engine.call("openStructured", [file.bytes, precision], {}, [file.bytes.buffer]).catch(about(file));
  const { id, config, relations, cell = "binary" } = made;
  try {
    signal?.throwIfAborted();
    await file.keep?.(origin.file);
    insist(task, config.task);
    const there = { id, origin, place: await engine.call("placeOfStructures", [device], { signal }), preference: device };
    const warm = async (read: () => Promise<unknown>) => warmUp && unlessStopped(read(), signal);
    switch (config.task) {
      case "tag":
        await warm(() => engine.call("tag", [id, [WARM_UP], device], { signal }));
        return new LoadedTagger(engine, { ...there, config });
      case "parse":
        await warm(() => engine.call("parse", [id, [WARM_UP], device], { signal }));
        return new LoadedParser(engine, { ...there, config: { ...config, relations } });
      case "tree":
        // A parser's trees are none of brackets.
        if (cell === "binary") await warm(() => engine.call("classifyTrees", [id, [WARM_UP_TREE], device], { signal }));
        return new LoadedTreeClassifier(engine, { ...there, config: { ...config, cell } });
      default:
        throw errorOf("ENGINE", `load: the task "${config.task}" has another engine`);
    }
  } catch (error) {
    await engine.call("releaseStructured", [id]).catch(() => undefined);
    throw error;
  }
}

/** Waits for a model's first words. One that cannot read these says so when it is asked to read others; an engine that fails, at once. */
async function unlessStopped(read: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  await read.catch((error: unknown) => {
    if (signal?.aborted || (error instanceof SaccadeError && error.code === "ENGINE_FAILED")) throw error;
  });
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

/** Starts what holds taggers, parsers and tree classifiers, unless it runs. */
function startStructures(engine: Engine, wasm: InitOptions["wasm"], follow: Follow): Promise<undefined> {
  return engine.call("startStructures", [{ ...(wasm !== undefined && { wasm }) }], follow);
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
