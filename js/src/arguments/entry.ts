/** What the functions of the package itself take. */

import type { Contestant, Entrant, RaceOptions } from "../measure.js";
import type { InitOptions, LoadOptions, Source } from "../types.js";
import type * as entry from "../worker.js";
import { type Check, is, isRecord, oneOf, optional, refuse, string, tagOf, unchecked } from "./check.js";
import { options } from "./options.js";
import { call, callback, device, maybe, precision, turns } from "./shared.js";
import { parameter, type Signatures, takers } from "./signature.js";

type Wasm = NonNullable<InitOptions["wasm"]>;

const PLACES = ["URL", "Response", "ArrayBuffer", "WebAssembly.Module"];
export const wasm = optional(
  is<Wasm>("an address, a Response, bytes or a WebAssembly.Module", (found) => {
    return typeof found === "string" || ArrayBuffer.isView(found) || PLACES.includes(tagOf(found));
  }),
);
const variant = optional(oneOf("simd", "relaxed", "auto"));

const init = parameter("options", options<InitOptions>()({ ...call, wasm, variant }));
const load = options<LoadOptions>()({
  ...call,
  task: optional(oneOf("classify", "predict", "tag", "parse", "tree")),
  device: optional(device),
  wasmUrl: wasm,
  variant,
  cache: maybe,
  integrity: optional(string),
  precision: optional(precision),
  warmUp: maybe,
});

type Entrants = Readonly<Partial<Record<string, Entrant>>>;

const entrants: Check<Entrants> = {
  expected: "an object of functions, or of objects with a function sample",
  take(found, at) {
    if (!isRecord(found)) refuse(at, this.expected, found);
    const all = Object.entries(found);
    for (const [name, entrant] of all) {
      const sample: unknown = (entrant as Partial<Contestant> | null | undefined)?.sample;
      if (typeof entrant !== "function" && typeof sample !== "function") refuse(`${at}.${name}`, "a function, or an object with a function sample", entrant);
    }
    return Object.fromEntries(all) as Entrants;
  },
};

/** @internal */
export const entrySignatures = {
  init: [init],
  // The download looks at the source.
  load: [parameter("source", unchecked<Source>()), parameter("options", load)],
  devices: [init],
  gpuStatistics: [],
  race: [parameter("entrants", entrants), parameter("options", options<RaceOptions>()(turns))],
  useWorker: [parameter("make", callback<() => Worker>())],
} as const satisfies Signatures<Omit<typeof entry, "terminate" | Capitalised>>;

/** Classes and layers, which are no functions of the entry. */
type Capitalised = { [Name in keyof typeof entry]: Name extends Capitalize<Name> ? Name : never }[keyof typeof entry];

export const start = takers(entrySignatures);
