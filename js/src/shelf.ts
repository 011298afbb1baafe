/** Files that the browser keeps, in its Cache API. */

const CACHE = "saccade-rnn";

/** A file's bytes, wherever they are. */
export type Kept = Blob | Uint8Array<ArrayBuffer>;

/** What was kept, by address and version. Where the cache fails nothing was, and nothing is. */
export interface Shelf {
  /** Of any version, where none is given. */
  find(address: string, version?: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** In place of all other versions, where those can be listed. A browser without room keeps nothing. */
  keep(address: string, version: string, file: Kept): Promise<void>;
}

async function openCache(): Promise<Cache | undefined> {
  return globalThis.caches?.open(CACHE);
}

/**
 * The shelf, where there is one: Node and insecure pages have none, some private windows refuse it, and in a sandboxed frame even
 * to ask for it throws.
 */
export async function openShelf(): Promise<Shelf | undefined> {
  const cache = await openCache().catch(() => undefined);
  if (!cache) return undefined;
  const VERSION = "saccade-version";
  const key = (address: string, version: string) => {
    const url = new URL(address);
    url.searchParams.set(VERSION, version);
    return url.href;
  };
  const others = async (address: string) => {
    // With a version, even if it is none: `searchParams` writes the others in its own way too.
    const plain = key(address, "");
    try {
      return (await cache.keys()).filter(({ url }) => key(url, "") === plain);
    } catch {
      // Deno's does not list what it has.
      return [];
    }
  };
  return {
    async find(address, version) {
      try {
        const kept = version !== undefined ? key(address, version) : (await others(address)).at(-1);
        const response = kept === undefined ? undefined : await cache.match(kept);
        return response && new Uint8Array(await response.arrayBuffer());
      } catch {
        return undefined;
      }
    },
    async keep(address, version, file) {
      try {
        const before = await others(address);
        // Where there is no room for this one, those are still there.
        const kept = key(address, version);
        await cache.put(kept, new Response(file));
        for (const other of before) if (other.url !== kept) await cache.delete(other);
      } catch {
        // The file has arrived all the same.
      }
    },
  };
}
