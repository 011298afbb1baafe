/** What the functions of the package itself take. */

import type { InitOptions, LoadOptions, Source } from "../types.js";
import type * as entry from "../worker.js";
import { is, oneOf, optional, string, tagOf, unchecked } from "./check.js";
import { options } from "./options.js";
import { call, callback, device, maybe, precision } from "./shared.js";
import { parameter, type Signatures, takers } from "./signature.js";

type Wasm = NonNullable<InitOptions["wasm"]>;

const PLACES = ["URL", "Response", "ArrayBuffer", "WebAssembly.Module"];
const wasm = optional(
  is<Wasm>("an address, a Response, bytes or a WebAssembly.Module", (found) => {
    return typeof found === "string" || ArrayBuffer.isView(found) || PLACES.includes(tagOf(found));
  }),
);
const variant = optional(oneOf("simd", "relaxed", "auto"));

const init = parameter("options", options<InitOptions>()({ ...call, wasm, variant }));
const load = options<LoadOptions>()({
  ...call,
  device: optional(device),
  wasmUrl: wasm,
  variant,
  cache: maybe,
  integrity: optional(string),
  precision: optional(precision),
  warmUp: maybe,
});

/** @internal */
export const entrySignatures = {
  init: [init],
  // The download looks at the source.
  load: [parameter("source", unchecked<Source>()), parameter("options", load)],
  devices: [init],
  gpuStatistics: [],
  useWorker: [parameter("make", callback<() => Worker>())],
} as const satisfies Signatures<Omit<typeof entry, "terminate" | Capitalised>>;

/** Classes and layers, which are no functions of the entry. */
type Capitalised = { [Name in keyof typeof entry]: Name extends Capitalize<Name> ? Name : never }[keyof typeof entry];

export const start = takers(entrySignatures);
