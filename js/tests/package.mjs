/**
 * The package that the tests of both threads are about: this thread's or, if THREAD is `worker`, that of a worker. In Node it
 * is an environment variable, in a page (`browser/page.mjs`) a global one.
 */

export const inNode = globalThis.process?.versions?.node !== undefined;

/** `main` or `worker`. */
export const thread = (inNode ? process.env.THREAD : globalThis.THREAD) ?? "main";

const entries = inNode ? { main: "node", worker: "node-worker" } : { main: "index", worker: "worker" };
const entry = await import(`../dist/${entries[thread]}.js`);

export const { AbortError, AdaptiveSoftmax, CallbackError, Elman, Gru, Lstm, Sru, Skim, SaccadeError } = entry;
export const { DisposedError, ModelError, OptionError, devices, gpuStatistics, init, load, race } = entry;

/** The package of the other thread. */
export const ofOtherThread = () => import(`../dist/${entries[thread === "main" ? "worker" : "main"]}.js`);

/** A classifier of a parser's trees, with the parser in every call. */
export function withParser(parser, model) {
  const call = (name) => ({ value: (texts, options, ...others) => model[name](texts, { parser, ...options }, ...others) });
  return Object.create(model, { classify: call("classify"), classifyAll: call("classifyAll") });
}

/** Whether this place has a GPU to compute on. */
export const hasGpu = Boolean(await globalThis.navigator?.gpu?.requestAdapter());

/** The address of a file of the repository. */
export function address(path) {
  return new URL(`../../${path}`, import.meta.url);
}

/** The bytes of a file of the repository. */
export async function bytesOf(path) {
  if (!inNode) return new Uint8Array(await (await fetch(address(path))).arrayBuffer());
  const { readFile } = await import("node:fs/promises");
  return new Uint8Array(await readFile(address(path)));
}

/** The global object of another realm: of a frame, in Node of a context. */
export async function elsewhere() {
  if (inNode) {
    const { createContext, runInContext } = await import("node:vm");
    return runInContext("globalThis", createContext());
  }
  return document.body.appendChild(document.createElement("iframe")).contentWindow;
}

/** The names in a folder of the repository; a page is told them by who opened it. */
export async function list(folder) {
  if (!inNode) return globalThis.FOLDERS[folder];
  const { readdir } = await import("node:fs/promises");
  return readdir(address(folder));
}
