/** The command line of `npm run bench`. */

import { parseArgs } from "node:util";
import { type Case, cases, workloads } from "../shared/workloads.ts";

/** What can be measured; `recurrences` are the workloads. */
export const parts = ["recurrences", "skim", "next", "train", "start"] as const;
export type Part = (typeof parts)[number];

/** Contestants in the order of the tables: library, then device; the first of a device is what others are held against. */
export const roster = [
  "saccade-cpu", "saccade-simd", "saccade-bf16", "ort-wasm", "tfjs-wasm", "saccade-webgpu", "ort-webgpu", "tfjs-webgpu",
] as const;
/** The other build of the package that `--before` names, on both devices. */
const others = ["before-cpu", "before-webgpu"] as const;
export type Name = (typeof roster)[number] | (typeof others)[number];

export interface Options {
  readonly parts: readonly Part[];
  readonly cases: readonly Case[];
  readonly contestants: readonly Name[];
  readonly rounds: number;
  /** Milliseconds of a turn. */
  readonly turn: number;
  /** Seconds that a contestant may take of a case, its rounds together; one that is slower takes part in fewer. */
  readonly budget: number;
  /** Chromium's WebGPU adapter: `swiftshader`, the same on every machine, or `default`, the machine's own. */
  readonly adapter: string;
  /** The folder of another build of the package (`src/`, `pkg/`), measured beside this one. */
  readonly before: string | null;
  /** A folder with `imdb/test.tsv`, for Skim-LSTM on real texts, and `novels/test`, for language models. */
  readonly data: string | null;
  /** How many of its texts, evenly spaced. */
  readonly texts: number;
  /** Whether the results become the committed record. */
  readonly record: boolean;
}

export const help = `npm run bench -- [options]

  --native              the native benchmark of bench/native instead, with its own arguments
  --page                whether the numbers that the page shows hold in its next load, also beside a busy neighbour
  --only W1,W2-gru      workloads or cases (${workloads.map(({ name }) => name).join(", ")}; each with -lstm, -gru, -sru)
  --contestants a,b     names or beginnings of names (${roster.join(", ")})
  --devices cpu,webgpu  one or both (cpu alone unless named: a software adapter is slow)
  --parts a,b           ${parts.join(", ")} (all)
  --rounds N            rounds a case (15)
  --turn MS             how long a contestant's turn in a round lasts at least (40)
  --budget S            how long its turns in a case may last together (20)
  --adapter NAME        swiftshader (the same everywhere) or default (the machine's GPU)
  --before DIR          another build of the package (a folder with its src/ and pkg/) beside this one; the peers stay away
                        unless --contestants names them
  --data DIR            a folder with imdb/test.tsv, for Skim-LSTM on whole texts, and novels/test, for the next word
  --texts N             how many of them, evenly spaced (1000; the set has 25,000)
  --no-build            take the engine as it lies in js/pkg
  --record              keep the results in bench/record, to be committed: those of everything, on both devices and with --data
`;

/** A command line that asks for what there is not. */
export class UsageError extends Error {}

/** Reads the arguments after `npm run bench --`. */
export function parse(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      contestants: { type: "string" },
      devices: { type: "string", default: "cpu" },
      parts: { type: "string", default: parts.join(",") },
      rounds: { type: "string", default: "15" },
      turn: { type: "string", default: "40" },
      budget: { type: "string", default: "20" },
      adapter: { type: "string", default: "swiftshader" },
      before: { type: "string" },
      data: { type: "string" },
      texts: { type: "string", default: "1000" },
      "no-build": { type: "boolean" },
      record: { type: "boolean", default: false },
    },
  });
  const devices = pick("device", values.devices, ["cpu", "webgpu"], (device, asked) => device === asked);
  const before = values.before ?? null;
  const asked = values.contestants ?? (before === null ? undefined : "saccade-cpu,saccade-webgpu");
  const named: Name[] = pick("contestant", asked, roster, (name, asked) => name.startsWith(asked));
  if (before !== null) named.push(...others);
  const options = {
    parts: pick("part", values.parts, parts, (part, asked) => part === asked),
    cases: pick("case", values.only, cases, ({ name }, asked) => name === asked || name.startsWith(`${asked}-`)),
    contestants: named.filter((name) => devices.includes(deviceOf(name))),
    rounds: number("rounds", values.rounds),
    turn: number("turn", values.turn),
    budget: number("budget", values.budget),
    adapter: values.adapter,
    before,
    data: values.data ?? null,
    texts: number("texts", values.texts),
    record: values.record,
  };
  const isWhole = options.parts.length === parts.length && options.cases.length === cases.length && options.data !== null;
  if (options.record && !(isWhole && before === null && options.contestants.length === roster.length)) {
    throw new UsageError("--record keeps whole runs alone: with --data and --devices cpu,webgpu, without --only, --parts, --contestants and --before");
  }
  return options;
}

/** The device of a contestant. */
export function deviceOf(name: string): "cpu" | "webgpu" {
  return name.endsWith("webgpu") ? "webgpu" : "cpu";
}

/** Whether a name is that of a contestant that is another's library: neither of a build of ours nor of a model. */
export function isPeer(name: string): boolean {
  return roster.some((one) => one === name) && !name.startsWith("saccade-");
}

/** The address of a contestant's page: the other build's pages lie in a folder of their own. */
export function addressOf(name: Name, page: string, query: string): string {
  const [folder, contestant] = name.startsWith("before-") ? ["before/", name.replace("before", "saccade")] : ["", name];
  return `${folder}${page}.html?contestant=${contestant}${query}`;
}

function pick<T>(what: string, list: string | undefined, from: readonly T[], matches: (one: T, asked: string) => boolean): T[] {
  if (list === undefined) return [...from];
  const asked = list.split(",").filter(Boolean);
  const unknown = asked.find((word) => !from.some((one) => matches(one, word)));
  if (unknown !== undefined) throw new UsageError(`there is no ${what} ${unknown}\n\n${help}`);
  return from.filter((one) => asked.some((word) => matches(one, word)));
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new UsageError(`--${name} must be a positive number, not ${text}\n\n${help}`);
  return value;
}
