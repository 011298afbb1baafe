/** The package in a worker thread of Node. */

import { Worker as Thread } from "node:worker_threads";
import "./node.js";
import type { Answer } from "./protocol.js";
import { useWorker } from "./worker.js";

/** A thread by the interface of a browser's worker, as far as the package uses it. It keeps Node alive while a call waits. */
function thread(): Worker {
  // What says how to read a program from the command line is not meant for one from a file.
  const execArgv = process.execArgv.filter((flag) => !flag.startsWith("--input-type") && !/^(-e|-p|--eval|--print)/.test(flag));
  const worker = new Thread(new URL("./node-worker-entry.js", import.meta.url), { execArgv });
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
      else worker.on("error", ({ message }) => listener({ message }));
    },
    postMessage(ask: object, { transfer }: { readonly transfer: ArrayBuffer[] }) {
      if (!("stop" in ask)) {
        waiting += 1;
        worker.ref();
      }
      worker.postMessage(ask, transfer);
    },
    terminate: () => void worker.terminate(),
  };
  return shape as unknown as Worker;
}

useWorker(thread);

export * from "./worker.js";
