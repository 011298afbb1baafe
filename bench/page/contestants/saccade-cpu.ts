/** Saccade on the CPU, in the binary that the package chooses: with relaxed SIMD where the browser has it. */

import { saccade } from "./saccade.ts";

export default saccade("cpu");
