/** Formulas in TeX as MathML, which browsers set themselves. */

import temml from "temml";

/** What formulas say often, and `\live{…}`: a number of the text on the page. */
const macros = {
  "\\softmax": "\\operatorname{softmax}",
  "\\forward": "\\overrightarrow{#1}",
  "\\backward": "\\overleftarrow{#1}",
  "\\live": "\\class{live}{\\text{#1}}",
};

/** The MathML of a formula. Throws where the TeX is malformed or names an unknown command. */
export function mathml(tex: string): string {
  return temml.renderToString(tex, {
    displayMode: true,
    throwOnError: true,
    macros: { ...macros },
    trust: ({ command }: { readonly command: string }) => command === "\\class",
  });
}

const NAMES: Readonly<Record<string, string>> = { "\\": "textbackslash", "^": "textasciicircum", "~": "textasciitilde" };

/** Any text as it stands, for `\text{…}` and `\live{…}`. */
export const verbatim = (text: string): string =>
  text.replace(/[\\^~{}$&#%_]/g, (sign) => (NAMES[sign] ? `\\${NAMES[sign]}{}` : `\\${sign}`));
