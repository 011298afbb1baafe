import { untrack } from "svelte";
import { tooLong, type View } from "./view.ts";
import type { Account, Decision, DevicePreference, Model, ReadOptions, Score } from "../engine.ts";
import { examples, type Example } from "./examples.ts";
import { Insight, scoresAt } from "./insight.svelte.ts";
import { isAgain } from "./kept.ts";
import { languageModels, type LanguageSource } from "./language.ts";
import { Measurements } from "./measurements.svelte.ts";
import { models, type ModelId, type Source } from "./models.ts";
import { OwnFile } from "./own.svelte.ts";
import { Playback, paceOf, type Pace } from "./playback.svelte.ts";
import { Reader, SILENCE_MS, type Seen } from "./reader.svelte.ts";
import { recorded } from "./recorded.ts";

/** What takes longer is not read a second time, so that the device is chosen for the whole of it: that would be seen. */
const LONG_MS = SILENCE_MS;
/** By then the first playback has ended. */
const OPENING_MS = 15_000;
/** The devices are measured when the text has stood for so long. */
const QUIET_MS = 1000;

/** A factor that nobody needs to know more exactly. */
const whole = new Intl.NumberFormat("en", { maximumSignificantDigits: 1, notation: "standard" });

/** A text of the visitor's, and what it was read with. */
interface Draft {
  readonly text: string;
  readonly source: Source;
  /** Null is the model's own. */
  readonly threshold: number | null;
}

/** What the chapter Read is about: a text, a model, how the one reads the other, and where the visitor looks. */
export class Study {
  readonly reader = new Reader();
  readonly measurements = new Measurements();
  readonly insight = new Insight();
  readonly ownFile = new OwnFile();
  /** The one that was learned here, or brought, and guesses words. */
  readonly ownGuesser = new OwnFile("guess");
  readonly playback = new Playback(() => this.pace);

