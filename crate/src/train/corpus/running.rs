//! Running text as a language model reads it.

use super::CorpusError;
use crate::device::number;
use crate::text::{END, Token, Tokenizer, Vocabulary};
use crate::train::config::{ConfigError, check};
use crate::train::settings::RunningData;
use crate::train::vectors::CorpusBuilder;
use crate::train::{Reset, Texts};

/// The sets of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// To learn from.
    Train,
    /// To choose by.
    Dev,
    /// To report on.
    Test,
}

/// All texts of a run, and the words of the training texts.
#[derive(Clone, Debug)]
pub struct RunningCorpus {
    /// Documents.
    pub texts: Texts<Vec<u32>>,
    /// The words, by decreasing frequency.
    pub vocabulary: Vocabulary,
}

impl RunningCorpus {
    /// Numbers the words of all parts of `data`, which `read` hands out document by document. `start` is what a text begins
    /// after.
    ///
    /// # Errors
    /// Those of `read`; if a set that is configured has no text in which a word can be predicted.
    pub fn new<P, E: From<CorpusError>>(
        data: &RunningData<P>,
        start: Option<&str>,
        mut read: impl FnMut(Set, &P, &mut dyn FnMut(&mut dyn Iterator<Item = String>)) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut builder = CorpusBuilder::default();
        for part in &data.train {
            read(Set::Train, part, &mut |words| builder.push(words))?;
        }
        let corpus = builder.finish(data.min_count, data.max_words);
        let (mut train, vocabulary) = (corpus.sentences, corpus.vocabulary);
        begin(&mut train, start.map(|start| vocabulary.id(start)), data.reset);
        let mut ids =
            |set, part: &P| number_documents(&vocabulary, start, data.reset, |each| read(set, part, each));
        let dev = ids(Set::Dev, &data.dev)?;
        let test = data.test.as_ref().map(|part| ids(Set::Test, part)).transpose()?;
        let sets = [("training", Some(&train)), ("development", Some(&dev)), ("test", test.as_ref())];
        for (set, texts) in sets {
            let most = texts.map_or(2, |documents| {
                let words = documents.iter().map(Vec::len);
                match data.reset {
                    Reset::Epoch => words.sum(),
                    Reset::Document => words.max().unwrap_or(0),
                }
            });
            // What a text begins after is none of its words.
            match most {
                1 if start.is_none() => return Err(CorpusError::Short(set).into()),
                0 | 1 => return Err(CorpusError::Empty(set).into()),
                _ => {}
            }
        }
        Ok(Self { texts: Texts { train, dev, test: test.unwrap_or_default() }, vocabulary })
    }
}

/// Documents as ids of a given vocabulary, each after `start`, or, if a text is to go on from document to document, the
/// first of them. `read` hands out their words.
///
/// # Errors
/// Those of `read`.
pub fn number_documents<E>(
    vocabulary: &Vocabulary,
    start: Option<&str>,
    reset: Reset,
    read: impl FnOnce(&mut dyn FnMut(&mut dyn Iterator<Item = String>)) -> Result<(), E>,
) -> Result<Vec<Vec<u32>>, E> {
    let mut documents = Vec::new();
    read(&mut |words| documents.push(words.map(|word| vocabulary.id(&word)).collect()))?;
    begin(&mut documents, start.map(|start| vocabulary.id(start)), reset);
    Ok(documents)
}

/// Puts the word that a text begins after in front of it.
fn begin(documents: &mut [Vec<u32>], start: Option<u32>, reset: Reset) {
    let texts = match reset {
        Reset::Epoch => 1,
        Reset::Document => documents.len(),
    };
    for text in documents.iter_mut().take(texts) {
        text.splice(0..0, start);
    }
}

/// The words of a document, with `<eos>` at its end where the tokenizer has one.
pub fn document_words(text: &str, tokenizer: &Tokenizer) -> impl Iterator<Item = String> {
    let tokens = tokenizer.tokenize(text);
    // What ends where the document does is not told by its text.
    let is_ended = tokenizer.ends().is_none() || tokens.last().is_none_or(|token| token.text == END);
    tokens.into_iter().map(|token| token.text).chain((!is_ended).then(|| END.to_owned()))
}

/// The words of a text with one sentence a line, after each of which `<eos>` stands; blank lines are passed over.
pub fn line_words(text: &str, tokenizer: &Tokenizer) -> impl Iterator<Item = String> {
    let tokenizer = tokenizer.with_ends(None);
    let words = |tokens: Vec<Token>| tokens.into_iter().map(|token| token.text);
    let lines = text.lines().map(str::trim_ascii).filter(|line| !line.is_empty());
    lines.flat_map(move |line| words(tokenizer.tokenize(line)).chain([END.to_owned()]))
}

/// Checks that a part of a text lies within it.
///
/// # Errors
/// If it does not.
pub fn check_share(from: f64, to: f64) -> Result<(), ConfigError> {
    let lies_within = 0.0 <= from && from < to && to <= 1.0;
    check(
        "data: from, to",
        lies_within,
        "0 <= from < to <= 1",
        format_args!("{} to {}", number(from), number(to)),
    )
}

/// Checks that a tokenizer suits a text with one sentence a line: what is written would otherwise never come to the end of
/// one.
///
/// # Errors
/// If it knows no end.
pub fn check_lines(tokenizer: &Tokenizer) -> Result<(), ConfigError> {
    let expected = "line, since every line of format = \"lines\" ends in <eos>";
    check("data.tokenizer.ends", tokenizer.ends().is_some(), expected, "none")
}

/// The part of a text from one share of its bytes to another. It begins and ends between characters.
pub fn share(text: &str, from: f64, to: f64) -> &str {
    let at = |share: f64| text.floor_char_boundary((share * text.len() as f64) as usize);
    &text[at(from)..at(to)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_may_be_predicted_across_documents_of_one() {
        let data = |reset: &str| -> RunningData<()> {
            let tokenizer = r#"{ "kind": "spaces", "lowercase": false }"#;
            let data = format!(
                r#"{{ "name": "", "tokenizer": {tokenizer}, "train": [null], "dev": null, "steps": 1, "reset": "{reset}" }}"#
            );
            serde_json::from_str(&data).expect("settings")
        };
        let corpus = |reset: &str, documents: &[&str]| {
            RunningCorpus::new::<_, CorpusError>(&data(reset), None, |_, (), each| {
                for document in documents {
                    each(&mut document.split_whitespace().map(String::from));
                }
                Ok(())
            })
            .map(|corpus| corpus.texts.dev.len())
        };
        assert_eq!(corpus("epoch", &["one", "two"]), Ok(2));
        assert_eq!(corpus("epoch", &["one"]), Err(CorpusError::Short("training")));
        assert_eq!(corpus("epoch", &[]), Err(CorpusError::Empty("training")));
        assert_eq!(corpus("document", &["one", "two"]), Err(CorpusError::Short("training")));
    }
}
