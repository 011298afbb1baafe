//! Training: from texts in memory to a model. Never part of the browser's inference binary.
//!
//! A run is a pure function of its config, the texts and the seed: every shuffle, mask and Gumbel draw comes from
//! counters, so a run that was interrupted goes on as if it had not been. Files are for whoever drives the
//! [`Trainer`]: the command line, or a page.

mod adversarial;
mod batches;
mod carried;
mod config;
mod corpus;
mod dealt;
mod distill;
mod error;
mod evaluate;
mod objective;
mod optimizer;
mod oracle;
mod pass;
mod run;
mod set_aside;
mod settings;
mod snapshot;
mod together;
mod trainer;
mod transfer;
pub mod vectors;
mod weight_drop;

pub use crate::model::{Skims, Verdict};
pub use config::{
    ConfigError, LayerRate, LayerRates, OptimizerName, OutputConfig, RunConfig, Schedule, SkimLoss, Spans,
    StorageName, TrainConfig, check,
};
pub use corpus::{
    Column, CorpusError, Example, Examples, Known, LabelledCorpus, LabelledSets, RunningCorpus, Set, Split,
    TableError, TableFormat, TableReader, TaggedExample, TaggedExamples, TaggedSets, check_lines,
    check_share, document_words, encode_labels, extend, fold, hold_out, labels, line_words, number_documents,
    remove_texts_of, share, tags,
};
pub use distill::{Distill, TeacherError, teach};
pub use error::TrainError;
pub use evaluate::{Evaluation, evaluate};
pub use objective::{
    Before, Classify, Item, Losses, Objective, Parse, ParseScore, ParsedBatch, ParsedText, Pieces, Polarity,
    Predict, PredictionScore, Reset, Skimming, Tag, TagScore, TaggedText, Tree, TreeScore, TreeText,
};
pub use optimizer::{Adam, Averaging, Optimizer, OptimizerConfig, Rule, Sgd, Touched};
pub use oracle::cost;
pub use pass::pass;
pub use run::{Adjustment, Due, Evaluated, Finished, Loss, Position, Texts};
pub use settings::{
    CharacterSizes, ClassifyConfig, LabelName, LabelledData, LabelledNetwork, Part, PredictConfig,
    PredictNetwork, PredictTask, Prepared, RunningData, Settings, TagConfig, TagOptions, TagTask, TaggedData,
    TaggedNetwork, check_biases, record,
};
pub use trainer::Trainer;
pub use transfer::{Kept, KeptReason, Source, Taken, TransferError, Transferred, transfer};
