/**
 * The service worker: keeps the page for visits without a network. `offline.ts` fills in the constants. What belongs to
 * a version is served from its cache, whole, so that no page is made of two versions; another model, and the engines of
 * graphs, of training runs and of parsers, are kept once they were used. A version waits until no page of the one before is open:
 * that one may still fetch parts of itself.
 */

const VERSION = __VERSION__;
const FILES = __FILES__;
/** What models hold, by their paths: one that is made anew has its old name. */
const HASHES = __MODELS__;
/** The one of the engine's two files that the page takes here. */
const ENGINE = WebAssembly.validate(new Uint8Array(__PROBE__)) ? __RELAXED__ : __SIMD__;

/** What the caches of the page in this folder begin with: others on this host are of other pages. */
const OURS = `saccade-page ${registration.scope} `;
const [SHELL, MODELS] = [OURS + VERSION, `${OURS}models`];

addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(SHELL);
      // Not what the browser has kept of a version before, which has some of the same names.
      await cache.addAll([...FILES, ENGINE].map((file) => new Request(file, { cache: "no-cache" })));
    })(),
  );
});

addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const old = (await caches.keys()).filter((name) => name.startsWith(OURS) && name !== SHELL && name !== MODELS);
      await Promise.all(old.map((name) => caches.delete(name)));
      const models = await caches.open(MODELS);
      const outdated = (await models.keys()).filter(({ url }) => keyOf(url) !== url);
      await Promise.all(outdated.map((request) => models.delete(request)));
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
const OTHERS = /(graph|train|structure)(_relaxed)?_bg[^/]*\.wasm$|\.txt$/;

/** What a model is kept by: its address, and what it holds. */
function keyOf(address) {
  const url = new URL(address);
  url.search = HASHES[url.href.slice(registration.scope.length).replace(/\?.*/, "")] ?? "";
  return url.href;
}

/** From the cache; a file that is asked for anew, or is not there, from the network, and then kept if it is a model or an engine. */
async function answer(request) {
  const { pathname } = new URL(request.url);
  const shell = await caches.open(SHELL);
  const isModel = pathname.endsWith(".safetensors");
  const [keeper, key] = isModel ? [await caches.open(MODELS), keyOf(request.url)] : [shell, request];
  const fresh = request.cache === "reload" || request.cache === "no-cache";
  const kept = fresh ? undefined : ((await shell.match(request, { ignoreSearch: true })) ?? (await keeper.match(key)));
  if (kept) return kept;
  try {
    const response = await fetch(isModel && !fresh ? new Request(request, { cache: "no-cache" }) : request);
    if ((isModel || OTHERS.test(pathname)) && response.ok) {
      // A full disk is no reason not to answer.
      await keeper.put(key, response.clone()).catch(() => undefined);
    }
    return response;
  } catch (error) {
    const page = request.mode === "navigate" ? await shell.match("./") : undefined;
    if (page) return page;
    throw error;
  }
}
