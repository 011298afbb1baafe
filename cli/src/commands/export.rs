//! `saccade export`: a smaller copy of a model.

use std::path::{Path, PathBuf};

use saccade_rnn::device::Device;
use saccade_rnn::model::{Checkpoint, Model, ModelError, Storage, Task, WordVectors};
use saccade_rnn::train::{Objective, Parse, Tag, Tree, evaluate};
use serde_json::json;

use super::check_apart;
use crate::config::Part;
use crate::corpus::running::files;
use crate::corpus::{CorpusError, parsed, read_items, tagged, trees};
use crate::failure::Failure;
use crate::files::{check_writable, write_whole};
use crate::perplexity::Running;
use crate::source::{self, AnyFormat};
use crate::{labelled, output};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The model file.
    model: PathBuf,
    /// The file to write.
    #[arg(long)]
    out: PathBuf,
    /// Keep so many words, `<unk>` included: those that are frequent and whose vectors stand out. All if absent.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    words: Option<u32>,
    /// How matrices are stored; vectors are always f32.
    #[arg(long, value_enum, default_value_t = Precision::Int8)]
    storage: Precision,
    /// Measure the copy on a text and record the figures in it, as in test=sst/test.txt:lines.
    #[arg(long = "measure", value_name = "SET=PATH:FORMAT", value_parser = named)]
    measures: Vec<(String, (PathBuf, AnyFormat))>,
    /// The file of a parser, whose trees are labelled, for `--measure` of a tree classifier that sums the children of words.
    #[arg(long, value_name = "FILE", requires = "measures")]
    parser: Option<PathBuf>,
    /// Write tied weights under all their names, for other programs, and all weights as f32.
    #[arg(long, conflicts_with_all = ["storage", "measures"])]
    all_names: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Precision {
    F32,
    F16,
    Int8,
}

pub(crate) fn run(args: Arguments, json: bool) -> Result<(), Failure> {
    // The model itself may be written over: it is read whole before.
    let texts = args.measures.iter().flat_map(|(_, (path, _))| files(path).unwrap_or_default());
    check_apart(&args.out, texts.chain(args.parser.clone()))?;
    check_writable(&args.out)?;
    let bytes = std::fs::read(&args.model).map_err(Failure::file(&args.model))?;
    let model = Model::from_bytes(&bytes).map_err(Failure::model(&args.model))?;
    let words = model.vocabulary().len() as u32;
    let mut small = match args.words {
        Some(count) => {
            let mut keep = by_importance(&model);
            keep.truncate(count as usize);
            model.with_words(&keep).map_err(Failure::model(&args.model))?
        }
        None => model,
    };
    let kept = small.vocabulary().len();
    let training = &mut small.config_mut().training;
    training.figures.clear();
    training.notes.insert("exported".into(), format!("{kept} of {words} words"));
    let storage = match args.storage {
        Precision::F32 => Storage::F32,
        Precision::F16 => Storage::F16,
        Precision::Int8 => Storage::Int8Rows,
    };
    let store = |model: &Model| {
        let bytes = model.to_bytes(|_, tensor| if tensor.shape.len() == 2 { storage } else { Storage::F32 });
        bytes.map_err(Failure::model(&args.out))
    };
    if args.all_names {
        return finish(&args.out, &all_names(&small).map_err(Failure::model(&args.out))?, kept, json);
    }
    // What is measured is the copy as stored.
    let mut small = Model::from_bytes(&store(&small)?).map_err(Failure::model(&args.out))?;
    let parser = args.parser.as_deref().map(|path| labelled::parser_for(&small, path)).transpose()?;
    for (set, (path, format)) in &args.measures {
        measure(&mut small, parser.as_ref(), set, path, *format)?;
    }
    finish(&args.out, &store(&small)?, kept, json)
}

