/** The eye on its way along the text: at which token it stands, whether it moves, and how fast. */

import type { Decision } from "../engine.ts";

export const speeds = [0.5, 1, 2, 4] as const;
export type Speed = (typeof speeds)[number];

export function isSpeed(value: number): value is Speed {
  return speeds.some((speed) => speed === value);
}

/** What a playback needs to know of a reading. */
export interface Pace {
  /** How many tokens there are. */
  readonly count: number;
  /** How long the eye stays at a token at speed 1, in milliseconds. */
  duration(index: number): number;
}

/** How long the eye stays at a word that is read, at speed 1, and the least that can be seen, in milliseconds. */
const [READ_MS, LEAST_MS] = [520, 45];
/** How much longer reading takes than skimming, as long as nobody knows. */
const RATIO = 6;

/**
 * The pace of a reading. `ratio` is how many times longer the step of a word that is read takes than that of a skimmed one, null
 * while nobody has measured it. The eye stays so many times longer at a word that is read, and never shorter.
 */
export function paceOf(tokens: readonly { readonly decision: Decision }[], ratio: number | null): Pace {
  const skim = Math.max(LEAST_MS, READ_MS / Math.max(1, ratio ?? RATIO));
  return { count: tokens.length, duration: (index) => (tokens[index]?.decision === "skim" ? skim : READ_MS) };
}

/**
 * Goes from token to token, at each for the time that its step takes, slowed down so that it can be followed. `at` is null
 * when all has been read, which is where a playback begins and ends.
 */
export class Playback {
  at: number | null = $state(null);
  playing = $state(false);
  speed: Speed = $state(1);
  readonly #pace: () => Pace;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `pace` is asked anew at every step, so that a reading may change under way. */
  constructor(pace: () => Pace) {
    this.#pace = pace;
  }

  /** From where it stands, or, at the end, from the beginning. */
  play(): void {
    const { count } = this.#pace();
    if (count === 0) return;
    this.playing = true;
    if (this.at === null || this.at >= count - 1) this.at = 0;
    this.#wait();
  }

  pause(): void {
    this.playing = false;
    clearTimeout(this.#timer);
  }

  toggle(): void {
    if (this.playing) this.pause();
    else this.play();
  }

  /** To the token at `index`, or the nearest there is; the playback stops there. */
  seek(index: number): void {
    this.pause();
    const { count } = this.#pace();
    this.at = count === 0 ? null : Math.max(0, Math.min(index, count - 1));
  }

  /** `by` tokens on, or back. */
  step(by: number): void {
    this.seek((this.at ?? this.#pace().count) + by);
  }

  /** All has been read. */
  finish(): void {
    this.pause();
    this.at = null;
  }

  #wait(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#advance(), this.#pace().duration(this.at ?? 0) / this.speed);
  }

  #advance(): void {
    const next = (this.at ?? 0) + 1;
    if (next >= this.#pace().count) {
      this.finish();
      return;
    }
    this.at = next;
    this.#wait();
  }
}
