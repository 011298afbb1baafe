/** Saccade on the CPU, with weights of 16 bits in memory. */

import { saccade } from "./saccade.ts";

export default saccade("cpu", { precision: "bf16" });
