/** Files of tests that run with the package of this thread and with that of a worker, in Node and in browsers (`platforms`). */
export const suite = ["calls", "language", "layers", "learning", "model", "options", "pool", "sources", "structure"];
