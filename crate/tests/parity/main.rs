//! Our layers agree with the reference implementations, output by output and gradient by gradient.
//!
//! `../fixtures` holds what PyTorch, the `sru` package and a plain Skim-RNN compute (its README has the format). Here
//! every file is loaded, the layer it describes is built from its `state_dict`, and all its sequences are recorded,
//! each as an example of its own, on one graph under every batching strategy. Nothing is skipped in silence: an
//! unknown config field, a tensor that nobody read, or a result that only one side has fails the test.
//!
//! `recurrent`, `sru`, `skim` and `functions` say how a family is built and recorded, one test each; `reversed` holds
//! the bidirectional wrapper and the stack against PyTorch's own.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod adaptive_softmax;
mod agreement;
mod fixture;
mod functions;
#[path = "../common/gpu.rs"]
mod gpu;
#[cfg(feature = "train")]
mod optimizer;
mod recording;
mod recurrent;
mod reversed;
mod skim;
mod sru;
