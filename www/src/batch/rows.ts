/** The table that words and letters are looked up in. */

export const TABLE = 64;

/** A row for a word or a letter. */
export const rowOf = (text: string): number => [...text].reduce((sum, character) => (31 * sum + (character.codePointAt(0) ?? 0)) % TABLE, 7);
