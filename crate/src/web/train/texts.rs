//! The texts of a run, which a page hands over in pieces, and its beginning.

use wasm_bindgen::prelude::*;

use super::super::convert::answer;
use super::super::device;
use super::super::error::Failure;
use super::config::{AnyConfig, Layout};
use super::run::{AnyTrainer, TrainingRun};
use crate::device::Device;
use crate::model::Model;
use crate::train::{
    Column, CorpusError, Example, Examples, LabelledSets, RunningCorpus, Set, Settings, Source, TableFormat,
    TableReader, TagConfig, TaggedExample, TaggedSets, Trainer, Transferred, document_words, line_words,
    share, transfer,
};

/// Texts on their way to a run, in wasm memory until it begins or `free()`.
#[wasm_bindgen]
pub struct TrainingTexts {
    config: AnyConfig,
    /// The config as it was given, by which a snapshot is known.
    settings: String,
    sets: LabelledSets,
    tagged: TaggedSets,
    /// Running texts, by set.
    running: [String; 3],
    /// The table that is being read.
    table: Option<TableReader>,
}

/// A column by its name, or by its number if it has no name.
fn column(name: Option<String>, number: Option<u32>) -> Option<Column> {
    name.map(Column::Name).or(number.map(|number| Column::Number(number as usize)))
}

/// A set by its name.
fn set(name: &str) -> Result<Set, Failure> {
    match name {
        "train" => Ok(Set::Train),
        "dev" => Ok(Set::Dev),
        "test" => Ok(Set::Test),
        _ => Err(Failure::option(format_args!("data: expected train, dev or test, found {name:?}"))),
    }
}

/// The texts of a set.
fn examples_of<'s>(sets: &'s mut LabelledSets, name: &str) -> Result<&'s mut Examples, Failure> {
    let sets = match set(name)? {
        Set::Train => &mut sets.train,
        Set::Dev => &mut sets.dev,
        Set::Test => &mut sets.test,
    };
    if sets.is_empty() {
        sets.push(Examples { name: format!("data.{name}"), examples: Vec::new() });
    }
    Ok(&mut sets[0])
}

#[wasm_bindgen]
impl TrainingTexts {
    /// No texts, for a run of these settings in JSON. Throws if they are none.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &str) -> Result<TrainingTexts, JsValue> {
        Ok(Self {
            config: AnyConfig::parse(config)?,
            settings: config.into(),
            sets: LabelledSets::default(),
            tagged: TaggedSets::default(),
            running: Default::default(),
            table: None,
        })
    }

    /// Adds texts with a label each to a set. `lines` are where they stand in their file, from 1, for messages. Tokenised texts
    /// are split at spaces alone.
    #[wasm_bindgen(js_name = addLabelled)]
    pub fn add_labelled(
        &mut self,
        to: &str,
        labels: Vec<String>,
        texts: Vec<String>,
        lines: Vec<u32>,
        tokenised: bool,
    ) -> Result<(), JsValue> {
        let all = &mut examples_of(&mut self.sets, to)?.examples;
        let examples = labels.into_iter().zip(texts).zip(lines).map(|((label, text), line)| Example {
            label,
            text,
            tokenised,
            phrase: false,
            line: line as usize,
        });
        all.extend(examples);
        Ok(())
    }

    /// Adds texts to a set, so many `tags` each as `counts` says, in order: a word for each of them, or, unless `cut`, one text
    /// that the tokenizer is to cut into as many. `lines` are as those of labelled texts.
    #[wasm_bindgen(js_name = addTagged)]
    pub fn add_tagged(
        &mut self,
        to: &str,
        texts: Vec<String>,
        tags: Vec<String>,
        counts: Vec<u32>,
        lines: Vec<u32>,
        cut: bool,
    ) -> Result<(), JsValue> {
        let AnyConfig::Tag(TagConfig { data, .. }) = &self.config else {
            return Err(Failure::internal("the run learns no tags").into());
        };
        let set = match set(to)? {
            Set::Train => &mut self.tagged.train,
            Set::Dev => &mut self.tagged.dev,
            Set::Test => &mut self.tagged.test,
        };
        set.name = format!("data.{to}");
        let (mut texts, mut tags) = (texts.into_iter(), tags.into_iter());
        for (count, line) in counts.into_iter().zip(lines) {
            let (count, line) = (count as usize, line as usize);
            let tags: Vec<String> = tags.by_ref().take(count).collect();
            if cut {
                let words = texts.by_ref().take(count).collect();
                set.examples.push(TaggedExample { words, tags, line });
            } else {
                let text = texts.next().unwrap_or_default();
                set.push_text(&text, &tags, &data.tokenizer, line).map_err(Failure::from)?;
            }
        }
        Ok(())
    }

    /// Begins to read a table of labelled texts. Columns are those of these names or numbers, `text` and `label` unless given.
    #[wasm_bindgen(js_name = beginTable)]
    pub fn begin_table(
        &mut self,
        tabs: bool,
        text: Option<String>,
        text_number: Option<u32>,
        label: Option<String>,
        label_number: Option<u32>,
    ) {
        let format = if tabs { TableFormat::Tsv } else { TableFormat::Csv };
        self.table = Some(TableReader::new(format, column(text, text_number), column(label, label_number)));
    }

    /// Adds the next bytes of the table to a set, `last` with those that end it. How many texts that gives.
    #[wasm_bindgen(js_name = addTable)]
    pub fn add_table(&mut self, to: &str, bytes: &[u8], last: bool) -> Result<u32, JsValue> {
        let Some(table) = &mut self.table else { return Err(Failure::internal("no table was begun").into()) };
        let all = &mut examples_of(&mut self.sets, to)?.examples;
        let before = all.len();
        let read = table.push(bytes, |row| all.push(row));
        let read = read.and_then(|()| if last { table.end(|row| all.push(row)) } else { Ok(()) });
        read.map_err(|error| Failure::new("TRAINING_DATA", format_args!("train: data.{to}: {error}")))?;
        Ok((all.len() - before) as u32)
    }

    /// Adds to the running text of a set.
    #[wasm_bindgen(js_name = addRunning)]
    pub fn add_running(&mut self, to: &str, text: &str) -> Result<(), JsValue> {
        self.running[set(to)? as usize].push_str(text);
        Ok(())
    }

    /// Begins the run; `from` is a file with a model, or word vectors, to start from, `hold_out` how many labelled or tagged texts
    /// are held out where the settings do not say.
    #[wasm_bindgen(unchecked_return_type = "TrainingRun | Promise<TrainingRun>")]
    pub fn begin(mut self, from: Option<Vec<u8>>, hold_out: Option<u32>, device: String) -> JsValue {
        if let Some(count) = hold_out {
            match &mut self.config {
                AnyConfig::Classify(config) => config.data.hold_out = count as usize,
                AnyConfig::Tag(config) => config.data.hold_out = count as usize,
                AnyConfig::Predict(_) => {}
            }
        }
        answer(async move {
            let device = device::by_name(&device, Device::cpu()).await?;
            Ok(self.begun(from, device).await?.into())
        })
    }
}

