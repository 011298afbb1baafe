/** Workers of pages, as what calls an engine in one takes them. */

import { messageOf } from "./errors.js";
import type { Answer } from "./protocol.js";
import type { Open } from "./remote.js";

/** What is said of a worker whose script did not load; `entry` is the script, which a bundler may not have put there. */
function notLoaded(entry: string): string {
  return (
    "its script did not load: it must be there, on the page's own origin, and the page's content-security policy must allow it in " +
    `worker-src; if your bundler did not put it there, bundle "${entry}" as a file of its own and add this line: ` +
    'useWorker(() => new Worker("that-file.js", { type: "module" }));'
  );
}

/** Opens workers of the script that the package calls `entry`: by what `given` has at that time, otherwise by `own`. */
export function opener(own: () => Worker, entry: string, given: () => (() => Worker) | undefined): Open {
  function owned(): Worker {
    if (typeof Worker !== "function") {
      throw new Error('no workers here; Jest takes the entry for Node by testEnvironmentOptions: { customExportConditions: ["node"] }');
    }
    try {
      return own();
    } catch (error) {
      throw new Error(`${messageOf(error)}; ${notLoaded(entry)}`, { cause: error });
    }
  }
  return (onAnswer, onFailure) => {
    const worker = (given() ?? owned)();
    worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => onAnswer(data));
    // The script did not load, or failed outside a call.
    worker.addEventListener("error", ({ message }) => onFailure(message || notLoaded(entry)));
    return {
      post: (ask, transfer) => worker.postMessage(ask, { transfer: [...transfer] }),
      terminate: () => worker.terminate(),
    };
  };
}
