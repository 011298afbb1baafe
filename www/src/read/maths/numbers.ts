import { skimSizes } from "../../study/flops.ts";
import { at, type Tradeoff } from "../curve.ts";
import { logitsAt } from "../inside.ts";
import type { Study } from "../../study/study.svelte.ts";
import type { Numbers } from "./strings.ts";

/** The numbers of the reading that is on the page, and of the model's curve at its threshold. */
export function numbersOf(study: Study, tradeoff: Tradeoff | null): Numbers {
  const { seen, focus, hidden } = study;
  const tokens = seen?.reading.tokens ?? [];
  const read = tokens.filter(({ decision }) => decision === "read").length;
  const token = tokens[focus];
  const layer = hidden?.layers.find(({ logits }) => logits);
  const threshold = study.threshold ?? study.own ?? 0.5;
  const point = tradeoff && at(tradeoff, threshold);
  const losses = tokens.flatMap(({ skimProbability }) => (skimProbability === null ? [] : [-Math.log(skimProbability)]));
  return {
    tokens: tokens.length,
    read,
    skimmed: tokens.length - read,
    sizes: study.ready ? skimSizes(study.ready.config) : null,
    threshold,
    word: token && seen ? seen.text.slice(token.start, token.end) : "",
    pSkim: token?.skimProbability ?? null,
    logits: layer && focus >= 0 ? logitsAt(layer, focus) : null,
    label: seen?.reading.label ?? "",
    probability: seen?.reading.scores.find(({ label }) => label === seen.reading.label)?.probability ?? null,
    skimLoss: losses.length > 0 ? losses.reduce((sum, each) => sum + each, 0) / losses.length : null,
    accuracy: point?.accuracy ?? null,
    texts: tradeoff?.texts ?? null,
    account: study.measured?.account?.told ? study.measured.account : null,
  };
}
