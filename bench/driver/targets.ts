/** What is to be reached: how many times as fast as onnxruntime-web on the same device. */

import type { Case } from "../shared/workloads.ts";

/** A share of the limit that counts as reached, whatever the ratio, unless the limit was passed. */
export const SHARE = 0.85;

const cpu: Readonly<Record<string, readonly [gated: number, sru: number]>> = {
  W1: [2, 5],
  W2: [1.7, 2.5],
  W3: [1.7, 2.3],
  W4: [1.15, 1.8],
};

/** The ratio aimed at. */
export function target(work: Case, device: "cpu" | "webgpu"): number {
  const workload = work.name.slice(0, 2);
  if (device === "webgpu") return workload === "W4" ? 3 : 5;
  return cpu[workload]![work.cell === "sru" ? 1 : 0];
}

/** With weights of 16 bits in memory, over onnxruntime-web, on the CPU. */
export const bf16: Readonly<Record<string, number>> = { "W4-lstm": 1.5, "W4-gru": 1.5 };

/** Our SRU over our LSTM, on the CPU. */
export const sruOverLstm: Readonly<Record<string, number>> = { W1: 2.5, W4: 4 };
