/** What crosses between the threads. */

import type { ErrorCode } from "./errors.js";
import type { Progress } from "./types.js";

/** A call, or word that one is to stop. */
export type Ask =
  | {
      readonly id: number;
      readonly name: string;
      readonly args: readonly unknown[];
      /** Whether progress is to be told. */
      readonly follow: boolean;
    }
  | { readonly id: number; readonly stop: true };

/** An error as it crosses, where its class and its `code` would be lost. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly cause?: unknown;
}

/** The last word on a call is its value or its error; there may be word of its progress before. */
export type Answer = { readonly id: number } & (
  | { readonly progress: Progress; readonly from: number; readonly decided: Float32Array | null }
  | { readonly value: unknown }
  | { readonly error: PlainError }
);
