/** Saccade on the CPU, in the binary for every browser. */

import { saccade } from "./saccade.ts";

export default saccade("cpu", { variant: "simd" });
