/** What the browser keeps of runs between visits, in IndexedDB. */

import type { Snapshot } from "./calls.js";

/** A run that was interrupted. */
export interface Kept {
  /** By which it is known: its settings and texts. */
  readonly identity: string;
  readonly snapshot: Snapshot;
}

const [DATABASE, TABLE] = ["saccade-rnn", "runs"];

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Does something to the table, which is done when the browser has it on its disk. */
async function inTable<T>(mode: IDBTransactionMode, work: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  if (!globalThis.indexedDB) throw new Error("there is no IndexedDB here");
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
  const database = await done(opening);
  try {
    const transaction = database.transaction(TABLE, mode);
    const ended = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    const [value] = await Promise.all([done(work(transaction.objectStore(TABLE))), ended]);
    return value;
  } finally {
    database.close();
  }
}

export function find(key: string): Promise<Kept | undefined> {
  return inTable<Kept | undefined>("readonly", (table) => table.get(key));
}

export async function keep(key: string, run: Kept): Promise<void> {
  await inTable("readwrite", (table) => table.put(run, key));
}

export async function forget(key: string): Promise<void> {
  await inTable("readwrite", (table) => table.delete(key));
}
