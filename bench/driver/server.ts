/** Serves the built pages, and files that are made when they are asked for; remembers what went over the wire. */

import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { gzipSync } from "node:zlib";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/** A file that went out. */
export interface Sent {
  readonly path: string;
  /** Bytes of the body as sent, after gzip where it is code. */
  readonly bytes: number;
}

export interface Server {
  readonly url: string;
  /** What went out since the last call of `forget`. */
  readonly sent: readonly Sent[];
  forget(): void;
  close(): void;
}

/** Makes the bytes of a path, or says that there is no such file. */
export type Source = (path: string) => Uint8Array | undefined;

/** Serves `folder`, then `source`. Everything but pages may be cached for ever, as on a content delivery network. */
export async function serve(folder: string, source: Source): Promise<Server> {
  const sent: Sent[] = [];
  const bodies = new Map<string, Uint8Array | undefined>();
  const body = (path: string) => {
    if (!bodies.has(path)) bodies.set(path, encode(path, read(folder, path) ?? source(path)));
    return bodies.get(path);
  };
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://bench").pathname).slice(1);
    const bytes = body(path);
    if (!bytes) {
      response.writeHead(404).end();
      return;
    }
    sent.push({ path, bytes: bytes.length });
    const type = types[extname(path)];
    response.writeHead(200, {
      "content-type": type ?? "application/octet-stream",
      "content-length": bytes.length,
      "cache-control": path.endsWith(".html") ? "no-cache" : "public, max-age=31536000, immutable",
      ...(type && { "content-encoding": "gzip" }),
    });
    response.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    sent,
    forget: () => void sent.splice(0),
    close: () => server.close(),
  };
}

function read(folder: string, path: string): Uint8Array | undefined {
  const file = join(folder, path);
  return existsSync(file) ? readFileSync(file) : undefined;
}

/** Code is sent compressed; weights and numbers as they are, since they hardly shrink. */
function encode(path: string, bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && extname(path) in types ? gzipSync(bytes, { level: 9 }) : bytes;
}
