/** Files that the browser keeps, in its Cache API. */

const CACHE = "saccade-rnn";

/** What was kept, by address and version. */
export interface Shelf {
  /** Of any version, where none is given. */
  find(address: string, version?: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** In place of all other versions. A browser without room keeps nothing. */
  keep(address: string, version: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** The shelf, where there is one: Node and insecure pages have none, and some private windows refuse it. */
export async function openShelf(): Promise<Shelf | undefined> {
  const cache = await globalThis.caches?.open(CACHE).catch(() => undefined);
  if (!cache) return undefined;
  const VERSION = "saccade-version";
  const key = (address: string, version: string) => {
    const url = new URL(address);
    url.searchParams.set(VERSION, version);
    return url.href;
  };
  const others = async (address: string) => {
    const plain = new URL(address).href;
    return (await cache.keys()).filter(({ url }) => {
      const kept = new URL(url);
      kept.searchParams.delete(VERSION);
      return kept.href === plain;
    });
  };
  return {
    async find(address, version) {
      const kept = version !== undefined ? key(address, version) : (await others(address)).at(-1);
      const response = kept === undefined ? undefined : await cache.match(kept);
      return response && new Uint8Array(await response.arrayBuffer());
    },
    async keep(address, version, bytes) {
      try {
        for (const other of await others(address)) await cache.delete(other);
        await cache.put(key(address, version), new Response(bytes));
      } catch {
        // The file has arrived all the same.
      }
    },
  };
}
