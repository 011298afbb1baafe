//! `saccade inspect`: what is inside a file.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use saccade_rnn::model::{ConfigSummary, FileSummary, TensorSummary};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::{self, count, printable};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A model, or any safetensors file such as a PyTorch `state_dict`.
    file: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let path = arguments.file.as_path();
    let bytes = fs::read(path).map_err(Failure::file(path))?;
    let summary = FileSummary::from_bytes(&bytes).map_err(Failure::model(path))?;
    if json { output::json(&summary) } else { print(&mut anstream::stdout().lock(), &summary) }
}

fn print(out: &mut impl Write, summary: &FileSummary) -> Result<(), Failure> {
    let tensors = summary.tensors.len();
    writeln!(
        out,
        "{} bytes, {} parameters in {tensors} tensors",
        count(summary.bytes as u64),
        count(summary.parameters)
    )?;
    if let Some(problem) = &summary.problem {
        writeln!(out, "not a model: {} ({})", printable(&problem.message), problem.code)?;
    }
    match &summary.config {
        Some(config) => print_config(out, config)?,
        None if summary.problem.is_none() => writeln!(out, "no config: tensors alone, as in a state_dict")?,
        None => {}
    }
    for layer in &summary.layers {
        field(out, "layer", layer)?;
    }
    for (key, value) in &summary.metadata {
        field(out, key, value)?;
    }
    writeln!(out)?;
    let widest = summary.tensors.iter().map(|tensor| tensor.name.chars().count()).max().unwrap_or(0).min(48);
    writeln!(
        out,
        "{:widest$}  {:5} {:>14} {:>12} {:>11} {:>11} {:>11}",
        "tensor", "dtype", "shape", "bytes", "min", "max", "mean"
    )?;
    for tensor in &summary.tensors {
        let TensorSummary { name, dtype, shape, bytes, min, max, mean } = tensor;
        let name = printable(name);
        let shape = format!("{shape:?}");
        let [min, max, mean] = [min.map(f64::from), max.map(f64::from), *mean].map(number);
        writeln!(
            out,
            "{name:widest$}  {dtype:5} {shape:>14} {:>12} {min:>11} {max:>11} {mean:>11}",
            count(*bytes as u64)
        )?;
    }
    Ok(out.flush()?)
}

fn print_config(out: &mut impl Write, config: &ConfigSummary<'_>) -> Result<(), Failure> {
    field(out, "task", plain(&config.task))?;
    field(out, "labels", config.labels.join(", "))?;
    field(out, "tokenizer", plain(&config.tokenizer))?;
    field(out, "vocabulary", format!("{} words", count(config.vocabulary_size as u64)))?;
    field(out, "embedding", format!("{} columns", config.embedding_size))?;
    for (i, layer) in config.encoder.iter().enumerate() {
        field(out, &format!("encoder.{i}"), plain(layer))?;
    }
    if let Some(pool) = &config.pool {
        field(out, "pool", plain(pool))?;
    }
    if config.skims {
        field(out, "threshold", config.threshold.to_string())?;
    }
    let training = &config.training;
    let seed = training.seed.map(|seed| seed.to_string());
    let known = [
        ("command", &training.command),
        ("seed", &seed),
        ("commit", &training.commit),
        ("data set", &training.data_set),
        ("licence", &training.licence),
    ];
    for (name, value) in known {
        if let Some(value) = value {
            field(out, name, value)?;
        }
    }
    for (name, figure) in &training.figures {
        field(out, name, figure.to_string())?;
    }
    for (name, note) in &training.notes {
        field(out, name, note)?;
    }
    Ok(())
}

fn field(out: &mut impl Write, name: &str, value: impl AsRef<str>) -> Result<(), Failure> {
    let value = printable(value.as_ref()).replace('\n', "\n                  ");
    Ok(writeln!(out, "  {:14}  {value}", printable(name))?)
}

/// JSON without the braces, quotes and underscores.
fn plain(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).unwrap_or_else(|error| error.to_string());
    let bare: String = json.chars().filter(|c| !"{}\"".contains(*c)).collect();
    bare.replace(':', " ").replace(',', ", ").replace('_', " ")
}

fn number(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(value) if (1e-3..1e5).contains(&value.abs()) => format!("{value:.5}"),
        Some(value) => format!("{value:.3e}"),
    }
}
