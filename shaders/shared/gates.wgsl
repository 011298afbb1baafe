// The numbers of blocks of `hidden` values: `GATES` in a cell's products, `SAVED` in what a row keeps for the backward
// pass.

#if tanh relu
const GATES = 1u;
// h, h before.
const SAVED = 2u;
#endif
#if gru
const GATES = 3u;
// r, z, n, W_hn h + b_hn, h before.
const SAVED = 5u;
#endif
#if lstm
const GATES = 4u;
// i, f, g, o, c before, h before.
const SAVED = 6u;
#endif
