import { tick } from "svelte";

/**
 * An attachment to an element: where a control in it goes away while it has the focus, and nobody else has taken that, its
 * heading has it. Keys would begin at the top of the page otherwise.
 */
export function heir(element: HTMLElement): () => void {
  /** The control that has the focus, or had it when it went away. */
  let held: Element | null = null;
  const take = ({ target }: FocusEvent) => {
    held = target instanceof Element ? target : null;
  };
  // Some browsers tell of a control that goes away as of one that is left, others tell nothing: it is left if it stays.
  const leave = () => queueMicrotask(() => {
    if (held?.isConnected && held !== document.activeElement) held = null;
  });
  const changes = new MutationObserver(() => {
    if (!held || held.isConnected) return;
    held = null;
    void tick().then(() => {
      if (document.activeElement === document.body) element.querySelector<HTMLElement>("h2")?.focus({ preventScroll: true });
    });
  });
  element.addEventListener("focusin", take);
  element.addEventListener("focusout", leave);
  changes.observe(element, { childList: true, subtree: true });
  return () => {
    element.removeEventListener("focusin", take);
    element.removeEventListener("focusout", leave);
    changes.disconnect();
  };
}
