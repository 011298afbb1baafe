//! Training: from labelled text to a model. Never part of the browser's inference binary.

pub mod data;
pub mod vectors;
