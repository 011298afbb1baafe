/** The roofline's modules, assembled by binaryen. */

import binaryen from "binaryen";
import { type Flavour, wat } from "./wat.ts";

/** The module's bytes, with a memory of `pages` pages of 64 KiB. */
export function assemble(flavour: Flavour, pages: number): Uint8Array<ArrayBuffer> {
  const module = binaryen.parseText(wat(flavour, pages));
  module.setFeatures(binaryen.Features.SIMD128 | binaryen.Features.RelaxedSIMD);
  if (!module.validate()) throw new Error(`the roofline's ${flavour} module is not valid`);
  const bytes = Uint8Array.from(module.emitBinary());
  module.dispose();
  return bytes;
}
