//! `saccade write`: a language model goes on with texts, with all of them together.

use std::fs;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use saccade_rnn::device::Device;
use saccade_rnn::graph::{Graph, Strategy};
use saccade_rnn::model::{Model, ReadError, Task, Writing, Written};
use saccade_rnn::nn::Sampling;
use serde_json::json;

use crate::device::Hardware;
use crate::failure::Failure;
use crate::output::{self, printable};

/// The most words of all texts together: the graph keeps what each of them left.
const MOST_WORDS: usize = 100_000;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The model file, of a language model.
    #[arg(long, short, value_name = "FILE")]
    model: PathBuf,
    /// How texts begin; without any, nothing comes before.
    #[arg(value_name = "TEXT")]
    beginnings: Vec<String>,
    /// So many texts from each beginning.
    #[arg(long, value_name = "N", default_value = "1")]
    times: NonZeroUsize,
    /// The most words of a text.
    #[arg(long, value_name = "N", default_value_t = 100)]
    words: usize,
    /// Below 1 prefers probable words, 0 takes the most probable one, 1 draws by the model's own probabilities.
    #[arg(long, value_name = "T", default_value_t = 1.0, allow_negative_numbers = true)]
    temperature: f64,
    /// Draw from so many of the most probable words.
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Draw from the most probable words that together reach this probability.
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    nucleus: Option<f64>,
    /// The same seed draws the same texts.
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Draw nothing: search for the most probable texts, keep so many after every word, and give the first `--times` of them.
    #[arg(long, value_name = "WIDTH", conflicts_with_all = ["temperature", "top", "nucleus", "seed"])]
    beam: Option<NonZeroUsize>,
    /// Where to compute.
    #[arg(long, value_enum, default_value = "cpu")]
    device: Hardware,
}

pub(crate) fn run(mut arguments: Arguments, json: bool) -> Result<(), Failure> {
    let path = arguments.model.as_path();
    let bytes = fs::read(path).map_err(Failure::file(path))?;
    let model = Model::from_bytes(&bytes).map_err(Failure::model(path))?;
    let task = &model.config().task;
    if !matches!(task, Task::Predict(_)) {
        return Err(Failure::Question { asked: "write", task: task.name() });
    }
    if arguments.beginnings.is_empty() {
        arguments.beginnings.push(String::new());
    }
    if arguments.beam.is_some_and(|width| arguments.times > width) {
        let reason = "a search keeps --beam texts, and can give no more";
        return Err(Failure::Option { option: "--times", reason });
    }
    let each = arguments.beam.unwrap_or(arguments.times).get();
    let texts = arguments.beginnings.len().saturating_mul(each);
    if texts.saturating_mul(arguments.words) > MOST_WORDS {
        let reason = "texts and words are too many: at most 100,000 words are written in one go";
        return Err(Failure::Option { option: "--words", reason });
    }
    let device = arguments.device.device(NonZeroUsize::MIN)?;
    let (written, batches) = pollster::block_on(write(&model, &device, &arguments))?;
    if json {
        let text = |(beginning, written): &(&String, Written)| {
            json!({ "beginning": beginning, "text": model.text(&written.ids), "words": written.ids.len(),
                    "log_probability": written.log_probability, "ended": written.ended,
                    "rows_computed": written.rows })
        };
        let texts: Vec<_> = written.iter().map(text).collect();
        return output::json(&json!({ "texts": texts, "batches": batches }));
    }
    let out = &mut anstream::stdout().lock();
    for (number, (beginning, written)) in written.iter().enumerate() {
        if number > 0 {
            writeln!(out, "\n---")?;
        }
        let text = model.text(&written.ids);
        let apart =
            model.has_words_apart() && !beginning.is_empty() && !beginning.ends_with(char::is_whitespace);
        let space = if apart { " " } else { "" };
        writeln!(out, "{}{space}{}", printable(beginning), printable(&text))?;
    }
    Ok(out.flush()?)
}

/// All texts with their beginnings, and how many kernel calls they took.
async fn write<'a>(
    model: &Model,
    device: &Device,
    arguments: &'a Arguments,
) -> Result<(Vec<(&'a String, Written)>, usize), ReadError> {
    let Arguments { ref beginnings, times, words, temperature, top, nucleus, seed, beam, .. } = *arguments;
    let graph = Graph::inference(model.parameters(), device, Strategy::Levels);
    let mut all = Vec::new();
    if let Some(width) = beam {
        let searches = beginnings.iter().map(|text| model.search(&graph, text, width.get(), words));
        for (text, found) in beginnings.iter().zip(graph.join(searches).await) {
            all.extend(found?.into_iter().take(times.get()).map(|written| (text, written)));
        }
    } else {
        let each = || beginnings.iter().flat_map(|text| std::iter::repeat_n(text, times.get()));
        let sampling = Sampling { temperature, top, nucleus };
        let programs = each().zip(0..).map(|(text, number)| {
            let writing = Writing { sampling, seed: seed.wrapping_add(number), most_words: words };
            model.write(&graph, text, writing)
        });
        for (text, written) in each().zip(graph.join(programs).await) {
            all.push((text, written?));
        }
    }
    Ok((all, graph.explain().batches().len()))
}
