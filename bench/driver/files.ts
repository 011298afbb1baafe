/** The files that pages ask for: weights, inputs, references and ONNX models, by case; the roofline; our trained models. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { assemble } from "../roofline/assemble.ts";
import { PAGES } from "../roofline/loops.ts";
import { fullModel, fullOnnx, original, twins } from "../shared/next.ts";
import { type Form, onnxModel } from "../shared/onnx/models.ts";
import { reference } from "../shared/reference.ts";
import { writeSafetensors } from "../shared/safetensors.ts";
import { drawInput, drawWeights } from "../shared/weights.ts";
import { type Case, caseOf } from "../shared/workloads.ts";

/** The bytes of a path such as `cases/W1-lstm/op.onnx`; pages of both builds ask for the same files. */
export function make(path: string): Uint8Array | undefined {
  const [folder, name = "", file = ""] = path.replace(/^before\//, "").split("/");
  if (folder === "roofline") return assemble(name === "simd128.wasm" ? "simd128" : "relaxed-simd", PAGES);
  if (folder === "models") {
    if (name === twins.model) return fullModel(stored(`${original}.safetensors`)!);
    if (name === twins.onnx) return fullOnnx(stored(`${original}.safetensors`)!);
    return /^[\w-]+\.safetensors$/.test(name) ? stored(name) : undefined;
  }
  if (folder === "cases") return caseFile(caseOf(name), file);
  return undefined;
}

/** A file of our trained models. */
function stored(name: string): Uint8Array | undefined {
  const path = join(import.meta.dirname, "..", "..", "models", name);
  return existsSync(path) ? readFileSync(path) : undefined;
}

function caseFile(work: Case, file: string): Uint8Array | undefined {
  const weights = drawWeights(work);
  if (file === "weights.safetensors") return writeSafetensors(weights);
  if (file === "input.f32") return new Uint8Array(drawInput(work).buffer);
  if (file === "reference.f64") return new Uint8Array(reference(work, weights, drawInput(work)).buffer as ArrayBuffer);
  const form = /^(op|scan|unrolled)\.onnx$/.exec(file)?.[1];
  return form ? onnxModel(work, weights, form as Form) : undefined;
}
