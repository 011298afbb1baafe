/** The models the page offers, by the name of their file in `models/`; the first is the one it opens with. */
export const models = [
  { id: "sst2-skim-lstm-small", name: "Sentences", about: "From single sentences of film reviews; common words only, 0.7 MB." },
  { id: "sst2-skim-lstm", name: "Sentences, all words", about: "From single sentences of film reviews; all their words, 3 MB." },
  { id: "imdb-skim-lstm", name: "Long reviews", about: "From whole film reviews, 3 MB." },
] as const;

export type ModelId = (typeof models)[number]["id"];

export function isModelId(id: string | null): id is ModelId {
  return models.some((model) => model.id === id);
}

/** The file's address, relative to the page. */
export function addressOf(id: ModelId): string {
  return `./models/${id}.safetensors`;
}
