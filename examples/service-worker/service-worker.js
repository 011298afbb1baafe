/**
 * Keeps the page, the engine and a model, and answers `POST classify` itself. The browser may stop a service worker between
 * two requests: the model is then opened again, from what is kept.
 */

import { init, load } from "saccade-rnn";
import wasm from "saccade-rnn/wasm?url";
import file from "../../models/sst2-skim-lstm-small.safetensors?url";

const CACHE = "classifier-1";

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(["./", wasm, file])));
});

// A page that is not controlled asks to be: on the first visit, and after a reload past the service worker.
addEventListener("message", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const { pathname } = new URL(event.request.url);
  if (pathname.endsWith("/classify")) event.respondWith(classify(event.request));
  else if (event.request.method === "GET") event.respondWith(freshOrKept(event.request));
});

let opening;

/** The model; after a failure the next call tries again. */
function model() {
  opening ??= open().catch((error) => {
    opening = undefined;
    throw error;
  });
  return opening;
}

async function open() {
  await init({ wasm: await freshOrKept(wasm) });
  return load(await freshOrKept(file), { device: "cpu" });
}

async function classify(request) {
  try {
    const { label, scores } = await (await model()).read(await request.text());
    return Response.json({ label, scores });
  } catch ({ code, message }) {
    return Response.json({ error: message, code }, { status: 500 });
  }
}

/** From the network, and what is kept where that fails. */
async function freshOrKept(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match(request);
    if (kept) return kept;
    throw error;
  }
}
