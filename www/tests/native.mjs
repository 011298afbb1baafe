/** The same model read natively, by `saccade read --json`. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { checkedSaccade, root } from "../../scripts/steps.mjs";

/** A reading of `text`; `force` as in the engine's options. Throws with the program's own message. */
export function nativeReading(model, text, force = {}) {
  const forced = Object.entries(force).map(([index, decision]) => `${index}:${decision}`);
  const options = ["--model", join("models", `${model}.safetensors`), "--json"];
  if (forced.length > 0) options.push("--force", forced.join(","));
  // By standard input, since an argument can hold neither NUL nor a very long text.
  const { status, stdout, stderr, error } = spawnSync(checkedSaccade, ["read", ...options], {
    cwd: root,
    input: text,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`saccade read ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}
