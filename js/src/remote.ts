/** The engine in a worker. */

import { tagOf } from "./arguments/check.js";
import type { Caller, Calls, Follow } from "./engine.js";
import { errorOf, messageOf, notLoaded, TERMINATED } from "./errors.js";
import { onAbort } from "./follow.js";
import type { Answer, Ask } from "./protocol.js";
import { absolute, fileIn } from "./source.js";

/** A worker as this module sees it. */
export interface Port {
  post(ask: Ask, transfer: readonly Transferable[]): void;
  terminate(): void;
}

/** Makes a worker that tells what it answers, and that it failed. */
export type Open = (onAnswer: (answer: Answer) => void, onFailure: (reason: string) => void) => Port;

interface Pending {
  readonly onProgress: Follow["onProgress"];
  resolve(value: never): void;
  reject(error: unknown): void;
}

/** An engine in a worker. */
export interface Remote<Table extends { readonly [Name in keyof Table]: (...args: never) => unknown } = Calls> extends Caller<Table> {
  /** Ends the worker: what it holds is lost, and calls under way reject with `ENGINE_FAILED`. */
  terminate(): void;
  /** Ends it for good: the next call starts none, but rejects as those under way do. */
  retire(): void;
  /** Takes note that the worker is gone, of which it has told nothing itself. */
  fail(reason: string): void;
}

/**
 * An engine in a worker that starts with the first call, and anew after it failed. Calls whose names begin with `start` say where
 * WebAssembly is, and those with `release` free what is held.
 */
export function remote<Table extends { readonly [Name in keyof Table]: (...args: never) => unknown } = Calls>(
  open: Open,
  failed = (reason: string) => `the engine's worker failed, and all that it held is lost; load it again (${reason})`,
): Remote<Table> {
  let port: Port | undefined;
  let retired = false;
  let last = 0;
  /** Ids of the worker that is gone mean nothing to the next one: each has its own range. */
  let worker = 0;
  const pending = new Map<number, Pending>();

  const end = (reason: string) => {
    port?.terminate();
    port = undefined;
    for (const { reject } of pending.values()) reject(errorOf("ENGINE_FAILED", reason));
    pending.clear();
  };

  const start = (): Port => {
    const mine = ++worker;
    const onAnswer = (answer: Answer) => {
      if (mine !== worker) return;
      const asked = pending.get(answer.id);
      if ("progress" in answer) {
        asked?.onProgress?.(answer.progress, answer.from, answer.decided);
        return;
      }
      pending.delete(answer.id);
      if ("value" in answer) asked?.resolve(answer.value as never);
      else asked?.reject(errorOf(answer.error.code, answer.error.message, answer.error.cause));
    };
    const onFailure = (reason: string) => {
      if (mine === worker) end(failed(reason));
    };
    try {
      return open(onAnswer, onFailure);
    } catch (error) {
      throw errorOf("ENGINE_FAILED", `the engine's worker cannot be made: ${messageOf(error)}`, error);
    }
  };

  const post = (to: Port, ask: Ask, transfer: readonly Transferable[]) => {
    try {
      to.post(ask, transfer);
    } catch (error) {
      throw errorOf("OPTION_INVALID", `an argument cannot be copied to the worker: ${messageOf(error)}`, error);
    }
  };

  return {
    terminate: () => end(TERMINATED),
    retire() {
      retired = true;
      end(TERMINATED);
    },
    fail: (reason) => end(failed(reason)),
    async call(called, args, { signal, onProgress } = {}, transfer = []) {
      signal?.throwIfAborted();
      const name = String(called);
      // What the worker that is gone held went with it.
      if (!port && name.startsWith("release")) return undefined as never;
      const isStart = name.startsWith("start");
      const crossing = isStart ? await startAcross(args as unknown as Parameters<Calls["start"]>, { signal, onProgress }) : across(args, transfer);
      if (retired) throw errorOf("ENGINE_FAILED", TERMINATED);
      const to = (port ??= start());
      const id = ++last;
      post(to, { id, name, args: crossing.args, follow: onProgress !== undefined }, crossing.transfer);
      return new Promise((resolve, reject) => {
        const release = onAbort(signal, () => {
          reject(signal?.reason);
          if (pending.delete(id) && port === to) to.post({ id, stop: true }, []);
        });
        const settle = <T>(then: (value: T) => void) => (value: T) => {
          release();
          then(value);
        };
        pending.set(id, { onProgress, resolve: settle(resolve), reject: settle(reject) });
      });
    },
  };
}

/** What crosses of a call. */
interface Crossing {
  readonly args: readonly unknown[];
  readonly transfer: readonly Transferable[];
}

/** A view would be cloned with all of its buffer, however large: a copy of its own length crosses. */
function across(args: Crossing["args"], transfer: readonly Transferable[]): Crossing {
  const moved = [...transfer];
  const copies = args.map((arg: unknown) => {
    const isPart = ArrayBuffer.isView(arg) && (arg.byteLength < arg.buffer.byteLength || tagOf(arg.buffer) !== "ArrayBuffer");
    if (!isPart) return arg;
    const copy = (arg as Float32Array).slice();
    moved.push(copy.buffer);
    return copy;
  });
  return { args: copies, transfer: moved };
}

/** Of a response its bytes cross, and an address with the place at which it begins: this page, not the worker's script. */
async function startAcross([options]: Parameters<Calls["start"]>, follow: Follow): Promise<Crossing> {
  const { wasm, ...others } = options;
  const is = tagOf(wasm);
  try {
    if (typeof wasm === "string" || is === "URL") {
      const address = String(wasm);
      // Without a page, paths begin at the same folder in every thread.
      return { args: [{ ...others, wasm: globalThis.location ? absolute(address).href : address }], transfer: [] };
    }
    if (ArrayBuffer.isView(wasm) || is === "ArrayBuffer" || is === "Response") {
      const { bytes } = await fileIn(wasm, { by: "init", cache: false }, follow);
      return { args: [{ ...others, wasm: bytes }], transfer: [bytes.buffer] };
    }
  } catch (error) {
    throw notLoaded(error, follow.signal);
  }
  return { args: [options], transfer: [] };
}
