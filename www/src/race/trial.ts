import type { Device } from "../engine.ts";
import type { CellId } from "./cells.ts";

/** What is to be measured: one network reading a text of `length` tokens on one device. */
export interface Heat {
  readonly cell: CellId;
  readonly device: Device;
  readonly length: number;
}

/** What was measured. */
export interface Trial extends Heat {
  /** Wall milliseconds of one reading, from token ids to scores, sample by sample. */
  readonly samples: readonly number[];
  /** Floating-point operations of the recurrent layer. */
  readonly flops: number;
  /** How one sample was taken, in words. */
  readonly method: string;
}

/** Why there is no trial of a heat. */
export interface Absent extends Heat {
  readonly reason: string;
}

/** Where the time of a network goes on a device. */
export interface Anatomy {
  readonly cell: CellId;
  readonly device: Device;
  /** Milliseconds of every reading, however short: launching, waiting, reading back. */
  readonly fixedMs: number;
  /** Milliseconds of each further token: arithmetic, and the memory it waits for. */
  readonly tokenMs: number;
  /** Kernels launched for a text of 128 tokens, and their own time by the GPU's clock; null where nobody can tell. */
  readonly kernels: { readonly launches: number; readonly ms: number } | null;
}

export const keyOf = ({ cell, device, length }: Heat): string => `${cell} ${device} ${length}`;
