import { race, type Device, type Race } from "../engine.ts";
import { SITTINGS } from "../study/measurements.svelte.ts";
import { guess } from "./live.ts";
import type { Step } from "./program.ts";
import { ways, type Report, type Way } from "./schedule.ts";

export const devices: readonly Device[] = ["cpu", "webgpu"];
/** The rounds take about so many milliseconds in all. */
const BUDGET_MS = 12_000;

/** A way on a device, which takes its turn. */
export type Turn = `${Way} ${Device}`;

/** What a program takes here, in each way on each device, all by turns. */
export class Times {
  /** What it came to, and of which program; of the latest only. */
  found: { readonly program: readonly Step[]; readonly race: Race<Turn> } | null = $state.raw(null);
  running: { readonly done: number; readonly total: number } | null = $state.raw(null);
  failure: string | null = $state(null);
  #stop: AbortController | null = null;

  cancel(): void {
    this.#stop?.abort();
  }

  async measure(program: readonly Step[], reports: Readonly<Record<Way, Report>>): Promise<void> {
    if (this.running) return;
    const { signal } = (this.#stop = new AbortController());
    const { rounds: total } = SITTINGS;
    this.failure = null;
    this.running = { done: 0, total };
    try {
      const entrants = Object.fromEntries(
        devices.flatMap((device) => ways.map((way) => [`${way} ${device}`, () => guess(program, way, reports[way], device)] as const)),
      ) as Record<Turn, () => unknown>;
      const result = await race<Turn>(entrants, { ...SITTINGS, budgetMs: BUDGET_MS, signal, onRound: ({ rounds: done }) => (this.running = { done, total }) });
      this.found = { program, race: result };
    } catch (error) {
      if (!signal.aborted) this.failure = error instanceof Error ? error.message : String(error);
    } finally {
      this.running = null;
    }
  }
}
