/** The tables, in Markdown. */

import { loops } from "../roofline/loops.ts";
import type { Answers, Question } from "../page/next.ts";
import type { ModelTurn, TextsTurn } from "../page/skim.ts";
import type { Flavour } from "../roofline/wat.ts";
import { contestants, type Figure, ours, rival, type Row, rows, short, title } from "./figures.ts";
import { hiddenSize, lanes, letters, steps } from "../shared/letters.ts";
import type { Results } from "./main.ts";
import { deviceOf } from "./options.ts";
import { ratios, type Spread, spread } from "./statistics.ts";
import { bf16, SHARE, sruOverLstm } from "./targets.ts";
import type { TrainEntry } from "./train.ts";

/**
 * Losses of learners are compared after so many steps at most, in nats a letter: later, libraries learn at different speeds from
 * different first weights.
 */
const [EARLY, NEAR] = [20, 0.25];

/** Everything that was measured. */
export function report(results: Results): string {
  const { machine, options } = results;
  const cpu = rows(results.cases, "cpu");
  const webgpu = rows(results.cases, "webgpu");
  const versions = Object.entries(results.versions).map(([name, version]) => `; ${name} ${version}`).join("");
  return [
    "# Side by side in one browser",
    `${results.date.slice(0, 10)}, ${machine.processor}, ${machine.cores} cores, ${machine.system}, load ${machine.load} before the run; ${machine.browser}, WebGPU adapter: ${machine.adapter ?? "none"}${versions}.`,
    `Medians over ${options.rounds} rounds (quartiles in brackets, and how many rounds if fewer), one thread, f32. × is how many times as long as Saccade a contestant took, round by round; *at best* compares the fastest turns.`,
    ...section("CPU, one thread", cpu, cpuRow, ["case", "limit ms"]),
    ...sru(cpu),
    ...bfloat16(cpu),
    ...section("WebGPU", webgpu, gpuRow, ["case"]),
    ...skimming(results),
    ...nextWord(results),
    ...training(results),
    ...startUp(results),
    ...roofline(results),
    ...memory([...cpu, ...webgpu]),
    ...failures([...cpu, ...webgpu], results),
    "",
  ].join("\n\n");
}

function section(name: string, lines: readonly Row[], cells: (row: Row, names: string[]) => string[], first: string[]): string[] {
  if (lines.length === 0) return [];
  const names = contestants(lines);
  const head = [...first, ...names.map(title), "target", "reached"];
  return [`## ${name}`, table(head, lines.map((row) => cells(row, names)))];
}

function cpuRow(row: Row, names: string[]): string[] {
  return [row.case.name, row.limit ? short(row.limit) : "–", ...names.map((name) => cell(row, name)), ...verdict(row)];
}

function gpuRow(row: Row, names: string[]): string[] {
  return [row.case.name, ...names.map((name) => `${cell(row, name)}${asked(row, name)}`), ...verdict(row)];
}

function verdict({ target, reached }: Row): string[] {
  return [`${target} ×`, reached === null ? "–" : reached ? "yes" : "no"];
}

const figure = (row: Row, name: string): Figure | undefined => row.figures.find(({ entry }) => entry.contestant === name);

function cell(row: Row, name: string): string {
  const found = figure(row, name);
  if (!found?.ms) return "–";
  const { atBest } = found;
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  const share = found.share && `${percent(found.share.median)} of the limit${atBest.share ? `, at best ${percent(atBest.share)}` : ""}`;
  const ratio = found.ratio && `**${short(found.ratio.median)} ×** (${range(found.ratio)}${atBest.ratio ? `; at best ${short(atBest.ratio)}` : ""})`;
  const rounds = few(found.entry.samples.filter((ms) => ms !== null).length, found.entry.samples.length);
  return [`${short(found.ms.median)} (${range(found.ms)}${rounds})`, ratio ?? (name.startsWith(ours) ? share : null)].filter(Boolean).join(", ");
}

