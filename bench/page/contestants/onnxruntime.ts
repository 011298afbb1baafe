/** onnxruntime-web, whatever its execution provider. */

import type { InferenceSession, TensorConstructor } from "onnxruntime-web";
import { swap } from "../../shared/layout.ts";
import { forms } from "../../shared/onnx/models.ts";
import type { Contestant, Runner } from "../contestant.ts";

/** What the builds of onnxruntime-web have in common. */
export interface Runtime {
  readonly env: { wasm: { numThreads?: number; wasmPaths?: unknown }; logLevel?: unknown };
  readonly InferenceSession: { create(bytes: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession> };
  readonly Tensor: TensorConstructor;
}

/** The contestant of one build with one provider; `wasm` is the address of the build's binary. */
export function onnxruntime(runtime: Runtime, provider: "wasm" | "webgpu", wasm: string): Contestant {
  runtime.env.wasm.numThreads = 1;
  runtime.env.wasm.wasmPaths = { wasm };
  runtime.env.logLevel = "error";
  return {
    // Where ONNX has the operator, a loop of elementary ones was slower on either provider, by 1.1 to 70 times.
    variants: (work) => (work.cell === "sru" ? forms(work) : ["op"]),
    async prepare({ work, input, file }, form): Promise<Runner> {
      const session = await runtime.InferenceSession.create(await file(`${form}.onnx`), {
        executionProviders: [provider],
        graphOptimizationLevel: "all",
      });
      const output = session.outputNames[0]!;
      const dims = [work.steps, work.batch, work.inputSize];
      const rows = swap(input, work.batch, work.steps);
      return {
        layout: "time",
        async run() {
          const answer = (await session.run({ x: new runtime.Tensor("float32", rows, dims) }))[output]!;
          return answer.data as Float32Array;
        },
        dispose: () => session.release(),
      };
    },
  };
}
