/** The engine's WebAssembly inside the code, for bundlers that put no files beside it: `import "saccade-rnn/inline"`. */

import { engine } from "./inlined.js";
import { platform } from "./platform.js";

platform.inlined = async () => engine;