const range = ({ low, high }: Spread) => `${short(low)}–${short(high)}`;

/** In how many rounds somebody took part, if not in all. */
const few = (count: number, all: number, what = "round") => (count === all ? "" : `; ${count} ${what}${count === 1 ? "" : "s"}`);

/** What a call asks of WebGPU. */
function asked(row: Row, name: string): string {
  const prepared = figure(row, name)?.entry.prepared;
  const counts = prepared?.trials.find(({ variant }) => variant === prepared.variant)?.counts;
  return counts ? `; ${counts.dispatches} dispatches, ${counts.submissions} submissions, ${counts.readBacks} reads` : "";
}

/** Our SRU over our LSTM. */
function sru(lines: readonly Row[]): string[] {
  const median = (name: string) => {
    const row = lines.find((one) => one.case.name === name);
    return row?.figures.find(({ entry }) => entry.contestant.startsWith(ours))?.ms?.median;
  };
  const found = ["W1", "W2", "W3", "W4"].flatMap((workload) => {
    const [lstm, quick] = [median(`${workload}-lstm`), median(`${workload}-sru`)];
    const aim = sruOverLstm[workload];
    return lstm && quick ? [`${workload} ${short(lstm / quick)} ×${aim ? ` (target ${aim} ×)` : ""}`] : [];
  });
  const note = `Reached is also what runs at ${100 * SHARE} % of the limit (the time of the matrix products alone, at the fastest rates below), unless Saccade or onnxruntime-web was faster than that.`;
  return [note, ...(found.length > 0 ? [`Our SRU over our LSTM: ${found.join(", ")}.`] : [])];
}

/** With weights of 16 bits: over the rival, and what it costs in accuracy. */
function bfloat16(lines: readonly Row[]): string[] {
  const found = lines.flatMap((row) => {
    const aim = bf16[row.case.name];
    const mine = figure(row, "saccade-bf16")?.entry;
    const rivals = row.figures.find(({ entry }) => entry.contestant.startsWith(rival))?.entry;
    const ratio = mine && rivals && spread(ratios(rivals.samples, mine.samples));
    const error = mine?.prepared?.trials.find(({ variant }) => variant === mine.prepared?.variant)?.error;
    if (!aim || !ratio || error === null || error === undefined) return [];
    return [`${row.case.name} **${short(ratio.median)} ×** (${range(ratio)}; target ${aim} ×), at most ${error.toExponential(1)} off`];
  });
  return found.length > 0 ? [`With weights of 16 bits in memory (bfloat16), onnxruntime-web's time over ours: ${found.join("; ")}.`] : [];
}