  source: Source = $state.raw({ kind: "shipped", id: models[0].id });
  text = $state(examples[0].text);
  /** The model that guesses words, in the chapter that has one. */
  language: LanguageSource = $state.raw(languageModels[0]);
  /** The one that was learned here, or brought, to be chosen again. */
  ownLanguage: File | null = $state.raw(null);
  /** What the visitor had written before another text took its place. */
  draft: Draft | null = $state.raw(null);
  /** The texts and the programs that the page, or somebody's address, has put in the place of others. */
  #placed: ReadonlySet<string> = $state.raw(new Set());
  /** Whether the visitor has written the text: it is no example, and not as it was put there. */
  readonly typed: boolean = $derived(!this.#placed.has(this.text) && !examples.some(({ text }) => text === this.text));
  threshold: number | null = $state(null);
  device: DevicePreference = $state("auto");
  forced: Readonly<Record<number, Decision>> = $state.raw({});
  /** What the network made of a text before the visitor overruled it. */
  undisturbed: { readonly text: string; readonly threshold: number | null; readonly scores: readonly Score[] } | null = $state.raw(null);
  /** The token under the pointer or with the focus. */
  pointed: number | null = $state(null);
  /** The token pressed last, which stays open when the pointer goes on, to the buttons beside it. */
  opened: number | null = $state(null);

  /** Whether something else is being timed, beside which nothing is measured. */
  paused = $state(false);

  /** How the training run of a link begins, or the one that was begun here; null for one that begins as its chapter opens. */
  run: string | null = $state(null);

  /** The program of a link or of the visitor's own; null for the page's own. */
  code: string | null = $state(null);
  /** The program that the visitor had written before another took its place. */
  ownCode: string | null = $state(null);

  /** Scenes whose mathematics is shown. */
  maths: readonly string[] = $state.raw([]);

  /** Whether the first reading has come, or has failed: what the page shows beyond it is fetched then. */
  begun = $state(false);

  /** What is asked of the model with the text. */
  readonly options: ReadOptions = $derived({
    ...(this.threshold !== null && { threshold: this.threshold }),
    force: this.forced,
    device: this.device,
  });
  readonly ready: Model | null = $derived(this.reader.stage.kind === "ready" ? this.reader.stage.model : null);
  /** The model's own threshold, once it is known. */
  readonly own: number | null = $derived(this.ready?.config.threshold ?? null);
  readonly model: ModelId | null = $derived(this.source.kind === "shipped" ? this.source.id : null);
  /** Until the model is there, the reading recorded of the same text, if that is what is asked for. */
  readonly standIn: Seen | null = $derived(
    this.reader.seen === null && this.text === recorded.text && this.model === recorded.model && this.threshold === null
      ? { text: this.text, reading: recorded.reading }
      : null,
  );
  readonly seen: Seen | null = $derived(this.reader.seen ?? this.standIn);
  /** What the reading takes here, once it was measured. */
  readonly measured = $derived(this.ready && this.reader.seen ? this.measurements.of(this.reader.seen) : null);
  /** Where the time goes, on the text measured last, if that could be told. */
  readonly account: Account | null = $derived.by(() => {
    const account = this.ready && this.measurements.last(this.ready)?.account;
    return account?.told ? account : null;
  });
  /** How much longer the step of a word that is read takes than that of one that is skimmed; null while nobody knows. */
  readonly ratio: number | null = $derived(this.account?.skimMs ? this.account.readMs / this.account.skimMs : null);
  readonly pace: Pace = $derived(paceOf(this.seen?.reading.tokens ?? [], this.ratio));
  /** How many times slower the playback is than the reading, in words; null while nobody knows what that takes. */
  readonly slowdown: string | null = $derived.by(() => {
    const { count, duration } = this.pace;
    // Until it is measured here, what the recorded reading took elsewhere is near enough for its first digit.
    const ms = this.measured?.reading.median ?? (this.text === recorded.text ? recorded.reading.timing.totalMs : null);
    if (!ms || count === 0) return null;
    const shown = Array.from({ length: count }, (_, index) => duration(index)).reduce((sum, each) => sum + each, 0);
    return whole.format(shown / this.playback.speed / ms);
  });
  /** The token read with the most conviction, for the figures to open with; the last where none was read. */
  readonly telling: number = $derived.by(() => {
    const tokens = this.seen?.reading.tokens ?? [];
    const certain = (index: number) => (tokens[index]?.decision === "read" ? 1 - (tokens[index]?.skimProbability ?? 0) : -1);
    return tokens.reduce((best, _, index) => (certain(index) > certain(best) ? index : best), tokens.length - 1);
  });
  /** The token that the figures show: the one pointed at, else where the eye is, else the one opened, else the most telling. */
  readonly focus: number = $derived.by(() => {
    const last = (this.seen?.reading.tokens.length ?? 0) - 1;
    return Math.min(this.pointed ?? this.playback.at ?? this.opened ?? this.telling, last);
  });
  /** Whether nobody looks at one token: the text has been read to its end. */
  readonly atEnd: boolean = $derived(this.pointed === null && this.playback.at === null);
  /** The hidden states of the reading that is shown, once they are there. */
  readonly hidden = $derived(this.seen ? this.insight.of(this.seen) : null);
  /** The scores that the visitor's decisions have moved; null while there are none. */
  readonly moved: readonly Score[] | null = $derived(
    Object.keys(this.forced).length > 0 && this.playback.at === null && this.undisturbed?.text === this.text && this.undisturbed.threshold === this.threshold
      ? this.undisturbed.scores
      : null,
  );
  /** The prediction if the text ended at the token in focus; null when that is not known. */
  readonly scores: readonly Score[] | null = $derived.by(() => {
    const reading = this.seen?.reading;
    if (!reading || reading.tokens.length === 0) return null;
    if (this.atEnd || this.focus === reading.tokens.length - 1) return reading.scores;
    const so = this.hidden && scoresAt(this.hidden, this.focus, reading.scores.length);
    return so && reading.scores.map(({ label }, at) => ({ label, probability: so[at] ?? 0 }));
  });

  /** Whether all that is asked of the text has come: its reading, and what that looks like from inside. */
  get settled(): boolean {
    const { seen, busy } = this.reader;
    if (!this.ready || busy || seen?.text !== this.text) return false;
    return seen.reading.tokens.length === 0 || this.insight.isLong(seen) || this.hidden !== null;
  }

  constructor(view: View) {
    this.apply(view, false);
    void this.#begin(view);
    void this.#find(view);
  }

  /** Begins with the visitor's own file if the page was loaded again with it: no link names it. */
  async #begin({ model }: View): Promise<void> {
    const { source } = this;
    const file = await this.ownFile.find();
    // Somebody may have chosen meanwhile.
    if (this.source !== source) return;
    if (file && model === undefined && isAgain()) this.source = { kind: "own", file };
    await this.reader.choose(this.source);
  }

