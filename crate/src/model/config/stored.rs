//! The first format of a config, in which classification was the only task and its fields stood among the others.

use serde::Deserialize;

use super::{Classification, Config, FORMAT, LayerConfig, Pool, Task, Training, layer_config};
use crate::text::Tokenizer;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flat {
    #[allow(dead_code, reason = "read before: it says that this is the first format")]
    format: u32,
    #[allow(dead_code, reason = "there was one task")]
    task: Name,
    tokenizer: Tokenizer,
    vocabulary: Vec<String>,
    labels: Vec<String>,
    #[serde(default)]
    data_labels: Vec<String>,
    embedding_size: usize,
    #[serde(deserialize_with = "layer_config::layers")]
    encoder: Vec<LayerConfig>,
    pool: Pool,
    threshold: Option<f32>,
    #[serde(default)]
    training: Training,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    Classify,
}

/// Reads a config of the first format, as one of today's.
pub(super) fn read(text: &str) -> Result<Config, serde_json::Error> {
    let Flat {
        tokenizer,
        vocabulary,
        labels,
        data_labels,
        embedding_size,
        encoder,
        pool,
        threshold,
        training,
        ..
    } = serde_json::from_str(text)?;
    let task = Task::Classify(Classification { labels, data_labels, pool });
    Ok(Config { format: FORMAT, task, tokenizer, vocabulary, embedding_size, encoder, threshold, training })
}
