/** The models the page offers, by the name of their file in `models/`. */
export const models = [
  { id: "sst2-skim-lstm", name: "Sentences", about: "trained on single sentences of film reviews" },
  { id: "imdb-skim-lstm", name: "Long reviews", about: "trained on whole film reviews" },
] as const;

export type ModelId = (typeof models)[number]["id"];

export function isModelId(id: string | null): id is ModelId {
  return models.some((model) => model.id === id);
}

/** The file's address, relative to the page. */
export function addressOf(id: ModelId): string {
  return `./models/${id}.safetensors`;
}
