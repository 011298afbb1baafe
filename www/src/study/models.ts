/** The models the page offers, by the name of their file in `models/`; the first is the one it opens with. */
export const models = [
  {
    id: "sst2-skim-lstm-small",
    name: "Sentences",
    about: "For sentences of film reviews. Common words only, to be here at once: 0.7 MB.",
  },
  { id: "sst2-skim-lstm", name: "Sentences, all words", about: "For sentences of film reviews, with four times as many words: 3 MB." },
  { id: "imdb-skim-lstm", name: "Long reviews", about: "For whole film reviews: 3 MB." },
  { id: "trec-skim-lstm", name: "Questions", about: "Says what a question asks for, a person, a place, a number: 3 MB." },
] as const;

export type ModelId = (typeof models)[number]["id"];

export function isModelId(id: string | null): id is ModelId {
  return models.some((model) => model.id === id);
}

/** Where a model comes from: this site, or a file of the visitor's own, which never leaves the browser. */
export type Source = { readonly kind: "shipped"; readonly id: ModelId } | { readonly kind: "own"; readonly file: File };

/** What the page calls it. */
export function nameOf(source: Source): string {
  return source.kind === "own" ? source.file.name : aboutOf(source.id).name;
}

export function aboutOf(id: ModelId): (typeof models)[number] {
  return models.find((model) => model.id === id) ?? models[0];
}

/** The file's address, relative to the page. */
export function addressOf(id: ModelId): string {
  return `./models/${id}.safetensors`;
}