/// Measures a model on a text and records the figures in it.
fn measure(
    model: &mut Model,
    parser: Option<&Model>,
    set: &str,
    path: &Path,
    format: AnyFormat,
) -> Result<(), Failure> {
    let device = Device::cpu();
    match model.config().task {
        Task::Classify(_) => {
            let part = Part { path: path.to_owned(), format: format.labelled.ok_or(Failure::Unlabelled)? };
            let labels = model.config().task.data_labels();
            let items = read_items(&part, Path::new(""), model.tokenizer(), model.vocabulary(), labels)?;
            let figures = evaluate(model, &device, &items, model.threshold(), |_| true);
            if let Some(figures) = pollster::block_on(figures)? {
                labelled::finite(figures)?.record(set, model);
            }
        }
        Task::Tag(_) => {
            if !format.tagged {
                return Err(Failure::Untagged);
            }
            let texts = tagged::number(&tagged::read(path)?, model)?;
            if let Some(score) = pollster::block_on(Tag::scoring().score(model, &device, &texts, |_| true))? {
                score.record(set, model);
            }
        }
        Task::Parse(_) => {
            if !format.tagged {
                return Err(Failure::Unparsed);
            }
            let texts = parsed::number(&tagged::read(path)?, model)?;
            if let Some(score) = pollster::block_on(Parse::scoring().score(model, &device, &texts, |_| true))?
            {
                score.record(set, model);
            }
        }
        Task::Tree(_) => {
            if !format.trees {
                return Err(Failure::NoTrees);
            }
            let texts = trees::number(&trees::read(path).map_err(CorpusError::from)?, path, model, parser)?;
            if let Some(score) = pollster::block_on(Tree::scoring().score(model, &device, &texts, |_| true))?
            {
                score.record(set, model);
            }
        }
        Task::Predict(_) => {
            let layout = format.running.ok_or(Failure::NotRunning)?;
            let text = Running::read(path, layout, model)?;
            if let Some(score) = text.score(model, &device, |_| true)? {
                score.record(set, model);
            }
        }
    }
    Ok(())
}

fn finish(out: &Path, bytes: &[u8], words: usize, json: bool) -> Result<(), Failure> {
    write_whole(out, bytes)?;
    if json {
        return output::json(
            &json!({ "out": out.display().to_string(), "words": words, "bytes": bytes.len() }),
        );
    }
    output::line(format_args!("wrote {}: {words} words, {} bytes", out.display(), bytes.len()))
}

/// The model's file with a tensor for every name.
fn all_names(model: &Model) -> Result<Vec<u8>, ModelError> {
    let mut checkpoint = Checkpoint::from_bytes(&model.to_bytes(|_, _| Storage::F32)?)?;
    for alias in model.network().encoder.words.aliases() {
        checkpoint.tensors.insert(alias.name.clone(), alias.tensor(model.parameters()));
    }
    checkpoint.to_bytes(|_, _| Storage::F32)
}

/// Ids by decreasing `|v - v_unk| / place^(1/4)`, where the place in the vocabulary stands for the frequency: a word whose
/// vector is near the unknown word's is not missed, and neither is one that hardly occurs. `<unk>` is first. None of a model
/// whose words have no table.
fn by_importance(model: &Model) -> Vec<u32> {
    let WordVectors::Table(embedding) = &model.network().encoder.words else { return Vec::new() };
    let table = model.parameters().get(embedding.weight);
    let columns = table.columns();
    let unknown = &table.values[..columns];
    let distance = |row: &[f32]| row.iter().zip(unknown).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt();
    let importance: Vec<f32> = table
        .values
        .chunks_exact(columns)
        .enumerate()
        .map(|(id, row)| if id == 0 { f32::INFINITY } else { distance(row) / (id as f32).powf(0.25) })
        .collect();
    let mut ids: Vec<u32> = (0..importance.len() as u32).collect();
    ids.sort_by(|&a, &b| importance[b as usize].total_cmp(&importance[a as usize]));
    ids
}

fn named(text: &str) -> Result<(String, (PathBuf, AnyFormat)), String> {
    let (set, source) =
        text.split_once('=').ok_or("expected SET=PATH:FORMAT, as in test=sst/test.txt:lines")?;
    Ok((set.to_owned(), source::parse_any(source)?))
}
