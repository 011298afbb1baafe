/** Engines in workers, which run a script of their own beside the package. */

import { platform } from "./platform.js";
import { opener } from "./port.js";
import { remote, type Remote } from "./remote.js";

const open = opener(
  () => new Worker(new URL("./worker-entry.js", import.meta.url), { type: "module" }),
  "saccade-rnn/worker-entry",
  () => platform.worker,
);

/** An engine in a worker of its own, which starts with the first call; `failed` says of a worker that it failed. */
export function engineInWorker(failed?: (reason: string) => string): Remote {
  return remote(open, failed);
}
