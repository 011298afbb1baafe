/**
 * What a link carries, kept after the `#` so that no server ever sees the text: `#read/savings?threshold=0.4&text=…`.
 */

import { fieldsOf, viewOf, type View } from "../study/view.ts";

/** Where in the page, and how it is shown. */
export interface Place {
  /** Absent on the landing. */
  chapter?: string;
  /** Absent at the first scene of a chapter. */
  scene?: string;
  /** Absent when nobody lectures; with or without the prose. */
  lecture?: "prose" | "figures";
}

/** Reads `location.hash`; whatever does not make sense is left out. */
export function parse(hash: string): Place & View {
  const [path = "", query = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
  const [, chapter, scene] = /^([a-z]+)(?:\/([a-z]+))?$/.exec(path) ?? [];
  const fields = new URLSearchParams(query);
  const lecture = fields.get("lecture");
  return {
    ...(chapter && { chapter }),
    ...(scene && { scene }),
    ...((lecture === "prose" || lecture === "figures") && { lecture }),
    ...viewOf(fields),
  };
}

/** The inverse of {@link parse}. */
export function format({ chapter, scene, lecture, ...view }: Place & View): string {
  const fields = fieldsOf(view);
  const query = String(lecture ? new URLSearchParams([["lecture", lecture], ...fields]) : fields);
  return `#${chapter ?? ""}${chapter && scene ? `/${scene}` : ""}${query ? `?${query}` : ""}`;
}
