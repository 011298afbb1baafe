//! Recurrent networks that decide how much to compute.
pub mod text;
