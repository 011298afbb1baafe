import { isTold } from "../../engine.ts";
import { roughly, TOO_BUSY } from "../../frame/measured.ts";
import type { Cost } from "./costs.ts";

/** What a word costs; null where the rounds do not agree on it. */
export const told = ({ total }: Cost): string | null => (isTold(total) ? roughly(total.median) : null);

/** What a word costs, in words; that the machine is too busy, where the rounds do not agree on it. */
export const inWords = (cost: Cost): string => told(cost) ?? TOO_BUSY;
