/**
 * A little of TeX as MathML, which browsers set themselves: scripts, fractions, roots, sums, accents, words and Greek letters.
 * Whatever else it is given is an error: formulas are written by us.
 */

const LETTERS: Readonly<Record<string, string>> = {
  alpha: "α", beta: "β", gamma: "γ", delta: "δ", eta: "η", theta: "θ", lambda: "λ", rho: "ρ", sigma: "σ", tau: "τ", ell: "ℓ",
};
const OPERATORS: Readonly<Record<string, string>> = {
  odot: "⊙", cdot: "·", times: "×", le: "≤", ge: "≥", approx: "≈", in: "∈", to: "→", dots: "…", quad: "\u2003", sum: "∑", sim: "∼", mid: "∣", partial: "∂",
};
const FUNCTIONS = new Set(["log", "exp", "tanh", "max", "min", "softmax", "arg"]);
const ACCENTS: Readonly<Record<string, string>> = { tilde: "~", bar: "¯", forward: "→", backward: "←" };

/** Of such a formula: its MathML. */
export function mathml(tex: string): string {
  const tokens = tex.match(/\\[a-z]+|\d[\d.,]*\d|[^\s]|\s+/gi) ?? [];
  const parser = new Parser(tokens);
  const inside = parser.row();
  if (!parser.ended) throw new SyntaxError(`${tex}: a } too many`);
  return `<math display="block">${inside}</math>`;
}

const escape = (text: string) => text.replace(/[&<>]/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[one] ?? one);

class Parser {
  #at = 0;
  readonly #tokens: readonly string[];

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  get ended(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** Up to the end, or to the brace that closes it. */
  row(): string {
    let all = "";
    for (;;) {
      this.#skip();
      if (this.ended || this.#tokens[this.#at] === "}") return `<mrow>${all}</mrow>`;
      all += this.#scripted();
    }
  }

  #skip(): void {
    while (/^\s/.test(this.#tokens[this.#at] ?? "")) this.#at++;
  }

  #take(expected?: string): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined || (expected !== undefined && token !== expected)) throw new SyntaxError(`expected ${expected ?? "more"}, found ${token ?? "the end"}`);
    return token;
  }

  /** An atom with what stands below and above it. */
  #scripted(): string {
    const sum = this.#tokens[this.#at] === "\\sum";
    const atom = this.#atom();
    let [below, above] = ["", ""];
    for (;;) {
      const next = this.#tokens[this.#at];
      if (next === "_") {
        this.#at++;
        below = this.#atom();
      } else if (next === "^") {
        this.#at++;
        above += this.#atom();
      } else if (next === "'") {
        this.#at++;
        above += "<mo>′</mo>";
      } else break;
    }
    const kind = sum ? ["munder", "mover", "munderover"] : ["msub", "msup", "msubsup"];
    if (below && above) return `<${kind[2]}>${atom}${below}<mrow>${above}</mrow></${kind[2]}>`;
    if (below) return `<${kind[0]}>${atom}${below}</${kind[0]}>`;
    return above ? `<${kind[1]}>${atom}<mrow>${above}</mrow></${kind[1]}>` : atom;
  }

  #atom(): string {
    this.#skip();
    const token = this.#take();
    if (token === "{") {
      const inside = this.row();
      this.#take("}");
      return inside;
    }
    if (token.startsWith("\\")) return this.#command(token.slice(1));
    if (/^\d/.test(token)) return `<mn>${token}</mn>`;
    if (/^\p{L}$/u.test(token)) return `<mi>${token}</mi>`;
    if (token === "-") return this.#isSign(this.#at - 1) ? '<mo form="prefix" lspace="0" rspace="0">−</mo>' : "<mo>−</mo>";
    return `<mo>${escape(token)}</mo>`;
  }

  /** Whether the minus at a place has nothing before it to be taken from. */
  #isSign(at: number): boolean {
    const before = this.#tokens.slice(0, at).findLast((token) => !/^\s/.test(token));
    return before === undefined || /^[=({[,;_^]$/.test(before);
  }

  #command(name: string): string {
    if (name in LETTERS) return `<mi>${LETTERS[name]}</mi>`;
    if (name === "quad") return '<mspace width="1em"></mspace>';
    if (name in OPERATORS) return `<mo>${OPERATORS[name]}</mo>`;
    if (FUNCTIONS.has(name)) {
      this.#skip();
      const bare = /^[\\\p{L}\d]/u.test(this.#tokens[this.#at] ?? "");
      return `<mi>${name}</mi>${bare ? '<mspace width="0.17em"></mspace>' : ""}`;
    }
    if (name in ACCENTS) return `<mover accent="true">${this.#atom()}<mo>${ACCENTS[name]}</mo></mover>`;
    if (name === "frac") return `<mfrac>${this.#atom()}${this.#atom()}</mfrac>`;
    if (name === "sqrt") return `<msqrt>${this.#atom()}</msqrt>`;
    if (name === "text") return `<mtext>${escape(this.#words())}</mtext>`;
    // A number of the text on the page.
    if (name === "live") return `<mn class="live">${escape(this.#words())}</mn>`;
    throw new SyntaxError(`there is no \\${name}`);
  }

  /** What stands in braces, as it stands there. */
  #words(): string {
    this.#take("{");
    let words = "";
    for (let token = this.#take(); token !== "}"; token = this.#take()) words += token;
    return words;
  }
}