  /** Offers what was learned on another visit to guess with, and guesses with it if the address says so. */
  async #find({ language }: View): Promise<void> {
    const { language: before } = this;
    const file = await this.ownGuesser.find();
    // Something may have been learned, or chosen, meanwhile.
    if (!file || this.ownLanguage) return;
    this.ownLanguage = file;
    if (language === "own" && this.language === before) this.language = file;
  }

  /** Plays the reading once, unasked; what the visitor does first ends that, unless it is done to the player, which knows what to do. */
  open(): void {
    if (this.playback.at !== null || this.pointed !== null || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.playback.play();
    const done = new AbortController();
    const stop = ({ target }: Event) => {
      done.abort();
      if (!(target instanceof Element && target.closest("#playback"))) this.playback.finish();
    };
    for (const type of ["pointerdown", "keydown"]) addEventListener(type, stop, { signal: done.signal, capture: true });
    setTimeout(() => done.abort(), OPENING_MS);
  }

  /**
   * Takes what an address says; what it does not say stands as the page opens. The text and the program of a new one are
   * somebody else's; what the history leads back to may be the visitor's, as may what comes with the page's first address.
   */
  apply(view: View, isNew: boolean): void {
    const model = view.model ?? models[0].id;
    const text = view.text ?? examples[0].text;
    // No address has a program that is too long for one: where none takes its place, it stays.
    const code = view.code ?? (tooLong(this).includes("code") ? this.code : null);
    if (text !== this.text) this.#keepText();
    if (code !== this.code) this.#keepCode();
    // An address may bring the visitor's own.
    if (this.draft?.text === text) this.draft = null;
    else if (isNew && text !== this.text) this.#put(text);
    if (this.ownCode === code) this.ownCode = null;
    else if (isNew && code !== null && code !== this.code) this.#put(code);
    if (this.model !== model) this.source = { kind: "shipped", id: model };
    this.text = text;
    this.language = view.language === "own" ? (this.ownLanguage ?? languageModels[0]) : (view.language ?? languageModels[0]);
    this.threshold = view.threshold ?? null;
    this.device = view.device ?? "auto";
    this.forced = view.force ?? {};
    this.opened = null;
    this.playback.pause();
    this.playback.at = view.at ?? null;
    this.playback.speed = view.speed ?? 1;
    this.run = view.run ?? null;
    this.code = code;
    this.maths = view.maths ?? [];
  }

  /** The part of the view that is this chapter's; while the eye moves, its place is no part of it. */
  get view(): View {
    const { model, text, language, threshold, device, forced, playback, run, code, maths } = this;
    return {
      ...(model && { model }),
      text,
      language: typeof language === "string" ? language : "own",
      ...(threshold !== null && { threshold }),
      device,
      force: forced,
      ...(!playback.playing && playback.at !== null && { at: playback.at }),
      speed: playback.speed,
      ...(run !== null && { run }),
      ...(code !== null && { code }),
      maths,
    };
  }

  /** Shows the mathematics of a scene, or hides it. */
  showMaths(scene: string, shown: boolean): void {
    const others = this.maths.filter((other) => other !== scene);
    this.maths = shown ? [...others, scene] : others;
  }

  choose(source: Source, fresh = false): void {
    this.source = source;
    this.threshold = null;
    this.rest();
    void this.reader.choose(source, fresh);
  }

  /** Has another model guess words. */
  guessWith(source: LanguageSource): void {
    this.language = source;
  }

  /** Offers a model that guesses words to be chosen again, and has the browser keep it: one that was learned here, or has loaded. */
  keepGuesser(file: File): void {
    if (file === this.ownLanguage) return;
    this.ownLanguage = file;
    void this.ownGuesser.keep(file);
  }

  write(text: string): void {
    this.text = text;
    this.rest();
  }

  /** Puts a text in the place of what the visitor wrote, to which a way leads back. */
  place(text: string): void {
    this.#keepText();
    this.#put(text);
    this.write(text);
  }

  #put(words: string): void {
    this.#placed = new Set([...this.#placed, words]);
  }

  #keepText(): void {
    // From one text of the page's to the next, the draft is still what was written before them.
    if (this.typed && this.text.trim() !== "") this.draft = { text: this.text, source: this.source, threshold: this.threshold };
  }

  /** Puts a program in the place of the visitor's, to which a way leads back; null is the page's own. */
  placeCode(code: string | null): void {
    this.#keepCode();
    if (code !== null) this.#put(code);
    this.code = code;
  }

  #keepCode(): void {
    if (this.code !== null && !this.#placed.has(this.code) && this.code.trim() !== "") this.ownCode = this.code;
  }

  /** Brings back the program that the visitor had written; a way leads back to what was written meanwhile. */
  undoCode(): void {
    const { ownCode } = this;
    this.ownCode = null;
    this.#keepCode();
    this.code = ownCode;
  }

  /** Adds to the text. What goes on with a text that the page has put there is the page's as well. */
  append(added: string): void {
    const text = this.text + added;
    if (this.#placed.has(this.text)) this.#put(text);
    this.write(text);
  }

  show(example: Example): void {
    this.place(example.text);
    if (example.model !== this.model) this.choose({ kind: "shipped", id: example.model });
  }

  /** Brings back what the visitor had written, with the model and the threshold it was read with; a way leads back to what was written meanwhile. */
  undo(): void {
    const { draft } = this;
    if (!draft) return;
    this.draft = null;
    this.#keepText();
    this.write(draft.text);
    if (draft.source !== this.source) this.choose(draft.source);
    this.threshold = draft.threshold;
  }

  /** The other decision for a token, or, the second time, the network's own. */
  force(index: number): void {
    const { seen, forced } = this;
    // The number must be that of a token of the text to be read, not of the one before it.
    if (!this.ready || seen?.text !== this.text) return;
    const { [index]: already, ...others } = forced;
    const decision = seen.reading.tokens[index]?.decision;
    if (Object.keys(forced).length === 0) this.undisturbed = { text: this.text, threshold: this.threshold, scores: seen.reading.scores };
    // What was overruled stays in view, so that a second press takes it back.
    this.opened = index;
    if (already) this.forced = others;
    else if (decision) this.forced = { ...forced, [index]: decision === "read" ? "skim" : "read" };
  }

  /** What belonged to another text is given up. */
  private rest(): void {
    this.forced = {};
    this.pointed = null;
    this.opened = null;
    this.playback.finish();
  }

  /** Reads, looks inside and measures as things change; called while a component is made, and stops with it. */
  follow(): void {
    $effect(() => {
      if (this.reader.seen || this.reader.stage.kind === "failed") this.begun = true;
    });

    $effect(() => {
      const { ready, source } = this;
      // What does not load is not kept.
      if (ready && source.kind === "own") untrack(() => void this.ownFile.keep(source.file));
    });

    $effect(() => {
      if (!this.ready) return;
      const asked = [this.text, this.options] as const;
      // What the reader does with it is no reason to ask again.
      untrack(() => {
        this.measurements.stop();
        this.reader.request(...asked);
      });
    });

    $effect(() => {
      const [model, seen, options] = [this.ready, this.reader.seen, this.options];
      if (model && seen && seen.text === this.text) untrack(() => this.insight.look(model, seen, options));
    });

    $effect(() => {
      if (this.paused) untrack(() => this.measurements.stop());
    });

    // Not while anyone waits for a reading or watches one: each new one begins the pause again.
    $effect(() => {
      const [model, seen, options] = [this.ready, this.reader.seen, this.options];
      if (!model || !seen || this.paused || this.reader.busy || this.playback.playing || seen.text !== this.text) return;
      const timer = setTimeout(async () => {
        const { source } = this;
        const subject = { model, seen, options, full: () => this.reader.full(source) };
        if (!(await this.measurements.measure(subject))) return;
        // By what is known by then, the other device may be the better one; a new reading is then measured in its turn.
        if (this.device !== "auto" || !this.reread()) await this.measurements.measure(subject);
      }, QUIET_MS);
      return () => clearTimeout(timer);
    });
  }

  /**
   * Reads the whole text once more, where that is best done, and says whether it does: neither a long one, nor one that has
   * not been read yet, whose reading would begin anew.
   */
  reread(): boolean {
    const { seen } = this.reader;
    const again = seen?.text === this.text && seen.reading.timing.totalMs < LONG_MS;
    if (again) this.reader.request(this.text, { ...this.options, measureMs: 1 });
    return again;
  }
}
