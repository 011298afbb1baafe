/** Keeps the page for visits without a network, once it stands: the download of what it needs now comes first. */
export function keepOffline(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  // Refused where the page is not served safely, or storage is forbidden: it then works with a network alone.
  const register = () => void navigator.serviceWorker.register("./sw.js").catch(() => undefined);
  if ("requestIdleCallback" in window) requestIdleCallback(register, { timeout: 10_000 });
  else setTimeout(register, 3000);
}
