/** A formula (in the TeX of `tex.ts`) and what it says. */
export interface Line {
  readonly tex: string;
  readonly words: string;
}
