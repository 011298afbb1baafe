import type { Parsed } from "../../../../js/src/index.ts";
import { download, type Progress } from "../../study/download.ts";

const ADDRESS = "./models/ewt-parser.safetensors";

/** The page's parser, which comes with its engine when it is first asked for. It runs in this thread: a few sentences take no time. */
class Parser {
  /** How far its download is; null while there is none. */
  progress: Progress | null = $state.raw(null);
  #opened: ReturnType<Parser["open"]> | null = null;

  /** Its file, and what parses. A failure leaves the next call to try again. */
  async ready(): Promise<{ readonly file: Uint8Array; readonly parse: (texts: readonly string[]) => Promise<readonly Parsed[]> }> {
    try {
      return await (this.#opened ??= this.open());
    } catch (error) {
      this.#opened = null;
      throw error;
    } finally {
      this.progress = null;
    }
  }

  private async open() {
    const { signal } = new AbortController();
    const file = await download(ADDRESS, { signal, fresh: false, onProgress: (progress) => (this.progress = progress) });
    const { load } = await import("../../../../js/src/index.ts");
    const parser = await load(file, { cache: false, task: "parse" });
    const parse = async (texts: readonly string[]) => {
      try {
        return await parser.parse(texts);
      } catch (error) {
        // Its engine may be dead.
        this.#opened = null;
        throw error;
      }
    };
    return { file, parse };
  }
}

/** The page's one. */
export const parser = new Parser();
