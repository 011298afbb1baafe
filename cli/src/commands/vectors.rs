//! `saccade vectors`: word vectors from labelled text.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use saccade_rnn::text::Tokenizer;
use saccade_rnn::train::vectors::SkipGram;

use super::check_apart;
use crate::config::Part;
use crate::corpus::read_sentences;
use crate::failure::Failure;
use crate::files::{check_writable, write_whole};
use crate::{interrupt, source};

/// Neighbours shown for each word asked for.
const NEIGHBOURS: usize = 10;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Text to train on: a path below the data folder, a colon, and lines, imdb-tsv, ag-csv or sst-trees
    #[arg(required = true, value_name = "PATH:FORMAT", value_parser = source::parse)]
    text: Vec<Part>,
    /// The folder that holds the data
    #[arg(long, value_name = "DIR", default_value = ".")]
    data: PathBuf,
    /// Where to write the vectors (safetensors)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Numbers of a vector
    #[arg(long, default_value_t = SkipGram::default().size)]
    size: usize,
    /// Words on either side that a word is to predict, at most
    #[arg(long, default_value_t = SkipGram::default().window)]
    window: usize,
    /// Noise words for each pair of words
    #[arg(long, default_value_t = SkipGram::default().negatives)]
    negatives: usize,
    /// Share of the text above which a word is left out at random; 0 keeps all
    #[arg(long, default_value_t = SkipGram::default().subsample)]
    subsample: f64,
    /// Passes over the text
    #[arg(long, default_value_t = SkipGram::default().epochs)]
    epochs: u32,
    /// Learning rate at the beginning
    #[arg(long, value_name = "RATE", default_value_t = SkipGram::default().learning_rate)]
    learning_rate: f32,
    /// Learning rate at the end
    #[arg(long, value_name = "RATE", default_value_t = SkipGram::default().final_learning_rate)]
    final_learning_rate: f32,
    /// Occurrences that give a word a vector of its own
    #[arg(long, value_name = "COUNT", default_value_t = 2)]
    min_count: u64,
    /// Seed of every random choice
    #[arg(long, default_value_t = SkipGram::default().seed)]
    seed: u64,
    /// Show the nearest neighbours of a word when done (may be repeated)
    #[arg(long, value_name = "WORD")]
    nearest: Vec<String>,
}

/// What was done, as `--json` prints it.
#[derive(serde::Serialize)]
struct Report<'a> {
    out: String,
    words: usize,
    size: usize,
    /// Words of text, counted once.
    tokens: u64,
    seconds: f64,
    words_per_second: f64,
    /// The neighbours of each word asked for, with their cosines; null for a word without a vector.
    nearest: std::collections::BTreeMap<&'a str, Option<Vec<(&'a str, f32)>>>,
}

/// Runs the command. The file appears whole or not at all.
pub(crate) fn run(args: Arguments, json: bool) -> Result<(), Failure> {
    check_apart(&args.out, args.text.iter().map(|part| args.data.join(&part.path)))?;
    check_writable(&args.out)?;
    let cancel = Arc::new(AtomicBool::new(false));
    interrupt::sets(&cancel)?;

    let bar = ProgressBar::new_spinner().with_message("reading");
    bar.enable_steady_tick(Duration::from_millis(100));
    let corpus = read_sentences(&args.text, &args.data, &Tokenizer::treebank(), args.min_count)
        .map_err(|error| Failure::DataBelow(error.into()))?;
    let tokens = corpus.tokens();

    bar.set_style(
        ProgressStyle::with_template(
            "{bar:30} {percent:>3} %  {human_pos} of {human_len} words  {per_sec}, {eta} left",
        )
        .expect("the template is a constant that indicatif can read"),
    );
    let options = SkipGram {
        size: args.size,
        window: args.window,
        negatives: args.negatives,
        subsample: args.subsample,
        epochs: args.epochs,
        learning_rate: args.learning_rate,
        final_learning_rate: args.final_learning_rate,
        seed: args.seed,
    };
    bar.reset();
    let start = Instant::now();
    let vectors = options.train(corpus.vocabulary, &corpus.sentences, &cancel, |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let seconds = start.elapsed().as_secs_f64();
    let vectors = vectors?;
    write_whole(&args.out, &vectors.to_bytes()?)?;
    let trained = tokens as f64 * f64::from(args.epochs);
    let report = Report {
        out: args.out.display().to_string(),
        words: vectors.vocabulary().len(),
        size: vectors.size(),
        tokens,
        seconds,
        words_per_second: trained / seconds,
        nearest: args.nearest.iter().map(|word| (word.as_str(), vectors.nearest(word, NEIGHBOURS))).collect(),
    };
    Ok(report.print(json)?)
}

impl Report<'_> {
    fn print(&self, json: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if json {
            serde_json::to_writer(&mut out, self)?;
            writeln!(out)?;
            return out.flush();
        }
        writeln!(
            out,
            "{}: {} words, {} numbers each; {} words of text in {:.1} s ({:.0} words/s)",
            self.out, self.words, self.size, self.tokens, self.seconds, self.words_per_second
        )?;
        for (word, nearest) in &self.nearest {
            let list = nearest.as_ref().map_or("has no vector".to_owned(), |nearest| {
                nearest
                    .iter()
                    .map(|(near, cosine)| format!("{near} {cosine:.2}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            });
            writeln!(out, "{word}: {list}")?;
        }
        out.flush()
    }
}
