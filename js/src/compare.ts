/** One text read in several ways, in turns: as the network decided, every word read, and by another network. */

import { accountOf, timedReading, type Account } from "./account.js";
import { errorOf, SaccadeError } from "./errors.js";
import { errorBy, onAbort, stopper } from "./follow.js";
import { type Contestant, factorOf, type Factor, race, type RaceOptions, spread, type Spread } from "./measure.js";
import type { Decision, Device, Model, ReadOptions } from "./types.js";

export interface CompareOptions extends Pick<ReadOptions, "device" | "threshold" | "force">, RaceOptions {
  /** Another network, for the same text. */
  readonly against?: Model | undefined;
  /** Whether the device that the network would not choose takes its turns as well. */
  readonly bothDevices?: boolean | undefined;
  /** Whether the reading takes its turns once more as readings are made elsewhere: with the products of words that the CPU keeps. */
  readonly wordCache?: boolean | undefined;
}

/** One of the ways in which a text was read. */
export interface Way extends Spread {
  /** How many times as long it took as the reading that the network decided on. */
  readonly factor: Factor;
}

/** What a comparison came to; times are milliseconds of one reading, from token ids to scores. */
export interface Comparison {
  readonly device: Device;
  /** As the network decided. */
  readonly reading: Spread;
  /** The same network, made to read every word; null of a network that does not skim, and where nothing was skimmed. */
  readonly everyWord: Way | null;
  /** The network of `against`; null without one. */
  readonly other: Way | null;
  /**
   * As the network decided, with products of words from readings before, which no other way here may use; null unless
   * `wordCache` asks for it, and on a GPU, which keeps none.
   */
  readonly kept: Way | null;
  /** As the network decided, on the other device; null where it was not asked for or is not there. */
  readonly elsewhere: Way | null;
  /** Why a way is null that was asked for. */
  readonly absent: Readonly<Partial<Record<"everyWord" | "other" | "kept" | "elsewhere", string>>>;
  /** Where the time goes; null where the text at greater length could not be timed. */
  readonly account: Account | null;
  readonly rounds: number;
  readonly sampleMs: number;
}

/** The account needs the text at greater length: so many times. */
const TIMES = 4;

/** What `compare` times, and against what. */
export interface Contest extends Omit<CompareOptions, "wordCache"> {
  /** The network with the products of words that its CPU keeps. */
  readonly keeping?: Model | undefined;
}

/**
 * Reads a text in several ways, taking turns. The networks keep no products of words, as a full network has none to keep and
 * would be the only one that computes them all. Rejects where a device is lost on the way, and at once where the engine fails,
 * which no other turn could mend.
 */
export async function compare(model: Model, text: string, { against, keeping, bothDevices, ...options }: Contest = {}): Promise<Comparison> {
  const { signal, threshold, force } = options;
  const first = await model.read(text, { ...pick({ threshold, force, device: options.device }), signal });
  const { device } = first.timing;
  const decisions = first.tokens.map(({ decision }) => decision);
  const skims = decisions.includes("skim");
  const long = Array.from({ length: TIMES }, () => text).join("\n");
  const { length } = skims ? await model.tokenize(long) : { length: decisions.length * TIMES };
  const repeated = Array.from({ length }, (_, at) => decisions[at % decisions.length] ?? "read");
  const stop = stopper();
  const release = onAbort(signal, () => stop.abort(signal && errorBy(signal)));
  const reads = (of: Model, what: string, forced: readonly Decision[] | null, on = device): Contestant => ({
    async sample(measureMs, signal) {
      const { timing, deviceReason } = await of.read(what, { device: on, measureMs, signal, ...(forced && { force: { ...forced } }) }).catch((error) => {
        if (error instanceof SaccadeError && error.code === "ENGINE_FAILED") stop.abort(error);
        throw error;
      });
      if (timing.device !== on) throw new Error(deviceReason);
      return timing.totalMs;
    },
  });
  const run = await race<"reading" | "longer" | "everyWord" | "other" | "kept" | "elsewhere">(
    {
      reading: reads(model, text, skims ? decisions : null),
      longer: reads(model, long, skims ? repeated : null),
      ...(skims && { everyWord: reads(model, text, decisions.map(() => "read")) }),
      ...(against && { other: reads(against, text, null) }),
      ...(keeping && device === "cpu" && { kept: reads(keeping, text, skims ? decisions : null) }),
      ...(bothDevices && { elsewhere: reads(model, text, skims ? decisions : null, device === "cpu" ? "webgpu" : "cpu") }),
    },
    { ...options, signal: stop.signal },
  ).finally(release);
  const ours = run.samples.reading;
  if (!ours) throw errorOf("DEVICE_FAILED", `the text could not be read again and again: ${run.absent.reading}`);
  const way = (samples: readonly number[] | undefined): Way | null => samples ? { ...spread(samples), factor: factorOf(ours, samples) } : null;
  const counted = (all: readonly Decision[]) => {
    const read = all.filter((decision) => decision === "read").length;
    return { read, skimmed: all.length - read };
  };
  const once = timedReading(run, "reading", counted(decisions));
  const longer = timedReading(run, "longer", counted(repeated));
  const allRead = timedReading(run, "everyWord", { read: decisions.length, skimmed: 0 });
  return {
    device,
    reading: spread(ours),
    everyWord: way(run.samples.everyWord),
    other: way(run.samples.other),
    kept: way(run.samples.kept),
    elsewhere: way(run.samples.elsewhere),
    absent: run.absent,
    account: decisions.length > 0 && once && longer && (allRead || !skims) ? accountOf(once, longer, allRead) : null,
    rounds: run.rounds,
    sampleMs: run.sampleMs,
  };
}

/** Without what is not given. */
function pick({ threshold, force, device }: Pick<ReadOptions, "device" | "threshold" | "force">): ReadOptions {
  return { ...(threshold !== undefined && { threshold }), ...(force !== undefined && { force }), ...(device !== undefined && { device }) };
}
