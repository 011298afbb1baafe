/** The language models that the page offers, by the name of their file in `models/`; the first is the one it opens with. */
const ids = ["novels-lm", "shakespeare-lstm"] as const;

export type LanguageModelId = (typeof ids)[number];

export const languageModels: readonly [LanguageModelId, ...LanguageModelId[]] = ids;

export function isLanguageModelId(id: string | null): id is LanguageModelId {
  return ids.some((known) => known === id);
}

/** Where a language model comes from: this site, or a file, which is one that was learned here. */
export type LanguageSource = LanguageModelId | File;

/** The file's address, relative to the page. */
export const languageAddress = (id: LanguageModelId): string => `./models/${id}.safetensors`;
