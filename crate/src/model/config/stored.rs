//! A config as it is stored: as of today, or in the first format, in which classification was the only task and its fields
//! stood among the others.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::{Classification, Config, FORMAT, LayerConfig, Pool, Task, Training};
use crate::model::layer_config;
use crate::text::Tokenizer;

/// The fields of both formats.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    format: u32,
    task: StoredTask,
    tokenizer: Tokenizer,
    vocabulary: Vec<String>,
    embedding_size: usize,
    #[serde(deserialize_with = "layer_config::encoder")]
    encoder: Vec<LayerConfig>,
    threshold: Option<f32>,
    #[serde(default)]
    training: Training,
    // Of the first format.
    labels: Option<Vec<String>>,
    data_labels: Option<Vec<String>>,
    pool: Option<Pool>,
}

enum StoredTask {
    Task(Task),
    /// By its name alone, as the first format has it.
    Classify,
}

impl<'de> Deserialize<'de> for StoredTask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of;

        impl<'de> Visitor<'de> for Of {
            type Value = StoredTask;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a task")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<StoredTask, E> {
                match name {
                    "classify" => Ok(StoredTask::Classify),
                    _ => Err(E::unknown_variant(name, &["classify"])),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<StoredTask, A::Error> {
                Task::deserialize(MapAccessDeserializer::new(map)).map(StoredTask::Task)
            }
        }

        deserializer.deserialize_any(Of)
    }
}

impl TryFrom<Stored> for Config {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let missing = |field: &str| format!("missing field `{field}`");
        let first = stored.format == 1;
        let task = match stored.task {
            StoredTask::Classify if first => Task::Classify(Classification {
                labels: stored.labels.ok_or_else(|| missing("labels"))?,
                data_labels: stored.data_labels.unwrap_or_default(),
                pool: stored.pool.ok_or_else(|| missing("pool"))?,
            }),
            StoredTask::Task(task) if !first => {
                let given = [
                    (stored.labels.is_some(), "labels"),
                    (stored.data_labels.is_some(), "data_labels"),
                    (stored.pool.is_some(), "pool"),
                ];
                match given.iter().find(|(given, _)| *given) {
                    Some((_, field)) => return Err(format!("unknown field `{field}`")),
                    None => task,
                }
            }
            _ => return Err(format!("task: not as format {} has it", stored.format)),
        };
        Ok(Self {
            format: if first { FORMAT } else { stored.format },
            task,
            tokenizer: stored.tokenizer,
            vocabulary: stored.vocabulary,
            embedding_size: stored.embedding_size,
            encoder: stored.encoder,
            threshold: stored.threshold,
            training: stored.training,
        })
    }
}
