//! `saccade tag`, `parse` and `score`, and `saccade read --lines`: texts, one a line.

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use saccade_rnn::model::{Model, ReadOptions};

use crate::device::threads;
use crate::failure::Failure;
use crate::labelled;
use crate::lines::{self, Answers, Format, Lines, Question};
use crate::writable;

/// What comes of lines, as help says it.
pub(crate) const RECORDS: &str = "\
For each line one of JSON, in the same order: `{line, …}` with the line's number from 1, its `id` if it has one, and what the model \
found; `{line, error: {code, message}}` for a line that has no answer.

Exit status: 0 all lines have an answer, 3 all have their records and some of these are errors, 1 something else failed, 2 a \
command line that makes no sense, 130 or 143 stopped by Ctrl-C or SIGTERM, with whole records written.";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The model file.
    #[arg(long, short, value_name = "FILE")]
    model: PathBuf,
    #[command(flatten)]
    lines: Options,
}

/// Where lines come from, and how they are answered.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Texts, one a line, as they stand or in JSON; JSON lines out.
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub(crate) lines: Option<Format>,
    /// The file of lines; standard input without it.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// How many lines are answered side by side, on a core each. The output does not depend on it.
    #[arg(long, value_name = "COUNT", value_parser = threads)]
    threads: Option<NonZeroUsize>,
    /// The most bytes of a line; a longer one is an error record.
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<NonZeroUsize>,
    /// Write the tokens of readings as well.
    #[arg(long)]
    tokens: bool,
}

const MAX_BYTES: usize = 1 << 20;

impl Options {
    /// The first that means nothing for a text that is no line.
    pub(crate) fn first_given(&self) -> Option<&'static str> {
        let given = [
            (self.input.is_some(), "--input"),
            (self.threads.is_some(), "--threads"),
            (self.max_bytes.is_some(), "--max-bytes"),
            (self.tokens, "--tokens"),
        ];
        given.into_iter().find_map(|(given, option)| given.then_some(option))
    }

    /// Answers all lines.
    pub(crate) fn run(&self, model: Model, question: Question, options: ReadOptions) -> Result<(), Failure> {
        // Of lines that never end nobody else would hear.
        writable::check()?;
        if self.tokens && question != Question::Read {
            return Err(Failure::Option { option: "--tokens", reason: "is for a classifier's readings" });
        }
        let input: Box<dyn Read + Send> = match &self.input {
            Some(path) => Box::new(File::open(path).map_err(Failure::file(path))?),
            None => Box::new(io::stdin()),
        };
        let lines = Lines::new(input, self.max_bytes.map_or(MAX_BYTES, NonZeroUsize::get));
        let format = self.lines.unwrap_or(Format::Text);
        let answers = Answers { model, question, format, options, tokens: self.tokens };
        let threads = self.threads.unwrap_or(NonZeroUsize::MIN);
        lines::answer(answers, lines, threads, &mut io::stdout().lock()).map_err(|failure| {
            match (failure, &self.input) {
                (Failure::Input(reason), Some(path)) => Failure::File { path: path.clone(), reason },
                (failure, _) => failure,
            }
        })
    }
}

/// Asks one question of every line.
pub(crate) fn run(arguments: &Arguments, question: Question) -> Result<(), Failure> {
    let model = labelled::open(&arguments.model)?;
    let of_task = Question::of(&model.config().task);
    if of_task != question {
        return Err(Failure::Question { asked: question.name(), task: model.config().task.name() });
    }
    arguments.lines.run(model, question, ReadOptions::default())
}
