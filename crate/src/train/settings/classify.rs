//! A run that learns to classify.

use serde::{Deserialize, Serialize};

use super::{Part, Prepared, Settings, check_biases, one, record};
use crate::model::{self, Classification, FreshOptions, LayerConfig, Model, Pool, Task};
use crate::text::Tokenizer;
use crate::train::config::{ConfigError, OutputConfig, RunConfig, Spans, TrainConfig, check};
use crate::train::corpus::{LabelledCorpus, LabelledSets};
use crate::train::{Classify, TrainError};

/// A training run that learns to classify. `P` says where texts come from.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifyConfig<P> {
    /// Seed of every random choice.
    #[serde(default)]
    pub seed: u32,
    /// What to learn from.
    pub data: LabelledData<P>,
    /// The network.
    pub model: LabelledNetwork,
    /// How to learn.
    pub train: TrainConfig,
    /// What to write.
    #[serde(default)]
    pub output: OutputConfig,
}

/// Texts and labels.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LabelledData<P> {
    /// The data set's name, for the record.
    pub name: String,
    /// Its licence as known, for the record.
    #[serde(default)]
    pub licence: Option<String>,
    /// Readable names of the labels in the file, in the order of the scores; the file's own if absent.
    #[serde(default)]
    pub labels: Vec<LabelName>,
    /// How text is tokenised (text that the data set has tokenised is split at spaces).
    pub tokenizer: Tokenizer,
    /// Training texts, together.
    #[serde(default = "Vec::new")]
    pub train: Vec<P>,
    /// Development texts; all choices are made on them.
    #[serde(default = "none")]
    pub dev: Option<P>,
    /// If there is no `dev`: how many training texts to hold out, of a set without phrases: a random sample, or, if
    /// `dev_block`, the last ones.
    #[serde(default)]
    pub hold_out: usize,
    /// Hold out the last texts of every label, in proportion, rather than a random sample: for sets whose neighbours belong
    /// together (IMDb's reviews of one film).
    #[serde(default)]
    pub dev_block: bool,
    /// Test texts, looked at once, at the end.
    #[serde(default = "none")]
    pub test: Option<P>,
    /// If above 0: cross-validation. The training texts, of sets without phrases, are cut into as many folds; `fold` is the test
    /// set, in the place of `test`.
    #[serde(default)]
    pub folds: usize,
    /// The fold that is the test set.
    #[serde(default)]
    pub fold: usize,
    /// Learn once from training texts that are equal in words and label (treebanks repeat short phrases).
    #[serde(default)]
    pub distinct: bool,
    /// Train on the last so many tokens of a text; 0 for all. Evaluation reads whole texts.
    #[serde(default)]
    pub last_tokens: usize,
    /// Train on pieces of the texts instead of whole ones.
    #[serde(default)]
    pub spans: Option<Spans>,
    /// Words that occur less often in the training texts are unknown.
    #[serde(default = "one")]
    pub min_count: u64,
    /// The most words, `<unk>` included. Words of `init` fill what the training texts leave.
    #[serde(default)]
    pub max_words: Option<usize>,
}

/// The name of a label.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LabelName {
    /// As the data set writes it.
    pub file: String,
    /// As people read it.
    pub name: String,
}

/// The network.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LabelledNetwork {
    /// Width of word vectors.
    pub embedding_size: usize,
    /// Layers.
    pub encoder: Vec<LayerConfig>,
    /// How the states of a text become one.
    pub pool: Pool,
    /// Added to fresh biases of LSTM forget gates.
    #[serde(default)]
    pub forget_bias: f32,
    /// Fresh bias of SRU's reset gates.
    #[serde(default)]
    pub highway_bias: f32,
}

impl<P: Part> Settings for ClassifyConfig<P> {
    type Task = Classify;

