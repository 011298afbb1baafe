/** Layers with random weights, for what a text model cannot show: many texts at once, and the anatomy of one pass. */

import { Elman, Gru, Lstm, Skim, Sru, type Decision, type Device } from "../engine.ts";
import type { CellId } from "./cells.ts";
import { HIDDEN, INPUT, noise, SMALL } from "./runner.ts";

/** What one pass came to. */
export interface Pass {
  readonly ms: number;
  readonly flops: number;
  readonly dispatches: number | null;
  readonly bytesMoved: number | null;
  readonly kernelMs: number | null;
}

/** A pass to make. */
export interface Lanes {
  readonly device: Device;
  /** Tokens of each text. */
  readonly length: number;
  readonly batch: number;
  /** What a Skim layer is told, text by text the same. */
  readonly decisions: readonly Decision[];
  readonly profile?: boolean;
  readonly signal: AbortSignal | undefined;
}

/** A layer in the engine. */
export interface Lane {
  /** Rejects with the code `DEVICE_UNAVAILABLE` where the device is not there. */
  pass(lanes: Lanes): Promise<Pass>;
  dispose(): void;
}

const sizes = { inputSize: INPUT, hiddenSize: HIDDEN, seed: 1 };

function fresh(id: CellId) {
  if (id === "elman") return Elman.random(sizes);
  if (id === "gru") return Gru.random(sizes);
  if (id === "lstm") return Lstm.random(sizes);
  if (id === "sru") return Sru.random(sizes);
  return Skim.random({ ...sizes, smallSize: SMALL });
}

/** The layer of a network that races. */
export async function lane(id: CellId): Promise<Lane> {
  const layer = await fresh(id);
  return {
    async pass({ device, length, batch, decisions, profile, signal }) {
      const rows = length * batch;
      const x = new Float32Array(noise(rows * INPUT, 1, rows).buffer);
      const force = Object.fromEntries(Array.from({ length: rows }, (_, at) => [at, decisions[(at % length) % decisions.length] ?? "read"]));
      const { flops, timing } = await layer.forward(x, {
        device: device === "webgpu" ? "webgpu-only" : device,
        lengths: Array.from({ length: batch }, () => length),
        ...(id === "skim" && { force }),
        ...(profile && { profile }),
        signal,
      });
      const { totalMs, dispatches = null, bytesMoved = null, kernelMs = null } = timing;
      return { ms: totalMs, flops: flops.spent, dispatches, bytesMoved, kernelMs };
    },
    dispose: () => layer.dispose(),
  };
}
