/**
 * The service worker: keeps the page for visits without a network. `offline.ts` fills in the constants. What belongs to
 * a version is served from its cache, whole, so that no page is made of two versions; another model, and the engines of
 * graphs and of training runs, are kept once they were used.
 */

const VERSION = __VERSION__;
const FILES = __FILES__;
/** The one of the engine's two files that the page takes here. */
const ENGINE = WebAssembly.validate(new Uint8Array(__PROBE__)) ? __RELAXED__ : __SIMD__;

const [SHELL, MODELS] = [`saccade-${VERSION}`, "saccade-models"];

addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(SHELL);
      await cache.addAll([...FILES, ENGINE]);
      await skipWaiting();
    })(),
  );
});

addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const names = await caches.keys();
      const old = names.filter((name) => name.startsWith("saccade-") && name !== SHELL && name !== MODELS);
      await Promise.all(old.map((name) => caches.delete(name)));
      await clients.claim();
    })(),
  );
});

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  event.respondWith(answer(request));
});

/** The engine's other binaries, and a text to learn from, which few visits need. */
const OTHERS = /(graph|train)_bg[^/]*\.wasm$|\.txt$/;

/** From the cache; a file that is asked for anew, or is not there, from the network, and then kept if it is a model or an engine. */
async function answer(request) {
  const { pathname } = new URL(request.url);
  const keeper = pathname.endsWith(".safetensors") ? MODELS : OTHERS.test(pathname) ? SHELL : null;
  const fresh = request.cache === "reload" || request.cache === "no-cache";
  const kept = fresh ? undefined : await caches.match(request, { ignoreSearch: true });
  if (kept) return kept;
  try {
    const response = await fetch(request);
    if (keeper && response.ok) {
      const cache = await caches.open(keeper);
      // A full disk is no reason not to answer.
      await cache.put(request, response.clone()).catch(() => undefined);
    }
    return response;
  } catch (error) {
    const page = request.mode === "navigate" ? await caches.match("./") : undefined;
    if (page) return page;
    throw error;
  }
}
