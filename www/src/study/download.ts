import { failures } from "./strings.ts";

/** How far a download has come, in bytes; `total` is null when the server does not say. */
export interface Progress {
  received: number;
  total: number | null;
}

/** The file could not be fetched; `message` says what happened and to which file. */
export class DownloadError extends Error {
  readonly code = "DOWNLOAD_FAILED";
  override name = "DownloadError";
}

/**
 * Fetches a file with progress. Rejects with {@link DownloadError}, or with the signal's reason when aborted.
 * `fresh` goes past the browser's cache, for a second try after a damaged file.
 */
export async function download(
  url: string,
  options: { signal: AbortSignal; fresh: boolean; onProgress: (progress: Progress) => void },
): Promise<Uint8Array<ArrayBuffer>> {
  const { signal, fresh, onProgress } = options;
  try {
    const response = await fetch(url, { signal, cache: fresh ? "reload" : "default" });
    if (!response.ok) throw new DownloadError(failures.answered(url, response.status));
    // A compressed reply announces its compressed length, which says nothing about the bytes to come.
    const length = response.headers.has("content-encoding") ? null : response.headers.get("content-length");
    const total = length === null ? null : Number(length);
    const chunks: Uint8Array[] = [];
    let received = 0;
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      chunks.push(part.value);
      received += part.value.length;
      onProgress({ received, total });
    }
    return join(chunks, received);
  } catch (error) {
    if (signal.aborted || error instanceof DownloadError) throw error;
    throw new DownloadError(`${url}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
