import { roughly, TOO_BUSY } from "../../frame/measured.ts";
import { agrees, type Cost } from "./costs.ts";

/** What a token costs, in words; that the machine is too busy, where the rounds do not agree on it. */
export const inWords = ({ total }: Cost): string => (agrees(total) ? roughly(total.median) : TOO_BUSY);