/** Speed-up of Skim-LSTM over our LSTM, and what share it is of the reduction in FLOPs. */
function skimming({ skim, texts }: Results): string[] {
  const cells = (name: string, rate: number, reduction: number, ratio: Spread | null, times: string) =>
    ratio
      ? [name, `${(100 * rate).toFixed(1)} %`, `${short(reduction)} ×`, `**${short(ratio.median)} ×** (${range(ratio)})`, `${((100 * ratio.median) / reduction).toFixed(0)} %`, times]
      : [];
  const body = skim.flatMap(({ workload, skimmers, turns }) =>
    skimmers.map(({ rate, reduction }, i) => {
      const ratio = spread(turns.map((turn) => turn.lstm / turn.skim[i]!));
      const ms = [spread(turns.map(({ lstm }) => lstm)), spread(turns.map((turn) => turn.skim[i]!))];
      return cells(workload, rate, reduction, ratio, ms.map((one) => (one ? short(one.median) : "–")).join(" / "));
    }),
  );
  const notes: string[] = [];
  if (texts && texts.turns.length > 0) {
    const sum = (model: keyof TextsTurn, of: keyof ModelTurn) => texts.turns.reduce((total, turn) => total + turn[model][of], 0);
    const rate = sum("skim", "skimmed") / sum("skim", "tokens");
    const reduction = sum("lstm", "flops") / sum("skim", "flops");
    const each = (model: keyof TextsTurn, of: keyof ModelTurn) => short(sum(model, of) / texts.texts);
    for (const [what, lstm, skim, of] of [
      ["one by one, from token ids", "lstm", "skim", "engineMs"],
      ["one by one, from text", "lstm", "skim", "wallMs"],
      ["together, from token ids", "lstmTogether", "skimTogether", "engineMs"],
      ["together, from text", "lstmTogether", "skimTogether", "wallMs"],
    ] as const) {
      const ratios = spread(texts.turns.map((turn) => turn[lstm][of] / turn[skim][of]));
      // Over all texts, as the reduction is; the spread is that of the turns.
      const ratio = ratios && { ...ratios, median: sum(lstm, of) / sum(skim, of) };
      const name = `IMDb, ${texts.texts} texts, ${what}`;
      body.push(cells(name, rate, reduction, ratio, `${each(lstm, of)} / ${each(skim, of)}`));
    }
    const right = (model: "lstm" | "skim") => `${((100 * sum(model, "right")) / texts.texts).toFixed(1)} %`;
    if (texts.before) notes.push(beforeAndNow(texts.turns, texts.before));
    notes.push(`IMDb: ${texts.lstm} is right on ${right("lstm")} of these texts, ${texts.skim} on ${right("skim")}.`);
  }
  if (body.every((cells) => cells.length === 0)) return [];
  const head = ["", "skimmed", "fewer FLOPs", "faster than our LSTM", "share of that", "ms a call, LSTM / Skim"];
  return ["## Skim-LSTM (d = 100, d' = 10) beside our LSTM, CPU", table(head, body.filter((cells) => cells.length > 0)), ...notes];
}

/** What the build before took of each model's texts, in multiples of what this one takes. */
function beforeAndNow(now: readonly TextsTurn[], before: readonly TextsTurn[]): string {
  const over = (model: keyof TextsTurn, of: "engineMs" | "wallMs") => {
    const found = spread(before.map((turn, i) => turn[model][of] / now[i]![model][of]));
    return found ? `**${short(found.median)} ×** (${range(found)})` : "–";
  };
  const models = [["LSTM", "lstm"], ["Skim-LSTM", "skim"], ["LSTM, together", "lstmTogether"], ["Skim-LSTM, together", "skimTogether"]] as const;
  const told = models.map(([name, model]) => `${name} ${over(model, "engineMs")} from token ids, ${over(model, "wallMs")} from text`);
  return `IMDb, the build before over this one, turn by turn: ${told.join("; ")}.`;
}

/** What a word takes of the language model, and how many times as long without clusters: in sum over all places of the text. */
function nextWord({ next }: Results): string[] {
  if (!next?.turns.length) return [];
  const asked: readonly (readonly [what: string, question: Question, target: number])[] = [
    ["the most probable word", "argmax", 15],
    ["the ten most probable", "top10", 8],
    ["the probabilities of all words", "all", 8],
    ["a step, and its most probable word", "tokenArgmax", 15],
    ["a step, and a word drawn", "tokenDrawn", 15],
  ];
  const all = (who: "adaptive" | "full" | "onnx", question: Question) => next.turns.map((turn) => (turn[who] as Answers | null)?.[question]);
  const compared = (who: "full" | "onnx", question: Question) => {
    const pairs = all("adaptive", question).flatMap((ours, at) => {
      const theirs = all(who, question)[at];
      return ours && theirs ? [[ours, theirs] as const] : [];
    });
    const found = spread(pairs.map(([ours, theirs]) => theirs / ours));
    if (!found) return "–";
    const sums = pairs.reduce(([a, b], [ours, theirs]) => [a + ours, b + theirs] as const, [0, 0] as const);
    return `**${short(sums[1] / sums[0])} ×** (${range(found)})`;
  };
  const body = asked.map(([what, question, target]) => {
    const ms = spread(all("adaptive", question).flatMap((one) => one ?? []));
    return [what, ms ? `${short(ms.median)} (${range(ms)})` : "–", compared("full", question), `${target} ×`, compared("onnx", question)];
  });
  const slowest = spread(next.turns.map((turn) => turn.slowest));
  const worst = Math.max(...next.turns.map((turn) => turn.slowest));
  const rows = next.turns.reduce((sum, turn) => sum + turn.rows, 0) / next.turns.length;
  return [
    `## The next word: ${next.model}, CPU`,
    table(["", "ms", "our full softmax", "target", "onnxruntime-web, full softmax"], body),
    `${next.turns.length} places of a book; the most probable word takes ${rows.toFixed(0)} rows. The slowest of 32 words at a place took ${short(slowest?.median ?? 0)} ms in the median, ${short(worst)} ms at most, neighbours' turns among them.`,
  ];
}

