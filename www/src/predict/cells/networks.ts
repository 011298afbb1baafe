/** Three networks of as many weights that learned from the same text, character by character. */

import { names } from "./strings.ts";

const ids = ["elman", "lstm", "sru"] as const;

export type NetworkId = (typeof ids)[number];

export const networks: readonly { readonly id: NetworkId; readonly name: string }[] = ids.map((id) => ({ id, name: names[id] }));

/** The model file's address, relative to the page. */
export const addressOf = (id: NetworkId): string => `./models/shakespeare-${id}.safetensors`;
