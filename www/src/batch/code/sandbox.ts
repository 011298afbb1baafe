/**
 * A sandbox for a program: a worker in a frame without an origin, under a policy that lets nothing be fetched, imported or
 * connected to. The page hears it over a channel of its own, takes from it what {@link messageOf} lets through, and ends it when
 * its time is over.
 */

import { files } from "../../../../js/src/graph/files.ts";
import { freshId } from "../../frame/id.ts";
import type { Tree } from "../trees.ts";
import html from "./frame.html?raw";
import { messageOf, MOST, type Message } from "./report.ts";
import { limits } from "./strings.ts";

/** How long the worker may run from when it is given the program, in milliseconds: nothing that it says gains it time. */
export const RUN_MS = 8000;

let fetched: Promise<ArrayBuffer> | null = null;

/** The binary of graphs, which the page has already fetched for its own. */
const binary = async (): Promise<ArrayBuffer> => {
  fetched ??= firstOf(files());
  try {
    return (await fetched).slice(0);
  } catch (error) {
    fetched = null;
    throw error;
  }
};

/** The bytes of the first file that is there. */
async function firstOf(files: readonly URL[]): Promise<ArrayBuffer> {
  let response: Response | undefined;
  for (const file of files) {
    response = await fetch(file);
    if (response.ok) return response.arrayBuffer();
  }
  throw new Error(`${response?.url}: ${response?.status}`);
}

/** How a run ended, beside by its own last message. */
export type End = "stopped" | "late";

export interface Run {
  /** Ends it at once. */
  stop(): void;
  /** Resolves when it has ended: to null by its own last message. */
  readonly ended: Promise<End | null>;
}

/** Runs a program on trees, and says what it tells. */
export function run(code: string, trees: readonly Tree[], tell: (message: Message) => void): Run {
  const frame = document.createElement("iframe");
  let end: (end: End | null) => void = () => undefined;
  const ended = new Promise<End | null>((resolve) => (end = resolve));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const channels = [new MessageChannel(), new MessageChannel()] as const;
  let over = false;
  void ended.then(() => {
    over = true;
    clearTimeout(timer);
    // With its frame a worker ends, whatever it does.
    frame.remove();
    for (const { port1 } of channels) port1.close();
  });
  let heard = 0;
  const hear = ({ data }: MessageEvent<unknown>) => {
    const message = messageOf(data);
    if (!message || over) return;
    heard += 1;
    const said: Message = heard > MOST.messages ? { type: "failed", message: limits.messages(MOST.messages), line: null } : message;
    tell(said);
    if (said.type === "ended" || said.type === "failed") end(null);
  };
  for (const { port1 } of channels) port1.addEventListener("message", hear);
  const open = async () => {
    const [wasm, { default: runtime }] = await Promise.all([binary(), import("./runtime.ts?sandbox")]);
    if (over) return;
    frame.hidden = true;
    frame.sandbox.add("allow-scripts");
    frame.setAttribute("aria-hidden", "true");
    frame.srcdoc = html.replaceAll("NONCE", freshId());
    frame.addEventListener(
      "load",
      () => {
        for (const { port1 } of channels) port1.start();
        const ports = channels.map(({ port2 }) => port2);
        timer = setTimeout(() => end("late"), RUN_MS);
        // A frame without an origin has no other name; what it is sent is nobody's secret.
        frame.contentWindow?.postMessage({ code, runtime, wasm, trees, lines: code.split("\n").length }, "*", [wasm, ...ports]);
      },
      { once: true },
    );
    document.body.append(frame);
  };
  open().catch((error: unknown) => {
    if (over) return;
    tell({ type: "failed", message: error instanceof Error ? error.message : String(error), line: null });
    end(null);
  });
  return { stop: () => end("stopped"), ended };
}