/** Steps of training; × is held against ours on the same device, round by round, of who learns the same. */
function training({ train }: Results): string[] {
  if (train.length === 0) return [];
  const rounds = Math.max(...train.map(({ turns }) => turns.length));
  const times = ({ turns }: TrainEntry) => turns.map(({ ms }) => ms);
  const body = train.map((entry) => {
    const { contestant, turns, losses, reason } = entry;
    const base = train.find((other) => other.contestant.startsWith(ours) && deviceOf(other.contestant) === deviceOf(contestant));
    const [ms, last, loss] = [spread(times(entry)), turns.at(-1), losses.at(-1)];
    if (!ms || !last || loss === undefined) return [title(contestant), reason ?? "–", "–", "–", "–"];
    const ratio = base && base !== entry && !apart(base, train) && !apart(entry, train) ? spread(ratios(times(entry), times(base))) : null;
    const over = ratio ? `**${short(ratio.median)} ×** (${range(ratio)})` : "–";
    const learned = `${loss.toFixed(3)} after ${lettersOf(losses.length)}`;
    return [title(contestant), `${short(ms.median)} (${range(ms)}${few(turns.length, rounds)})`, over, last.dispatches > 0 ? last.dispatches.toFixed(0) : "–", learned];
  });
  const head = ["", "ms a step", "×", "dispatches a step", "loss"];
  const name = `## Training: an LSTM of ${hiddenSize} on ${letters.length} letters, ${lanes} texts of ${steps}, Adam, ${rounds} rounds`;
  return [name, table(head, body)];
}

const lettersOf = (count: number) => `${(count * lanes * steps).toLocaleString("en")} letters`;

/**
 * How a learner's loss differs from ours after the same letters, if it does by more than a library's own first weights explain: then
 * it computes something else, and its time tells nothing.
 */
function apart({ losses }: TrainEntry, all: readonly TrainEntry[]): string | null {
  const base = all.find(({ contestant }) => contestant.startsWith(ours));
  const count = Math.min(losses.length, base?.losses.length ?? 0, EARLY);
  const [theirs, mine] = [losses[count - 1], base?.losses[count - 1]];
  if (!base || theirs === undefined || mine === undefined || Math.abs(theirs - mine) <= NEAR) return null;
  return `its loss is ${theirs.toFixed(3)} after ${lettersOf(count)}, where that of ${title(base.contestant)} is ${mine.toFixed(3)}`;
}

/** Bytes, and milliseconds to the first answer. */
function startUp({ start }: Results): string[] {
  const visits = Math.max(...start.flatMap(({ cold, warm }) => [cold.length, warm.length]));
  const answers = (taken: readonly { answerMs: number }[]) => {
    const found = spread(taken.map(({ answerMs }) => answerMs));
    return found ? `${found.median.toFixed(0)} (${found.low.toFixed(0)}–${found.high.toFixed(0)}${few(taken.length, visits, "visit")})` : "–";
  };
  const kb = (bytes: number) => (bytes / 1000).toFixed(0);
  const body = start.map(({ contestant, cold, warm, bytes, reason }) => [
    title(contestant),
    ...(reason && cold.length === 0 ? [reason, "–", "–", "–", "–"] : [kb(bytes.script + bytes.wasm), kb(bytes.script), kb(bytes.wasm), answers(cold), answers(warm)]),
  ]);
  if (body.length === 0) return [];
  const head = ["", "code over the wire, kB (gzip -9)", "script", "wasm", "first answer, ms, cold", "warm"];
  return [`## Start-up: from navigation to the rows of W1-lstm, or to a reading by one of our models, ${visits} visits`, table(head, body)];
}

