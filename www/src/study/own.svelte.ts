/** A model file of the visitor's own, which the browser keeps beside the page's: the one that was used last, until it is forgotten. */

/** Not by the name of a version of the page, whose service worker clears up after its own. */
const names = { read: "own-model", guess: "own-language" };
const [ADDRESS, NAME] = ["./own.safetensors", "x-name"];

/** A larger file is not kept, in bytes: the browser would make room for it at the cost of what other sites keep. */
export const MOST = 100e6;

/** Whether the browser keeps the file in use, or why not. */
export type Keeping = "kept" | "large" | "refused" | "forgotten";

export class OwnFile {
  /** What is kept. */
  file: File | null = $state.raw(null);
  /** What became of the file that was used last; null before there is one. */
  keeping: Keeping | null = $state(null);
  readonly #cache: string;

  /** Where the browser keeps it, by what the model is used for. */
  constructor(use: keyof typeof names = "read") {
    this.#cache = names[use];
  }

  /** Looks for what was kept on another visit. */
  async find(): Promise<File | null> {
    try {
      const response = await (await caches.open(this.#cache)).match(ADDRESS);
      if (!response) return null;
      const name = decodeURIComponent(response.headers.get(NAME) ?? "");
      this.file ??= new File([await response.blob()], name);
      this.keeping ??= "kept";
    } catch {
      // Insecure pages and some private windows keep nothing.
    }
    return this.file;
  }

  /** Keeps a file in the place of the one before. */
  async keep(file: File): Promise<void> {
    try {
      if (file.size > MOST) {
        this.keeping = "large";
        return;
      }
      if (file !== this.file) await (await caches.open(this.#cache)).put(ADDRESS, new Response(file, { headers: { [NAME]: encodeURIComponent(file.name) } }));
      this.file = file;
      this.keeping = "kept";
    } catch {
      this.keeping = "refused";
    }
  }

  async forget(): Promise<void> {
    try {
      await caches.delete(this.#cache);
    } finally {
      this.file = null;
      this.keeping = "forgotten";
    }
  }
}
