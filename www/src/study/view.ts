/** What a link says of the text and the model, as fields of a query: `threshold=0.4&text=…`. */

import type { Decision, DevicePreference } from "../engine.ts";
import { isDevicePreference } from "./devices.ts";
import { isLanguageModelId, languageModels, type LanguageModelId } from "./language.ts";
import { isModelId, type ModelId } from "./models.ts";
import { isSpeed, type Speed } from "./playback.svelte.ts";

/** A field that is absent stands at what the page opens with. */
export interface View {
  model?: ModelId;
  text?: string;
  /** The model that guesses words; absent when it is the first, `own` of one that was learned in this browser. */
  language?: LanguageModelId | "own";
  /** In [0, 1]; absent when it is the model's own. */
  threshold?: number;
  /** Absent when it is `auto`. */
  device?: DevicePreference;
  /** Decisions made by the person, by token index. */
  force?: Readonly<Record<number, Decision>>;
  /** The token at which the playback stands; absent when all has been read. */
  at?: number;
  /** Absent when it is 1. */
  speed?: Speed;
  /** How a training run begins, as the chapter Train writes it; absent when it begins as that chapter opens. */
  run?: string;
  /** A program of the visitor's, in the chapter Batch; absent when it is the page's own. It runs only when somebody starts it. */
  code?: string;
  /** Scenes whose mathematics is shown; absent when there are none. */
  maths?: readonly string[];
}

/** What is longer makes a link that mail programs and chats cut, so it is left out, and with a text what counts its tokens. */
const LONGEST = { text: 2000, code: 3000 };

/** What may be too long for a link. */
export const wordy = ["text", "code"] as const;
export type Wordy = (typeof wordy)[number];

/** What of a text and a program no link carries. */
export const tooLong = (of: { readonly [field in Wordy]?: string | null }): readonly Wordy[] => wordy.filter((field) => (of[field]?.length ?? 0) > LONGEST[field]);

/** What no link carries. */
export type LeftOut = "model" | Wordy;

/** Of a view what a link restores for somebody else, and what it leaves out: a file of the visitor's, a long text or program. */
export function linked(view: View): { readonly view: View; readonly without: readonly LeftOut[] } {
  const { language, threshold, force, at, ...others } = view;
  // What belongs to a model says nothing of another.
  const ofModel = view.model && { ...(threshold !== undefined && { threshold }), ...(force && { force }), ...(at !== undefined && { at }) };
  return {
    view: { ...others, ...(language && language !== "own" && { language }), ...ofModel },
    without: [...(view.model ? [] : ["model" as const]), ...tooLong(view)],
  };
}

/** A scene by its chapter and its name: `read-step`. */
const SCENE = /^[a-z]+-[a-z]+$/;

/** Words and numbers of a run. */
const RUN = /^(?:[a-z]{1,20}_){0,3}[\d.e_-]{1,60}$/;

/** Reads the fields; whatever does not make sense is left out. */
export function viewOf(fields: URLSearchParams): View {
  const view: View = {};
  const model = fields.get("model");
  if (isModelId(model)) view.model = model;
  const language = fields.get("language");
  if (language === "own" || (isLanguageModelId(language) && language !== languageModels[0])) view.language = language;
  const text = fields.get("text");
  if (text !== null) view.text = text;
  const threshold = Number.parseFloat(fields.get("threshold") ?? "");
  if (threshold >= 0 && threshold <= 1) view.threshold = threshold;
  const device = fields.get("device");
  if (isDevicePreference(device) && device !== "auto") view.device = device;
  const force = parseForce(fields.get("force") ?? "");
  if (Object.keys(force).length > 0) view.force = force;
  const at = fields.get("at") ?? "";
  if (/^\d{1,7}$/.test(at)) view.at = Number(at);
  const speed = Number(fields.get("speed"));
  if (isSpeed(speed) && speed !== 1) view.speed = speed;
  const run = fields.get("run") ?? "";
  if (RUN.test(run)) view.run = run;
  const code = fields.get("code");
  if (code !== null && tooLong({ code }).length === 0) view.code = code;
  const maths = (fields.get("maths") ?? "").split(".").filter((scene) => SCENE.test(scene));
  if (maths.length > 0) view.maths = maths;
  return view;
}

/** The inverse of {@link viewOf}. */
export function fieldsOf(view: View): URLSearchParams {
  const fields = new URLSearchParams();
  const long = tooLong(view);
  const fits = !long.includes("text");
  if (view.model) fields.set("model", view.model);
  if (view.language && view.language !== languageModels[0]) fields.set("language", view.language);
  if (view.threshold !== undefined) fields.set("threshold", String(view.threshold));
  if (view.device !== undefined && view.device !== "auto") fields.set("device", view.device);
  if (view.speed !== undefined && view.speed !== 1) fields.set("speed", String(view.speed));
  if (view.run !== undefined) fields.set("run", view.run);
  if (view.code !== undefined && !long.includes("code")) fields.set("code", view.code);
  if (view.maths && view.maths.length > 0) fields.set("maths", view.maths.join("."));
  if (fits && view.at !== undefined) fields.set("at", String(view.at));
  if (fits && view.force && Object.keys(view.force).length > 0) fields.set("force", formatForce(view.force));
  if (fits && view.text !== undefined) fields.set("text", view.text);
  return fields;
}

/** `3r.17s`: token 3 is to be read, 17 skimmed. */
function formatForce(force: Readonly<Record<number, Decision>>): string {
  return Object.entries(force)
    .map(([index, decision]) => `${index}${decision === "read" ? "r" : "s"}`)
    .join(".");
}

function parseForce(text: string): Record<number, Decision> {
  const pairs = text.split(".").map((part) => /^(\d{1,7})([rs])$/.exec(part));
  return Object.fromEntries(pairs.flatMap((pair) => (pair ? [[Number(pair[1]), pair[2] === "r" ? "read" : "skim"]] : [])));
}
