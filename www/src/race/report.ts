/** The results as a table of plain text, to be pasted anywhere. */

import { spread } from "../engine.ts";
import { nameOf as nameOfDevice } from "../study/devices.ts";
import { nameOf } from "./cells.ts";
import { report as say } from "./strings.ts";
import { rateOf, type Trial } from "./trial.ts";

/** What the results were measured on. */
export interface Circumstances {
  readonly browser: string;
  /** Null where there is no WebGPU adapter, or none was raced on; undefined where the browser has not said yet. */
  readonly adapter: string | null | undefined;
  readonly when: string;
}

/** A Markdown table under the circumstances it was measured in. */
export function report(trials: readonly Trial[], { browser, adapter, when }: Circumstances): string {
  const rows = trials.map((trial) => {
    const ms = spread(trial.samples);
    const { median, untold } = rateOf(trial);
    const told = (value: string) => (untold ? say.untold[untold] : value);
    return [
      nameOf(trial.cell),
      nameOfDevice(trial.device),
      String(trial.length),
      String(trial.batch),
      String(trial.samples.length),
      told(ms.median.toPrecision(3)),
      say.between(ms.least.toPrecision(3), ms.most.toPrecision(3)),
      told(String(Math.round(median))),
      String(trial.flops),
    ];
  });
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    say.title(when),
    say.browser(browser),
    say.adapter(adapter),
    ...new Set(trials.map(({ method }) => say.method(method))),
    "",
    line(say.columns),
    line(say.columns.map(() => "---")),
    ...rows.map(line),
    "",
  ].join("\n");
}

/** What the browser calls the adapter that the engine asks for; null where it has none. */
export async function adapterName(): Promise<string | null> {
  const { gpu } = navigator as Navigator & { gpu?: { requestAdapter(options: object): Promise<{ info?: Record<string, string> } | null> } };
  // A machine may have another one, which saves power.
  const info = (await gpu?.requestAdapter({ powerPreference: "high-performance" }).catch(() => null))?.info;
  return info ? [info["vendor"], info["architecture"], info["device"], info["description"]].filter(Boolean).join(" ") || say.unnamed : null;
}
