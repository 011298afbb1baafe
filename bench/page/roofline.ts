/** The roofline's page: what the driver calls is `window.roofline`. */

import type { Turn } from "../roofline/limit.ts";
import { loops, Roofline } from "../roofline/loops.ts";
import type { Flavour } from "../roofline/wat.ts";

const modules = new Map<Flavour, Roofline>();

const roofline = {
  /** Fetches the modules; gives those that the browser takes. */
  async prepare(): Promise<Flavour[]> {
    for (const flavour of ["simd128", "relaxed-simd"] as const) {
      const bytes = await (await fetch(`roofline/${flavour}.wasm`)).arrayBuffer();
      if (!WebAssembly.validate(bytes)) continue;
      modules.set(flavour, new Roofline((await WebAssembly.instantiate(bytes)).instance));
    }
    roofline.turn(20);
    return [...modules.keys()];
  },
  /** GFLOP/s of every loop, each run for `ms` milliseconds. */
  turn(ms: number): Turn {
    const rates = [...modules].map(([flavour, module]) => [
      flavour,
      Object.fromEntries(loops.map((loop) => [loop, module.rate(loop, ms)])),
    ]);
    return Object.fromEntries(rates);
  },
};

declare global {
  interface Window {
    roofline: typeof roofline;
  }
}

window.roofline = roofline;
