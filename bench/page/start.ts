/**
 * The start-up page, `?contestant=…&case=…&variant=…`: code, weights and one answer, as soon as can be. When it is done,
 * `window.started` holds the milliseconds since navigation began.
 */

import { caseOf } from "../shared/workloads.ts";
import { contestants } from "./contestants/index.ts";

/** When a page had what. */
export interface Started {
  /** The library's code was there. */
  readonly codeMs: number;
  /** The first answer was there. */
  readonly answerMs: number;
  /** Its first number, as a sign that there was one. */
  readonly value: number;
}

async function start(): Promise<Started> {
  const query = new URLSearchParams(location.search);
  const work = caseOf(query.get("case")!);
  const file = async (name: string) => {
    const response = await fetch(`cases/${work.name}/${name}`);
    return new Uint8Array(await response.arrayBuffer());
  };
  const input = file("input.f32");
  const { default: contestant } = await contestants[query.get("contestant")!]!();
  const codeMs = performance.now();
  const job = { work, input: new Float32Array((await input).buffer), file };
  const runner = await contestant.prepare(job, query.get("variant")!);
  const answer = await runner.run();
  return { codeMs, answerMs: performance.now(), value: answer[0]! };
}

declare global {
  interface Window {
    started: Promise<Started>;
  }
}

window.started = start();
