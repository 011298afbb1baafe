import type { Component } from "svelte";
import type { Study } from "../study/study.svelte.ts";
import type { Place } from "./address.ts";

/** What a chapter is given: the text and the models, which all chapters share. */
export interface ChapterProps {
  readonly study: Study;
}

/** What its view is given beside them. */
export interface ViewProps extends ChapterProps {
  /** Opens a chapter, or a scene of it, with the text and the models as they are by then. */
  readonly go: (place: Place) => void;
}

/** The mathematics of a scene of a chapter, by the scene's name. */
export interface MathsProps extends ChapterProps {
  readonly scene: string;
}

type Module<Props extends ChapterProps> = Promise<{ readonly default: Component<Props> }>;

/** A chapter as the frame knows it. Its code comes when somebody opens it, or its thumbnail is shown. */
export interface Chapter {
  /** As it stands in addresses: `#read`. */
  readonly id: string;
  /** One word, for the bar. */
  readonly name: string;
  readonly title: string;
  /** What it is about, under the title. */
  readonly lede: string;
  /** What it answers, under its thumbnail. */
  readonly question: string;
  view(): Module<ViewProps>;
  thumbnail(): Module<ChapterProps>;
  /** The names of the scenes that have mathematics, which comes when somebody asks for it. */
  readonly maths: {
    readonly scenes: readonly string[];
    load(): Promise<{ readonly default: Component<MathsProps> }>;
  };
}
