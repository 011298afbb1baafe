/** Threads of Node. */

import type { Worker as Thread } from "node:worker_threads";
import { messageOf } from "./errors.js";
import type { Answer } from "./protocol.js";

const advice = 'leave the package out of the bundle: external: ["saccade-rnn"] (Next: serverExternalPackages)';

/** Whether the thread's script is not there. */
function isAbsent(error: Error): boolean {
  return "code" in error && /^(ERR_)?MODULE_NOT_FOUND$/.test(String(error.code));
}

/**
 * What makes the thread. It names its script itself, so that bundlers see where that is; Turbopack does if options in braces follow.
 */
type Make = (options: { readonly execArgv?: string[] }) => Thread;

function open(make: Make): Thread {
  // What says how to read a program from the command line is not meant for one from a file.
  const execArgv = process.execArgv.filter((flag) => !flag.startsWith("--input-type") && !/^(-e|-p|--eval|--print)/.test(flag));
  try {
    // Node checks flags that it is given, and among its own may be some, as Node 26's test runner has, that it refuses.
    return make(execArgv.length === process.execArgv.length ? {} : { execArgv });
  } catch (error) {
    throw new Error(`${messageOf(error)}; ${advice}`, { cause: error });
  }
}

/** A thread by the interface of a browser's worker, as far as the package uses it. It keeps Node alive while a call waits. */
export function thread(make: Make): Worker {
  const worker = open(make);
  worker.unref();
  let waiting = 0;
  worker.on("message", (answer: Answer) => {
    if ("progress" in answer) return;
    waiting -= 1;
    if (waiting === 0) worker.unref();
  });
  const shape = {
    addEventListener(type: "message" | "error", listener: (event: { data?: Answer; message?: string }) => void) {
      if (type === "message") worker.on("message", (data: Answer) => listener({ data }));
      else {
        worker.on("error", (error) => listener({ message: isAbsent(error) ? `${error.message}; ${advice}` : error.message }));
        // Of a thread that somebody ended there is no other word.
        worker.on("exit", (code) => listener({ message: `its thread ended with exit code ${code}` }));
      }
    },
    postMessage(ask: object, { transfer }: { readonly transfer: ArrayBuffer[] }) {
      // First: of what cannot be copied there is no answer to wait for.
      worker.postMessage(ask, transfer);
      if ("stop" in ask) return;
      waiting += 1;
      worker.ref();
    },
    terminate: () => void worker.terminate(),
  };
  return shape as unknown as Worker;
}
