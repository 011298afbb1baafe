/** Saccade on WebGPU; a GPU that fails is an error here, not a reason to go on with the CPU. */

import { saccade } from "./saccade.ts";

export default saccade("webgpu-only");
