/** The networks that race, slowest idea first. */
export const cells = [
  { id: "elman", name: "Elman", about: "one matrix product a step, no gates" },
  { id: "gru", name: "GRU", about: "three products a step" },
  { id: "lstm", name: "LSTM", about: "four products a step" },
  { id: "skim", name: "Skim-LSTM", about: "an LSTM that decides at each step which cell works" },
  { id: "sru", name: "SRU", about: "all products at once, then a scan without any" },
] as const;

export type CellId = (typeof cells)[number]["id"];

export const nameOf = (id: CellId): string => cells.find((cell) => cell.id === id)?.name ?? id;
