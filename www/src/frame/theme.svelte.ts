/** Light or dark: the system's preference until the visitor says otherwise, which this browser then remembers. */

const KEY = "saccade:theme";
type Scheme = "light" | "dark";

/** What the visitor has said; null follows the system. `index.html` applies the same rule before the first paint. */
function said(): Scheme | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : null;
  } catch {
    // Storage is refused: there is nothing to remember.
    return null;
  }
}

class Theme {
  readonly #system = matchMedia("(prefers-color-scheme: dark)");
  #chosen: Scheme | null = $state(said());
  #preferred: Scheme = $state(this.#system.matches ? "dark" : "light");
  readonly scheme: Scheme = $derived(this.#chosen ?? this.#preferred);

  constructor() {
    this.#apply();
    this.#system.addEventListener("change", ({ matches }) => {
      this.#preferred = matches ? "dark" : "light";
      this.#apply();
    });
  }

  /** The other scheme; one that is the system's own is not remembered, so that it goes on following the system. */
  toggle(): void {
    const next = this.scheme === "dark" ? "light" : "dark";
    this.#chosen = next === this.#preferred ? null : next;
    try {
      if (this.#chosen) localStorage.setItem(KEY, this.#chosen);
      else localStorage.removeItem(KEY);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
    this.#apply();
  }

  #apply(): void {
    document.documentElement.dataset.theme = this.scheme;
    const paper = getComputedStyle(document.documentElement).getPropertyValue("--paper").trim();
    document.querySelector('meta[name="theme-color"]')?.setAttribute("content", paper);
  }
}

export const theme = new Theme();