impl TrainingTexts {
    async fn begun(self, from: Option<Vec<u8>>, device: Device) -> Result<TrainingRun, Failure> {
        let source = from.map(|file| Source::from_bytes(&file)).transpose()?;
        match self.config {
            AnyConfig::Classify(config) => {
                let more_words = source.as_ref().map_or(&[][..], Source::words);
                let mut prepared = config.prepare(self.sets, more_words, None)?;
                let transferred = started(&mut prepared.model, source).await?;
                let trainer =
                    Trainer::new(&device, prepared.model, config.objective()?, prepared.texts, config.run())?;
                TrainingRun::new(AnyTrainer::Classify(trainer), self.settings, transferred)
            }
            AnyConfig::Predict(config) => {
                let start = config.task.predict.start.as_deref();
                let corpus = RunningCorpus::new(&config.data, start, |_, part, each| {
                    let text = &self.running[Set::from(part.of) as usize];
                    let (text, tokenizer) = (share(text, part.from, part.to), &config.data.tokenizer);
                    match part.format {
                        Layout::Text => each(&mut document_words(text, tokenizer)),
                        Layout::Lines => each(&mut line_words(text, tokenizer)),
                    }
                    Ok::<(), CorpusError>(())
                })?;
                let mut prepared = config.prepare(corpus, None)?;
                let transferred = started(&mut prepared.model, source).await?;
                let trainer =
                    Trainer::new(&device, prepared.model, config.objective()?, prepared.texts, config.run())?;
                TrainingRun::new(AnyTrainer::Predict(trainer), self.settings, transferred)
            }
            AnyConfig::Tag(config) => {
                let more_words = source.as_ref().map_or(&[][..], Source::words);
                let mut prepared = config.prepare(self.tagged, more_words, None)?;
                let transferred = started(&mut prepared.model, source).await?;
                let trainer =
                    Trainer::new(&device, prepared.model, config.objective()?, prepared.texts, config.run())?;
                TrainingRun::new(AnyTrainer::Tag(trainer), self.settings, transferred)
            }
        }
    }
}

/// Gives a model what a source has for it.
async fn started(model: &mut Model, source: Option<Source>) -> Result<Option<Transferred>, Failure> {
    match source {
        Some(source) => Ok(Some(transfer(model, &source).await?)),
        None => Ok(None),
    }
}
