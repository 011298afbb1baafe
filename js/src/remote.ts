/** The engine in a worker. */

import type { Engine, Follow } from "./engine.js";
import { aborted, errorOf } from "./errors.js";
import type { Answer, Ask, PlainError } from "./protocol.js";

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

/** An engine in a worker that starts with the first call, and anew after it failed. */
export function remote(open: Open): Engine & { terminate(): void } {
  let port: Port | undefined;
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
      else asked?.reject(revived(answer.error));
    };
    return open(onAnswer, (reason) => {
      if (mine === worker) end(`the engine's worker failed, and all that it held is lost; load it again (${reason})`);
    });
  };

  return {
    terminate: () => end("the worker was terminated"),
    call(name, args, { signal, onProgress } = {}, transfer = []) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(aborted(signal));
          return;
        }
        const id = ++last;
        try {
          const to = (port ??= start());
          to.post({ id, name, args, follow: onProgress !== undefined }, transfer);
          const stop = () => {
            reject(aborted(signal));
            if (pending.delete(id) && port === to) to.post({ id, stop: true }, []);
          };
          signal?.addEventListener("abort", stop);
          const settle = <T>(then: (value: T) => void) => (value: T) => {
            signal?.removeEventListener("abort", stop);
            then(value);
          };
          pending.set(id, { onProgress, resolve: settle(resolve), reject: settle(reject) });
        } catch (error) {
          reject(errorOf("ENGINE_FAILED", `the engine's worker cannot be reached: ${String(error)}`, error));
        }
      });
    },
  };
}

function revived({ name, message, code }: PlainError): Error {
  return code === null ? Object.assign(new Error(message), { name }) : errorOf(code, message);
}
