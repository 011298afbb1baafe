/** The contestants by name. Each is a chunk of its own: a page fetches one. */

import type { Contestant } from "../contestant.ts";

export const contestants: Readonly<Record<string, () => Promise<{ default: Contestant }>>> = {
  "saccade-cpu": () => import("./saccade-cpu.ts"),
  "saccade-simd": () => import("./saccade-simd.ts"),
  "saccade-bf16": () => import("./saccade-bf16.ts"),
  "saccade-webgpu": () => import("./saccade-webgpu.ts"),
  "ort-wasm": () => import("./ort-wasm.ts"),
  "ort-webgpu": () => import("./ort-webgpu.ts"),
  "tfjs-wasm": () => import("./tfjs-wasm.ts"),
  "tfjs-webgpu": () => import("./tfjs-webgpu.ts"),
};
