//! `saccade eval`: figures of a model on a text.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use saccade_rnn::device::Device;
use saccade_rnn::model::{Model, Task};
use saccade_rnn::train::{Objective, Parse, Tag, Tree, evaluate};
use serde_json::json;

use crate::corpus::{CorpusError, parsed, read_items, tagged, trees};
use crate::device::{Hardware, threads};
use crate::failure::Failure;
use crate::perplexity::Running;
use crate::progress::Progress;
use crate::source::AnyFormat;
use crate::{config, labelled, output};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The model file.
    #[arg(long)]
    model: PathBuf,
    /// The file of texts; of running text also a folder.
    #[arg(long)]
    data: PathBuf,
    /// How it is written. For a classifier: lines (`label text`), imdb-tsv, ag-csv or sst-trees. For a language model: text
    /// (running text, hard-wrapped or not), lines (a sentence each) or imdb-tsv (a document each). For a tagger or a
    /// parser: conllu. For a tree classifier: ptb (trees in brackets).
    #[arg(long)]
    format: AnyFormat,
    /// Skim iff the probability of skimming exceeds this; the model's own if absent.
    #[arg(long, allow_negative_numbers = true)]
    threshold: Option<f32>,
    /// The file of a parser, whose trees are labelled: of a tree classifier that sums the children of words.
    #[arg(long)]
    parser: Option<PathBuf>,
    /// Where to compute.
    #[arg(long, value_enum, default_value = "cpu")]
    device: Hardware,
    /// How many threads of the processor texts are dealt to; a text is read by one, but for a language model's, which one thread
    /// encodes and those beside it compute the losses of. The figures do not depend on it.
    #[arg(long, value_name = "COUNT", default_value = "1", value_parser = threads)]
    threads: NonZeroUsize,
}

pub(crate) fn run(args: &Arguments) -> Result<(), Failure> {
    let model = labelled::open(&args.model)?;
    let parser = args.parser.as_deref().map(|path| labelled::parser_for(&model, path)).transpose()?;
    match model.config().task {
        Task::Classify(_) => classify(args, &model),
        Task::Predict(_) => predict(args, &model),
        Task::Tag(_) => tag(args, &model),
        Task::Parse(_) => parse(args, &model),
        Task::Tree(_) => tree(args, &model, parser.as_ref()),
    }
}

fn parse(args: &Arguments, model: &Model) -> Result<(), Failure> {
    refuse_threshold(args, "a parser reads every word")?;
    if !args.format.tagged {
        return Err(Failure::Unparsed);
    }
    let sentences = tagged::read(&args.data)?;
    let texts = parsed::number(&sentences, model)?;
    let device = args.device.device(args.threads)?;
    let words = texts.iter().map(|text| text.tags.len()).sum();
    let progress = progress(args, texts.len(), words)?;
    let (score, seconds) = scored(&Parse::scoring(), model, &device, &texts, &progress)?;
    progress.end();
    output::json(&json!({
        "n": score.n,
        "uas": score.uas,
        "las": score.las,
        "accuracy": score.accuracy,
        "sentences": score.sentences,
        "not_projective": sentences.examples.iter().filter(|sentence| !sentence.is_projective()).count(),
        "sentences_per_second": score.sentences as f64 / seconds,
        "tokens_per_second": score.n as f64 / seconds,
        "convention": "the treebank's words, tags predicted by the parser; uas: share of all words, punctuation too, with \
                       the right head; las: and the right universal relation to it, without subtypes; accuracy: of the \
                       tags",
    }))
}

fn tag(args: &Arguments, model: &Model) -> Result<(), Failure> {
    refuse_threshold(args, "a tagger reads every word")?;
    if !args.format.tagged {
        return Err(Failure::Untagged);
    }
    let sentences = tagged::read(&args.data)?;
    let texts = tagged::number(&sentences, model)?;
    let device = args.device.device(args.threads)?;
    let words = texts.iter().map(|text| text.tags.len()).sum();
    let mut progress = progress(args, texts.len(), words)?;
    let (score, seconds) = scored(&Tag::scoring(), model, &device, &texts, &progress)?;
    progress.begin(words, "words");
    let raw = tagged::cut(&sentences.examples, model, &device, &mut progress)?;
    progress.end();
    output::json(&json!({
        "n": score.n,
        "accuracy": score.accuracy,
        "unknown": score.unknown,
        "unknown_accuracy": score.unknown_accuracy,
        "sentences": score.sentences,
        "sentences_per_second": score.sentences as f64 / seconds,
        "tokens_per_second": score.n as f64 / seconds,
        "from_text": raw,
        "convention": "accuracy: the treebank's words; from_text: sentences cut into words by the model's tokenizer, \
                       found: share of the treebank's words that it cuts out, accuracy: share of them all that have \
                       the right tag",
    }))
}

