/** The page's link, and the reading as a picture. */

import { format, parse, type Place } from "../frame/address.ts";
import { directionOf } from "../frame/direction.ts";
import type { Seen } from "../study/reader.svelte.ts";
import { linked, type View } from "../study/view.ts";
import { reading as say } from "./strings.ts";

/** Hands a link to what is shown to the system's own dialogue, or to the clipboard; resolves to what was done, in words. */
export async function shareLink(shown: View): Promise<string> {
  const { view, without } = linked(shown);
  // The address may be a moment behind the view.
  const { chapter, scene, lecture } = parse(location.hash);
  const place: Place = { ...(chapter && { chapter }), ...(scene && { scene }), ...(lecture && { lecture }) };
  const url = new URL(format({ ...place, ...view }), location.href).href;
  try {
    if (navigator.share) {
      await navigator.share({ title: document.title, url });
      return without.length > 0 ? say.shared(without) : "";
    }
    await navigator.clipboard.writeText(url);
    return say.copied(without);
  } catch (error) {
    return error instanceof DOMException && error.name === "AbortError" ? "" : say.noSharing;
  }
}

/** Of the picture, in pixels, and how many tokens it has room for. */
const [WIDTH, MARGIN, SIZE, LINE, MOST] = [1200, 72, 40, 84, 300];

/** The reading as a PNG: words read are bold, words skimmed light, under each its probability of being read. */
export async function picture({ text, reading }: Seen): Promise<Blob | null> {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  if (!context) return null;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const font = (weight: number) => `${weight} ${SIZE}px ${colour("--serif")}`;
  const rightToLeft = directionOf(text) === "rtl";
  const tokens = reading.tokens.slice(0, MOST);
  let [x, y] = [MARGIN, MARGIN + SIZE];
  const placed = tokens.map((token, index) => {
    const word = text.slice(token.start, token.end);
    context.font = font(token.decision === "read" ? 700 : 300);
    const width = context.measureText(word).width;
    const gap = text.slice(tokens[index - 1]?.end ?? 0, token.start);
    if (gap !== "") x += SIZE / 4;
    if (gap.includes("\n") || (x + width > WIDTH - MARGIN && x > MARGIN)) [x, y] = [MARGIN, y + LINE];
    const at = { token, word, width, x, y };
    x += width;
    return at;
  });
  [canvas.width, canvas.height] = [WIDTH, Math.max(630, y + LINE + MARGIN)];
  context.fillStyle = colour("--raised");
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (const { token, word, width, x, y } of placed) {
    const read = token.decision === "read";
    const left = rightToLeft ? WIDTH - x - width : x;
    context.font = font(read ? 700 : 300);
    context.fillStyle = colour(read ? "--ink" : "--quiet");
    context.fillText(word, left, y);
    const likely = width * (1 - (token.skimProbability ?? 0));
    context.fillStyle = colour(read ? "--read" : "--skim");
    context.fillRect(rightToLeft ? left + width - likely : left, y + 12, likely, 5);
  }
  const skimmed = reading.tokens.filter(({ decision }) => decision === "skim").length;
  context.font = `400 26px ${colour("--sans")}`;
  context.fillStyle = colour("--quiet");
  context.fillText(say.onPicture(reading.label, skimmed, reading.tokens.length), MARGIN, canvas.height - MARGIN / 2);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** Hands a file to the visitor. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
