/** What can go wrong. Every error that the package throws or rejects with is a {@link SaccadeError}; its `code` stays the same between versions. */

/**
 * | code | meaning | what to do |
 * |---|---|---|
 * | `MODEL_TRUNCATED` | the file ends too early | fetch it again |
 * | `MODEL_INVALID` | the bytes are no model file, or contradict themselves | check what the server sent |
 * | `MODEL_UNSUPPORTED` | a number format or version that this engine does not read | update the package, or store as f32, f16 or int8 |
 * | `MODEL_CONFIG` | the config is missing or wrong; a size is out of range | see the message: it names the field |
 * | `MODEL_TENSORS` | the tensors are not those of the network | see the message: it names the tensor and its shape; a `prefix` may be wrong |
 * | `MODEL_OVERFLOW` | the numbers leave the range of f32 on this text or these rows | the model, or what a layer is given, is too large |
 * | `OPTION_INVALID` | an argument is not what its type says, or out of range | see the message |
 * | `CALLBACK_FAILED` | your `onProgress` (or a race's `onRound` or `clock`) threw or rejected, which stops the call; `cause` is what it threw | mend the callback |
 * | `FETCH_FAILED` | the network, the server or the disk has no such file, or refused | check the address; see the message |
 * | `INTEGRITY_MISMATCH` | the file is not the one whose hash was given | do not use it |
 * | `ABORTED` | your `AbortSignal` was aborted; `cause` is its reason | nothing |
 * | `DISPOSED` | the model, reader or layer was disposed, perhaps while the call was under way | load it again |
 * | `ENGINE_FAILED` | the engine or its worker did not load, perhaps by a content-security policy, or stopped; everything loaded with it is gone | see the message; load again, which starts a fresh engine |
 * | `ENGINE` | a mistake of the engine's own | please report it |
 * | `TRAINING_DATA` | there is too little to learn from, or a text or a label cannot be used | see the message: it names the set and the line |
 * | `TRAINING_DIVERGED` | a loss or a gradient is no number; the best model is kept | a lower `learningRate` or `clip` |
 * | `TRAINING_STATE` | the snapshot is of a run with other settings or texts, or lacks the model that was kept | resume that run, with all that `snapshot` gave |
 * | `DEVICE_UNAVAILABLE` | there is no WebGPU, and `webgpu-only` was asked for | use `auto` or `cpu` |
 * | `DEVICE_LOST`, `DEVICE_MEMORY`, `DEVICE_FAILED`, `DEVICE_LIMIT` | the GPU is gone, full, refused a command, or too small, and `webgpu-only` was asked for | try again, or use another device |
 */
export type ErrorCode =
  | "MODEL_TRUNCATED"
  | "MODEL_INVALID"
  | "MODEL_UNSUPPORTED"
  | "MODEL_CONFIG"
  | "MODEL_TENSORS"
  | "MODEL_OVERFLOW"
  | "OPTION_INVALID"
  | "CALLBACK_FAILED"
  | "FETCH_FAILED"
  | "INTEGRITY_MISMATCH"
  | "ABORTED"
  | "DISPOSED"
  | "ENGINE_FAILED"
  | "ENGINE"
  | "TRAINING_DATA"
  | "TRAINING_DIVERGED"
  | "TRAINING_STATE"
  | "DEVICE_UNAVAILABLE"
  | "DEVICE_LOST"
  | "DEVICE_MEMORY"
  | "DEVICE_FAILED"
  | "DEVICE_LIMIT";

/** An error with a {@link ErrorCode}. */
export class SaccadeError extends Error {
  override name = "SaccadeError";
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** A model file that cannot be used: codes that begin with `MODEL_`. */
export class ModelError extends SaccadeError {
  override name = "ModelError";
}

/** An argument that cannot be used: `OPTION_INVALID`. */
export class OptionError extends SaccadeError {
  override name = "OptionError";
}

/** A call that its callback stopped by throwing: `CALLBACK_FAILED`. */
export class CallbackError extends SaccadeError {
  override name = "CallbackError";
}

/** A file that did not arrive: `FETCH_FAILED`, `INTEGRITY_MISMATCH`. */
export class FetchError extends SaccadeError {
  override name = "FetchError";
}

/** A call that its signal stopped: `ABORTED`. */
export class AbortError extends SaccadeError {
  override name = "AbortError";
}

/** Use after dispose, or a dispose in the midst of a call: `DISPOSED`. */
export class DisposedError extends SaccadeError {
  override name = "DisposedError";
}

/** The engine did not load or stopped: `ENGINE_FAILED`, `ENGINE`. */
export class EngineError extends SaccadeError {
  override name = "EngineError";
}

/** A GPU that fails or is not there, where it alone was asked for: codes that begin with `DEVICE_`. */
export class DeviceError extends SaccadeError {
  override name = "DeviceError";
}

const classes: readonly [string, typeof SaccadeError][] = [
  ["MODEL_", ModelError],
  ["OPTION_", OptionError],
  ["CALLBACK_", CallbackError],
  ["FETCH_", FetchError],
  ["INTEGRITY_", FetchError],
  ["ABORTED", AbortError],
  ["DISPOSED", DisposedError],
  ["ENGINE", EngineError],
  ["DEVICE_", DeviceError],
  ["TRAINING_", SaccadeError],
];

function classOf(code: string): typeof SaccadeError | undefined {
  return classes.find(([prefix]) => code.startsWith(prefix))?.[1];
}

/** The error of a code, of its class. */
export function errorOf(code: ErrorCode, message: string, cause?: unknown): SaccadeError {
  return new (classOf(code) ?? SaccadeError)(code, message, cause);
}

/** What an aborted signal makes of a call. */
export function aborted(signal: AbortSignal | undefined): SaccadeError {
  return errorOf("ABORTED", "stopped by its signal", signal?.reason);
}

/** What is told of a worker that was ended. */
export const TERMINATED = "the worker was terminated";

/** What is told of an engine that did not start, unless its signal stopped it. */
export function notLoaded(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  return errorOf("ENGINE_FAILED", `the engine (WebAssembly) did not load: ${messageOf(error)}`, error);
}

/** What was thrown, as one of ours: the engine's errors have a code, and any other is a mistake of its own. */
export function ours(thrown: unknown): SaccadeError {
  if (thrown instanceof SaccadeError) return thrown;
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  return classOf(code) ? errorOf(code as ErrorCode, messageOf(thrown)) : errorOf("ENGINE", messageOf(thrown), thrown);
}

/** The message of whatever was thrown, also by another realm. */
export function messageOf(thrown: unknown): string {
  try {
    return String((thrown as Error | null)?.message ?? thrown);
  } catch {
    return "something that cannot be read";
  }
}
