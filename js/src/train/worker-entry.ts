/** What the worker of training runs runs. */

import type { Ask } from "../protocol.js";
import { serve } from "../serve.js";
import { training } from "./local.js";

const hear = serve(training, (answer, transfer) => postMessage(answer, { transfer }));
addEventListener("message", ({ data }: MessageEvent<Ask>) => hear(data));