function roofline(results: Results): string[] {
  const rates = results.cases.flatMap((result) => result.rates);
  const flavours = (["simd128", "relaxed-simd"] as Flavour[]).filter((flavour) => rates.some((round) => round[flavour]));
  if (flavours.length === 0) return [];
  const line = (flavour: Flavour) =>
    loops.map((loop) => {
      const values = rates.flatMap((round) => round[flavour]?.[loop] ?? []);
      return `**${short(Math.max(...values))}**, ${short(spread(values)?.median ?? 0)}`;
    });
  return ["## Roofline, GFLOP/s: the fastest turn, the median one", table(["wasm", ...loops], flavours.map((flavour) => [flavour, ...line(flavour)]))];
}

/** MiB that a page held. */
function memory(lines: readonly Row[]): string[] {
  const mib = (bytes: number | null | undefined) => (bytes ? (bytes / 2 ** 20).toFixed(1) : "–");
  const names = contestants(lines);
  const held = (row: Row, name: string) => {
    const entry = figure(row, name)?.entry;
    return entry?.prepared ? `${mib(entry.heap)}, ${mib(entry.prepared.memory.wasm)}, ${mib(entry.prepared.memory.gpu)}` : "–";
  };
  const byCase = new Map<string, Row[]>();
  for (const row of lines) byCase.set(row.case.name, [...(byCase.get(row.case.name) ?? []), row]);
  const body = [...byCase].map(([name, found]) => [
    name,
    ...names.map((contestant) => found.map((row) => held(row, contestant)).find((text) => text !== "–") ?? "–"),
  ]);
  return body.length === 0 ? [] : ["## Memory, MiB: JavaScript, wasm, GPU buffers", table(["case", ...names.map(title)], body)];
}

/** Who did not take part, or not to the end, and why: a wrong answer is never timed. */
function failures(lines: readonly Row[], { skim, texts, next, train, start, failed }: Results): string[] {
  const ofCases = lines.flatMap((row) =>
    row.figures.flatMap(({ entry }) => {
      const trials = entry.prepared?.trials.filter(({ reason }) => reason !== null) ?? [];
      const reasons = trials.map(({ variant, reason }) => `${variant}: ${reason}`);
      if (entry.reason) reasons.push(entry.reason);
      return reasons.map((reason) => `${row.case.name}, ${title(entry.contestant)}, ${reason}`);
    }),
  );
  const parts: readonly (readonly [what: string, reason: string | null])[] = [
    ...skim.map(({ workload, reason }) => [`Skim-LSTM, ${workload}`, reason] as const),
    ["Skim-LSTM, IMDb", texts?.reason ?? null],
    ["the next word", next?.reason ?? null],
    ...train.flatMap((entry) => [entry.reason, apart(entry, train)].map((reason) => [`training, ${title(entry.contestant)}`, reason] as const)),
    ...start.map(({ contestant, reason }) => [`start-up, ${title(contestant)}`, reason] as const),
  ];
  const found = [...ofCases, ...parts.flatMap(([what, reason]) => (reason === null ? [] : [`${what}, ${reason}`])), ...failed];
  return found.length === 0 ? [] : ["## Errors", found.map((one) => `- ${one}`).join("\n")];
}

/** A Markdown table. */
export function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((text) => text.replace(/\|/g, "\\|").replace(/\n/g, " ")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...body.map(line)].join("\n");
}
