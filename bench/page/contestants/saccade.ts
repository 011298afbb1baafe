/** Saccade, through the package's layers. */

import { Gru, init, Lstm, Sru } from "saccade-rnn";
import type { Contestant } from "../contestant.ts";

/** The contestant on a device; `simd` forbids the binary with relaxed SIMD, otherwise the package chooses. */
export function saccade(device: "cpu" | "webgpu-only", variant: "auto" | "simd" = "auto"): Contestant {
  return {
    variants: () => ["layer"],
    async prepare({ work, input, file }) {
      await init({ variant });
      const kind = { lstm: Lstm, gru: Gru, sru: Sru }[work.cell];
      const layer = await kind.fromSafetensors(await file("weights.safetensors"));
      const lengths: number[] = Array(work.batch).fill(work.steps);
      return {
        layout: "batch",
        run: async () => (await layer.forward(input, { device, lengths })).output,
        dispose: () => layer.dispose(),
      };
    },
  };
}
