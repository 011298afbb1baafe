/** Taggers, parsers and tree classifiers in this thread. */

import { errorOf } from "../errors.js";
import { unlessAborted } from "../follow.js";
import { type Answers, holding } from "../holding.js";
import type { Instance } from "../instance.js";
import type { Device } from "../types.js";
import { binary, glue, started } from "./binary.js";
import type { Place, StructureCalls, Structures, Wanted } from "./calls.js";

const { current, keep, get, take, watch } = holding<glue.Structured>(binary);

/** Where a model is to compute. */
async function place(instance: Instance, wanted: Wanted): Promise<Place> {
  if (wanted === "cpu") return { device: "cpu", reason: { code: "cpuAsked" } };
  if (wanted === undefined || wanted === "auto") return { device: "cpu", reason: { code: "cpuUnlessAsked" } };
  const found = await instance.attempt(() => glue.findGpu());
  if (!("reason" in found)) return { device: "webgpu", reason: { code: "gpuAsked", adapter: found.name || "unnamed adapter" } };
  if (wanted === "webgpu-only") throw errorOf("DEVICE_UNAVAILABLE", found.reason);
  return { device: "cpu", reason: { code: "noGpu", why: found.reason } };
}

/**
 * What is found on the device that is wanted, or on the CPU where that one fails, and where that was. A model may be disposed while
 * the GPU is asked for: `ask` is to get it itself.
 */
async function placed<Found>(wanted: Wanted, ask: (device: Device) => Found): Promise<[Awaited<Found>, Place]> {
  const instance = current();
  const there = await place(instance, wanted);
  try {
    return [await instance.attempt(() => ask(there.device)), there];
  } catch (error) {
    const mayGoOn = there.device === "webgpu" && wanted !== "webgpu-only" && isOfDevice(error);
    if (!mayGoOn) throw error;
    return [await instance.attempt(() => ask("cpu")), { device: "cpu", reason: { code: "gpuFailed", error: error.message } }];
  }
}

function isOfDevice(error: unknown): error is Error {
  return error instanceof Error && "code" in error && String(error.code).startsWith("DEVICE_");
}

const answers: Answers<StructureCalls> = {
  async startStructures({ wasm }, follow) {
    await unlessAborted(follow.signal, started(wasm, follow));
    return undefined;
  },
  moduleOfStructures: () => binary.compiled(),
  openStructured(bytes, precision) {
    const model = glue.Structured.load(bytes, precision === "bf16");
    return { id: keep(model), config: model.config, relations: model.relations, cell: model.cell };
  },
  placeOfStructures: (wanted) => place(current(), wanted),
  async tag(id, texts, wanted, follow) {
    const [words, there] = await placed(wanted, (device) => get(id, glue.Structured).tag([...texts], device, watch(follow)));
    return [...words, there];
  },
  async parse(id, texts, wanted, follow) {
    const [words, there] = await placed(wanted, (device) => get(id, glue.Structured).parse([...texts], device, watch(follow)));
    return [...words, there];
  },
  async classifyTrees(id, brackets, wanted, follow) {
    const [found, there] = await placed(wanted, (device) => get(id, glue.Structured).classify([...brackets], device, watch(follow)));
    return found.length === 2 ? found : [...found, there];
  },
  async labelTexts(id, parser, texts, wanted, follow) {
    const [words, there] = await placed(wanted, (device) => get(id, glue.Structured).label(get(parser, glue.Structured), [...texts], device, watch(follow)));
    return [...words, there];
  },
  inspectStructured: (id) => get(id, glue.Structured).inspect(),
  releaseStructured(id) {
    const found = take(id);
    if (found) found.instance.free(found.object);
    return undefined;
  },
};

/** Calls that need no instance. */
const ALWAYS: ReadonlySet<string> = new Set(["startStructures", "releaseStructured"] satisfies (keyof StructureCalls)[]);

/** Those of this thread, for everybody. */
export const structures: Structures = {
  async call(name, args, follow = {}) {
    type Answer = ReturnType<StructureCalls[typeof name]>;
    const ask = answers[name] as (...all: unknown[]) => Answer | Promise<Answer>;
    const work = () => ask(...args, follow);
    // The binary that fails cannot take its own start down; without one there is nothing to free.
    return ALWAYS.has(name) ? work() : current().call(work, follow.signal);
  },
};
