/**
 * The code of taggers, parsers and tree classifiers with that of the package, for places where nothing may be imported later,
 * such as service workers: `import "saccade-rnn/structure"`. Their WebAssembly is fetched with the first of them all the same.
 */

import { platform } from "../platform.js";
import { structures } from "./local.js";

platform.structures = async () => structures;
