/** What the worker runs. */

import { local } from "./local.js";
import type { Ask } from "./protocol.js";
import { serve } from "./serve.js";
// Not imported later: in a worker's script Parcel loses what is.
import "./structure/index.js";

const hear = serve(local, (answer, transfer) => postMessage(answer, { transfer }));
addEventListener("message", ({ data }: MessageEvent<Ask>) => hear(data));
