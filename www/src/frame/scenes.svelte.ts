import { getContext, setContext, tick, untrack, type Snippet } from "svelte";

/** A scene that is asked for is kept in place so long while what lies above it arrives. */
const HOLD_MS = 4000;
const CONTROLS = "a, button, input, select, textarea, label, [role=slider]";
const KEY = Symbol("scenes");

interface Stop {
  readonly id: string;
  readonly element: HTMLElement;
}

/** The scenes of the chapter in view, in the order of the page, and the one that the reader is at. */
export class Scenes {
  /** What stands below the figure of every scene, by its id. */
  readonly foot: Snippet<[string]> | null;
  all: readonly Stop[] = $state.raw([]);
  #at: string | null = $state(null);
  /** Asked for, but not there yet: some scenes wait for their data. What somebody does first drops it. */
  #wanted: string | null = null;
  /** Whether only the scene that was asked for is shown, whatever crosses the middle of the window. */
  alone = false;
  #observer: IntersectionObserver | null = null;
  /** Ends the holding in place; null while nothing is held. */
  #release: (() => void) | null = null;

  readonly index: number = $derived(Math.max(0, this.all.findIndex(({ id }) => id === this.#at)));
  /** The scene that the reader is at; null while there is none. */
  readonly at: string | null = $derived(this.all[this.index]?.id ?? null);
  /** The same for the address, which does not name the first. */
  readonly current: string | null = $derived(this.index > 0 ? this.at : null);

  constructor(foot: Snippet<[string]> | null = null) {
    this.foot = foot;
    for (const type of ["wheel", "touchmove", "pointerdown", "keydown", "click"]) addEventListener(type, (event) => this.#act(event), { capture: true });
  }

  /** For the components below; called while one is made. */
  provide(): void {
    setContext(KEY, this);
  }

  /** Those of the page around a component; null where it stands alone. */
  static around(): Scenes | null {
    return getContext<Scenes | undefined>(KEY) ?? null;
  }

  /** Takes in a scene that has come; the answer takes it out. */
  join(id: string, element: HTMLElement): () => void {
    // Scenes come and go with their components, not with each other.
    untrack(() => this.#add(id, element));
    return () => {
      this.#observer?.unobserve(element);
      this.all = this.all.filter((stop) => stop.element !== element);
    };
  }

  #add(id: string, element: HTMLElement): void {
    const follows = ({ element: other }: Stop) => Boolean(element.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING);
    const before = this.all.filter((stop) => !follows(stop));
    this.all = [...before, { id, element }, ...this.all.slice(before.length)];
    // The scene in view is the one that crosses the middle of the window.
    this.#observer ??= new IntersectionObserver((entries) => this.#cross(entries), { rootMargin: "-50% 0px -50% 0px" });
    this.#observer.observe(element);
    if (this.#wanted === id) this.go(id);
  }

  /** To a scene, now or when it comes, and the focus with it. */
  go(id: string): void {
    const stop = this.all.find((stop) => stop.id === id);
    this.#release?.();
    this.#wanted = stop ? null : id;
    if (!stop) return;
    this.#at = id;
    const show = () => stop.element.scrollIntoView({ behavior: "instant" });
    // In a lecture it is seen only now.
    void tick().then(() => {
      if (this.#at !== id) return;
      show();
      stop.element.querySelector<HTMLElement>("h2")?.focus({ preventScroll: true });
      this.#hold(show);
    });
  }

  /** The scene so many further on; null beyond the ends. */
  beside(by: number): string | null {
    return this.all[this.index + by]?.id ?? null;
  }

  /** Another chapter opens: nothing is asked for any more. */
  leave(): void {
    this.#release?.();
    this.#wanted = null;
    this.#at = null;
  }

  #cross(entries: readonly IntersectionObserverEntry[]): void {
    if (this.alone || this.#release) return;
    for (const { isIntersecting, target } of entries) {
      const stop = this.all.find(({ element }) => element === target);
      if (isIntersecting && stop) this.#at = stop.id;
    }
  }

  /** Shows the same again while what lies above arrives, until somebody acts, or it has had its time. */
  #hold(show: () => void): void {
    this.#release?.();
    const growth = new ResizeObserver(show);
    growth.observe(document.body);
    const timer = setTimeout(() => this.#release?.(), HOLD_MS);
    this.#release = () => {
      clearTimeout(timer);
      growth.disconnect();
      this.#release = null;
    };
  }

  /** Somebody acts, and is not taken from there to a scene that was asked for before. */
  #act({ type, target }: Event): void {
    this.#wanted = null;
    // A press on a control moves nothing, and what it does is meant for the scene that is held.
    const isPress = type === "pointerdown" || type === "click";
    if (!isPress || !(target instanceof Element && target.closest(CONTROLS))) this.#release?.();
  }
}
