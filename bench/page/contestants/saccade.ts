/** Saccade, through the package's layers. */

import { Gru, init, Lstm, Sru } from "saccade-rnn";
import type { Contestant } from "../contestant.ts";

interface Choices {
  /** `simd` forbids the binary with relaxed SIMD; otherwise the package chooses. */
  readonly variant?: "auto" | "simd";
  readonly precision?: "f32" | "bf16";
}

/** The contestant on a device. */
export function saccade(device: "cpu" | "webgpu-only", { variant = "auto", precision = "f32" }: Choices = {}): Contestant {
  return {
    // A weight is off by at most 1/512, and sums of hundreds of them far less than by as many times that.
    ...(precision === "bf16" && { tolerance: 1e-2 }),
    variants: () => ["layer"],
    async prepare({ work, input, file }) {
      await init({ variant });
      const kind = { lstm: Lstm, gru: Gru, sru: Sru }[work.cell];
      const layer = await kind.fromSafetensors(await file("weights.safetensors"), { precision });
      const lengths: number[] = Array(work.batch).fill(work.steps);
      return {
        layout: "batch",
        run: async () => (await layer.forward(input, { device, lengths })).output,
        dispose: () => layer.dispose(),
      };
    },
  };
}
