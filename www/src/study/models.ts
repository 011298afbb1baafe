import { models as named } from "./strings.ts";

/** The models the page offers, by the name of their file in `models/`; the first is the one it opens with. */
const ids = ["sst2-skim-lstm-small", "sst2-skim-lstm", "imdb-skim-lstm", "trec-skim-lstm"] as const;

export type ModelId = (typeof ids)[number];

interface Offer {
  readonly id: ModelId;
  readonly name: string;
  readonly about: string;
}

const offer = (id: ModelId): Offer => ({ id, ...named[id] });
export const models: readonly [Offer, ...Offer[]] = [offer(ids[0]), ...ids.slice(1).map(offer)];

export function isModelId(id: string | null): id is ModelId {
  return ids.some((known) => known === id);
}

/** Where a model comes from: this site, or a file of the visitor's own, which never leaves the browser. */
export type Source = { readonly kind: "shipped"; readonly id: ModelId } | { readonly kind: "own"; readonly file: File };

/** What the page calls it. */
export function nameOf(source: Source): string {
  return source.kind === "own" ? source.file.name : aboutOf(source.id).name;
}

export const aboutOf = offer;

/** The file's address, relative to the page. */
export function addressOf(id: ModelId): string {
  return `./models/${id}.safetensors`;
}
