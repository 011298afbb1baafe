/** The worker's side: answers calls with the engine of its thread. */

import type { Caller, Follow } from "./engine.js";
import { messageOf, ours } from "./errors.js";
import type { Answer, Ask } from "./protocol.js";

/** Answers what `hear` is given, by `send`. */
export function serve<Table extends { readonly [Name in keyof Table]: (...args: never) => unknown }>(
  engine: Caller<Table>,
  send: (answer: Answer, transfer: Transferable[]) => void,
): (ask: Ask) => void {
  const underWay = new Map<number, AbortController>();
  return async (ask) => {
    const { id } = ask;
    if ("stop" in ask) {
      underWay.get(id)?.abort();
      return;
    }
    const controller = new AbortController();
    underWay.set(id, controller);
    const tell: Follow["onProgress"] = (progress, from, decided) => send({ id, progress, from, decided }, []);
    const onProgress = ask.follow ? tell : undefined;
    try {
      const value: unknown = await engine.call(ask.name as keyof Table, ask.args as never, { signal: controller.signal, onProgress });
      send({ id, value }, buffers(value));
    } catch (error) {
      const { code, message, cause } = ours(error);
      // Few kinds of errors cross; their messages do.
      send({ id, error: { code, message, ...(cause !== undefined && { cause: new Error(messageOf(cause)) }) } }, []);
    } finally {
      underWay.delete(id);
    }
  };
}

/** The buffer of an answer that has one, which need not be copied. */
function buffers(value: unknown): Transferable[] {
  const inside = typeof value === "object" && value !== null && "values" in value;
  const values: unknown[] = inside ? [value.values] : Array.isArray(value) ? value.slice(0, 2) : [];
  return values.filter(ArrayBuffer.isView).map(({ buffer }) => buffer as ArrayBuffer);
}
