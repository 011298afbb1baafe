//! Recurrent networks that decide how much to compute.
pub mod text;
#[cfg(feature = "train")]
pub mod train;