fn tree(args: &Arguments, model: &Model, parser: Option<&Model>) -> Result<(), Failure> {
    refuse_threshold(args, "a tree classifier reads every word")?;
    if !args.format.trees {
        return Err(Failure::NoTrees);
    }
    let trees = trees::read(&args.data).map_err(CorpusError::from)?;
    let texts = trees::number(&trees, &args.data, model, parser)?;
    let device = args.device.device(args.threads)?;
    let words: usize = texts.iter().map(|text| text.tree.words()).sum();
    let progress = progress(args, texts.len(), words)?;
    let (score, seconds) = scored(&Tree::scoring(), model, &device, &texts, &progress)?;
    progress.end();
    output::json(&json!({
        "n": score.n,
        "accuracy": score.accuracy,
        "nodes": score.nodes,
        "node_accuracy": score.node_accuracy,
        "binary": { "n": score.poles, "accuracy": score.pole_accuracy },
        "loss": score.loss,
        "sentences_per_second": score.n as f64 / seconds,
        "tokens_per_second": words as f64 / seconds,
        "convention": "nodes: those that have a label; of a parser's tree a word whose words are one of the data's phrases; \
                       accuracy: roots; binary: roots whose right label is not the middle one, right if the labels on its \
                       side of the middle have more probability together than those on the other",
    }))
}

fn classify(args: &Arguments, model: &Model) -> Result<(), Failure> {
    let threshold = labelled::threshold(args.threshold, model)?;
    let format = args.format.labelled.ok_or(Failure::Unlabelled)?;
    let part = config::Part { path: args.data.clone(), format };
    let labels = model.config().task.data_labels();
    let items = read_items(&part, "".as_ref(), model.tokenizer(), model.vocabulary(), labels)?;
    let device = args.device.device(args.threads)?;
    let progress = Progress::of(items.len(), "texts")?;
    let go_on = |done| progress.at(done);
    let begun = Instant::now();
    let result = pollster::block_on(evaluate(model, &device, &items, threshold, go_on))?;
    let seconds = begun.elapsed().as_secs_f64();
    progress.end();
    let evaluation = labelled::finite(result.ok_or_else(cancelled)?)?;
    output::json(&json!({
        "n": evaluation.n,
        "accuracy": evaluation.accuracy,
        "skim_rate": evaluation.skim_rate,
        "flop_reduction": evaluation.flop_reduction,
        "tokens_per_second": evaluation.tokens as f64 / seconds,
    }))
}

fn predict(args: &Arguments, model: &Model) -> Result<(), Failure> {
    refuse_threshold(args, "a language model is measured at its own threshold")?;
    let layout = args.format.running.ok_or(Failure::NotRunning)?;
    let text = Running::read(&args.data, layout, model)?;
    let device = args.device.device(args.threads)?;
    let progress = Progress::of(text.words(), "words")?;
    let report = text.report(model, &device, |done| progress.at(done))?;
    progress.end();
    output::json(&report.ok_or_else(cancelled)?)
}

/// The progress of texts with so many words: of one thread by the word; several are dealt texts.
fn progress(args: &Arguments, texts: usize, words: usize) -> Result<Progress, Failure> {
    let (total, what) = if args.threads > NonZeroUsize::MIN { (texts, "texts") } else { (words, "words") };
    Progress::of(total, what)
}

/// The figures of texts, and in how many seconds they were had.
fn scored<O: Objective>(
    task: &O,
    model: &Model,
    device: &Device,
    texts: &[O::Item],
    progress: &Progress,
) -> Result<(O::Score, f64), Failure> {
    let begun = Instant::now();
    let score = pollster::block_on(task.score(model, device, texts, |done| progress.at(done)))?;
    let seconds = begun.elapsed().as_secs_f64();
    Ok((score.ok_or_else(cancelled)?, seconds))
}

/// Refuses a threshold, for a reason, where a model has no use for one.
fn refuse_threshold(args: &Arguments, reason: &'static str) -> Result<(), Failure> {
    match args.threshold {
        Some(_) => Err(Failure::Option { option: "--threshold", reason }),
        None => Ok(()),
    }
}

fn cancelled() -> Failure {
    Failure::Cancelled("nothing was measured".into())
}
