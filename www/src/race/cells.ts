import { networks } from "./strings.ts";

/** The networks that race, slowest idea first. */
const ids = ["elman", "gru", "lstm", "skim", "sru"] as const;

export type CellId = (typeof ids)[number];

export const nameOf = (id: CellId): string => networks[id];

export const cells: readonly { readonly id: CellId; readonly name: string }[] = ids.map((id) => ({ id, name: nameOf(id) }));
