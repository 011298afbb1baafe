/** What can compute here. */

import type { Engine } from "./engine.js";
import { AbortError, CallbackError, messageOf } from "./errors.js";
import { followed } from "./follow.js";
import { start } from "./load.js";
import { hasRelaxedSimd } from "./relaxed.js";
import type { GpuStatistics, InitOptions } from "./types.js";

/** The processors of this machine, as far as the package can use them. */
export interface Devices {
  readonly cpu: {
    readonly usable: boolean;
    /** Why not. */
    readonly reason: string | null;
    /** Whether the faster of the two binaries runs here. */
    readonly relaxedSimd: boolean;
  };
  readonly webgpu: {
    readonly usable: boolean;
    /** Why not. */
    readonly reason: string | null;
    /** The adapter's name, which browsers often leave empty; null without one. */
    readonly adapter: string | null;
    /** Whether the adapter is a software GPU: the CPU computes what a GPU would. */
    readonly software: boolean;
    /** Whether kernels can be timed on it. */
    readonly timestamps: boolean;
  };
}

/** Looks for devices; one that cannot be used is no error. */
export async function devices(engine: Engine, options: InitOptions = {}): Promise<Devices> {
  const none = (reason: string): Devices["webgpu"] => {
    return { usable: false, reason, adapter: null, software: false, timestamps: false };
  };
  const relaxedSimd = hasRelaxedSimd();
  try {
    const found = await followed(undefined, options, async (follow) => {
      await start(engine, options, follow);
      return engine.call("gpu", [], { signal: follow.signal });
    });
    const webgpu =
      "reason" in found
        ? none(found.reason)
        : { usable: true, reason: null, adapter: found.name, software: found.software, timestamps: found.timestamps };
    return { cpu: { usable: true, reason: null, relaxedSimd }, webgpu };
  } catch (error) {
    // That says nothing about devices.
    if (error instanceof AbortError || error instanceof CallbackError) throw error;
    const reason = messageOf(error);
    return { cpu: { usable: false, reason, relaxedSimd }, webgpu: none(reason) };
  }
}

/** What the GPU did so far, and the memory it holds; null if it was not asked for, or is not there. */
export function gpuStatistics(engine: Engine): Promise<GpuStatistics | null> {
  return engine.call("statistics", []);
}
