import { models, type ModelId } from "./models.ts";
import { recorded } from "./recorded.ts";
import { examples as names } from "./strings.ts";

export interface Example {
  readonly name: string;
  readonly text: string;
  /** The model the text is meant for. */
  readonly model: ModelId;
}

const sentences = models[0].id;

/** A whole review, for the model of whole reviews. */
export const review: Example = {
  name: names.review,
  model: "imdb-skim-lstm",
  text: [
    "I went in on a wet Tuesday with no expectations, mostly because the bus was late and the cinema was warm. The film opens on a ferry crossing a lake, and for ten minutes nothing happens except that an old man peels an orange. I remember thinking: if this goes on, I will leave.",
    "I did not leave. Somewhere between the orange and the second landing the picture takes hold of you. The daughter comes home, the house is to be sold, and the two of them spend the summer emptying drawers. There is a scene with a box of unlabelled keys that is as exciting as any chase I have seen this year, and it is only two people trying doors.",
    "It has faults. The brother is written as a plain fool, the music insists where it should trust us, and the last quarter of an hour explains what we had already understood. A braver editor would have stopped on the closed gate.",
    "Still, I walked home in the rain without noticing it. The performances are wonderful, the light is wonderful, and weeks later I find myself looking at the drawers in my own kitchen. Go and see it while it is still on a large screen.",
  ].join("\n\n"),
};

export const negations: Example = {
  name: names.negations,
  model: sentences,
  text: "It isn't that the jokes aren't funny; it's that nobody on the screen seems to have noticed they are jokes.",
};

export const question: Example = {
  name: names.question,
  model: "trec-skim-lstm",
  text: "What is the name of the river that flows through the capital of Austria?",
};

/** The first is what the page opens with. */
export const examples: readonly [Example, ...Example[]] = [
  { name: names.thought, model: recorded.model, text: recorded.text },
  {
    name: names.verdict,
    model: sentences,
    text: "What a waste of a wonderful cast: the story is dull and the jokes are worse.",
  },
  negations,
  {
    name: names.irony,
    model: sentences,
    text: "I expected nothing, and the film still managed to disappoint me.",
  },
  question,
  review,
];
