/** What a contestant must offer. Each has a page of its own, so that none shares memory, code or a queue with another. */

import type { Layout } from "../shared/layout.ts";
import type { Case } from "../shared/workloads.ts";

/** What a contestant is given. */
export interface Job {
  readonly work: Case;
  /** The input, `[batch, steps, inputSize]`. */
  readonly input: Float32Array<ArrayBuffer>;
  /** A file of the case from the server: `weights.safetensors`, `scan.onnx`, … */
  file(name: string): Promise<Uint8Array<ArrayBuffer>>;
}

/** One way to compute the case, ready to be timed: all that can be done before the input is known has been done. */
export interface Runner {
  /** The order of the answer's rows. */
  readonly layout: Layout;
  /** One call: from the input in memory to the rows of the last layer in memory. */
  run(): Promise<Float32Array> | Float32Array;
  /** Gives back what it holds. */
  dispose(): Promise<void> | void;
}

/** A library on a device. */
export interface Contestant {
  /** The largest absolute difference to the reference that counts as agreement, where it is not everybody's. */
  readonly tolerance?: number;
  /** Ways to compute the case by name; the fastest of them is the contestant. */
  variants(work: Case): readonly string[];
  /** Makes one of them ready. */
  prepare(job: Job, variant: string): Promise<Runner>;
}