    fn validate(&self) -> Result<(), ConfigError> {
        let LabelledNetwork { encoder, forget_bias, highway_bias, .. } = &self.model;
        self.run().validate(encoder, &[], None)?;
        check_biases(encoder, *forget_bias, *highway_bias)?;
        self.objective()?;
        let data = &self.data;
        for part in data.train.iter().chain(&data.dev).chain(&data.test) {
            part.validate(&data.tokenizer)?;
        }
        check("data.fold", data.fold < data.folds.max(1), "below data.folds", data.fold)?;
        let exclusive = data.test.is_none() || data.folds == 0;
        check("data.test", exclusive, "none where data.folds is given", "one")?;
        let exclusive = data.dev.is_none() || data.hold_out == 0;
        check("data.hold_out", exclusive, "0 where data.dev is given", data.hold_out)?;
        let is_held_out = !data.dev_block || data.hold_out > 0;
        check("data.dev_block", is_held_out, "false without data.hold_out", "true")?;
        let is_new = |at: usize| {
            let LabelName { file, name } = &data.labels[at];
            data.labels[..at].iter().all(|label| label.file != *file && label.name != *name)
        };
        check("data.labels", (0..data.labels.len()).all(is_new), "distinct ones", "a repeated one")
    }

    fn run(&self) -> RunConfig {
        RunConfig { seed: self.seed, train: self.train.clone(), output: self.output }
    }

    fn objective(&self) -> Result<Classify, ConfigError> {
        Classify::new(&self.train, self.data.last_tokens, self.data.spans)
    }
}

impl<P> ClassifyConfig<P> {
    /// Numbers words and labels of texts and draws the model. `more_words` are those of a model to start from; `command` is
    /// recorded.
    ///
    /// # Errors
    /// If a label is unknown, a set is empty, or the config makes no model.
    pub fn prepare(
        &self,
        sets: LabelledSets,
        more_words: &[String],
        command: Option<&str>,
    ) -> Result<Prepared<Classify>, TrainError> {
        let LabelledCorpus { texts, vocabulary, labels, data_labels } =
            LabelledCorpus::new(&self.data, sets, more_words)?;
        let LabelledNetwork { embedding_size, encoder, pool, forget_bias, highway_bias } = &self.model;
        let options = FreshOptions { forget_bias: *forget_bias, highway_bias: *highway_bias };
        let data_labels = if data_labels == labels { Vec::new() } else { data_labels };
        let config = model::Config {
            format: model::FORMAT,
            task: Task::Classify(Classification { labels, data_labels, pool: *pool }),
            tokenizer: self.data.tokenizer,
            vocabulary: vocabulary.into(),
            embedding_size: *embedding_size,
            encoder: encoder.clone(),
            threshold: self.train.skim.map(|_| model::DEFAULT_THRESHOLD),
            training: record(command, self.seed, &self.data.name, self.data.licence.as_ref()),
        };
        Ok(Prepared { model: Model::fresh(config, self.train.dropouts(), options, self.seed)?, texts })
    }
}

/// Serde's default for a set that is not there; derived, it would ask for a default of `P`.
pub(super) fn none<P>() -> Option<P> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_of_the_file_has_one_name() {
        #[derive(Clone, Serialize, Deserialize)]
        struct Nothing;
        impl Part for Nothing {}
        let config = |labels: &str| -> ClassifyConfig<Nothing> {
            let text = format!(
                r#"{{
                    "data": {{ "name": "", "labels": {labels}, "tokenizer": {{ "kind": "spaces", "lowercase": false }} }},
                    "model": {{ "embedding_size": 2, "encoder": [], "pool": "last" }},
                    "train": {{ "batch": 1, "epochs": 1, "learning_rate": 0.1 }}
                }}"#
            );
            serde_json::from_str(&text).expect("a config")
        };
        let error = |labels| config(labels).validate().expect_err("a repeated one").to_string();
        let same_file = r#"[{ "file": "1", "name": "a" }, { "file": "1", "name": "b" }]"#;
        assert_eq!(error(same_file), "data.labels: expected distinct ones, found a repeated one");
        let same_name = r#"[{ "file": "0", "name": "a" }, { "file": "1", "name": "a" }]"#;
        assert_eq!(error(same_name), error(same_file));
        let distinct = r#"[{ "file": "0", "name": "1" }, { "file": "1", "name": "0" }]"#;
        assert_eq!(config(distinct).validate(), Ok(()));
    }
}
