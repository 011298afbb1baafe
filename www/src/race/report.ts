/** The results as a table of plain text, to be pasted anywhere. */

import { spread } from "../engine.ts";
import { nameOf } from "./cells.ts";
import { tokensOf, type Trial } from "./trial.ts";

/** What the results were measured on. */
export interface Circumstances {
  readonly browser: string;
  /** Null where the browser has no WebGPU adapter. */
  readonly adapter: string | null;
  readonly when: string;
}

/** A Markdown table under the circumstances it was measured in. */
export function report(trials: readonly Trial[], { browser, adapter, when }: Circumstances): string {
  const head = ["network", "device", "tokens", "texts", "ms (median)", "ms (quartiles)", "tokens/s", "FLOPs"];
  const rows = trials.map((trial) => {
    const ms = spread(trial.samples);
    return [
      nameOf(trial.cell),
      trial.device === "cpu" ? "CPU" : "WebGPU",
      String(trial.length),
      String(trial.batch),
      ms.median.toPrecision(3),
      `${ms.low.toPrecision(3)} to ${ms.high.toPrecision(3)}`,
      String(Math.round((1000 * tokensOf(trial)) / ms.median)),
      String(trial.flops),
    ];
  });
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    `Saccade, ${when}`,
    `Browser: ${browser}`,
    `WebGPU adapter: ${adapter ?? "none"}`,
    ...new Set(trials.map(({ method }) => `Method: ${method}`)),
    "",
    line(head),
    line(head.map(() => "---")),
    ...rows.map(line),
    "",
  ].join("\n");
}

/** What this browser says of itself and of its adapter. */
export async function circumstances(): Promise<Circumstances> {
  const gpu = (navigator as Navigator & { gpu?: { requestAdapter(): Promise<{ info?: Record<string, string> } | null> } }).gpu;
  const info = (await gpu?.requestAdapter().catch(() => null))?.info;
  const adapter = info ? [info["vendor"], info["architecture"], info["device"], info["description"]].filter(Boolean).join(" ") : "";
  return { browser: navigator.userAgent, adapter: adapter || (info ? "unnamed" : null), when: new Date().toISOString() };
}
