//! Recurrent networks that decide how much to compute.
pub mod model;
pub mod text;
