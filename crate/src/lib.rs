//! Recurrent networks that decide how much to compute.
//!
//! The floors, lowest first; each uses only what is below it: [`cpu`] kernels (package
//! `saccade-kernels`), [`device`], [`graph`], [`nn`],
//! [`text`] (which knows nothing of tensors), [`model`], `runner` (feature `gpu`: where a model runs).

pub mod device;
pub mod graph;
pub mod model;
pub mod nn;
#[cfg(feature = "gpu")]
pub mod runner;
pub mod text;
#[cfg(feature = "train")]
pub mod train;
#[cfg(feature = "web")]
pub mod web;

pub use saccade_kernels as cpu;

/// The guide, whose examples are tests.
#[cfg(all(doctest, feature = "train"))]
#[doc = include_str!("../../docs/guide.md")]
struct Guide;

/// The README, whose Rust is compiled.
#[cfg(all(doctest, feature = "train"))]
#[doc = include_str!("../../README.md")]
struct Readme;
