import record from "./recorded.json";

/** Surprisals of a text, recorded (`npm run record:predict`), for the page to show before anything of the chapter is there. */
export const recorded = record as { readonly text: string; readonly words: readonly { readonly text: string; readonly bits: number }[] };
