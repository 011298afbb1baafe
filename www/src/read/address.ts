/** What a shared link carries, kept after the `#` so that no server ever sees the text. */

import type { DevicePreference } from "../../../js/types.ts";
import { isDevicePreference } from "./devices.ts";
import { isModelId, type ModelId } from "./models.ts";

export interface View {
  model?: ModelId;
  text?: string;
  /** In [0, 1]; absent when it is the model's own. */
  threshold?: number;
  /** Absent when it is `auto`. */
  device?: DevicePreference;
}

/** A longer text makes a link that mail programs and chats cut, so it is left out. */
const LONGEST_TEXT = 2000;

/** Reads `location.hash`; whatever does not make sense is left out. */
export function parse(hash: string): View {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const view: View = {};
  const model = fields.get("model");
  if (isModelId(model)) view.model = model;
  const text = fields.get("text");
  if (text !== null) view.text = text;
  const threshold = Number.parseFloat(fields.get("threshold") ?? "");
  if (threshold >= 0 && threshold <= 1) view.threshold = threshold;
  const device = fields.get("device");
  if (isDevicePreference(device) && device !== "auto") view.device = device;
  return view;
}

/** The inverse of {@link parse}. */
export function format(view: View): string {
  const fields = new URLSearchParams();
  if (view.model) fields.set("model", view.model);
  if (view.threshold !== undefined) fields.set("threshold", String(view.threshold));
  if (view.device !== undefined && view.device !== "auto") fields.set("device", view.device);
  if (view.text !== undefined && view.text.length <= LONGEST_TEXT) fields.set("text", view.text);
  return `#${fields}`;
}
