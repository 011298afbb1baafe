//! What the rows of a model's tensors stand for.

use std::collections::BTreeMap;

use super::EMBEDDING;
use crate::model::{Config, Task};

/// What a row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Row<'m> {
    /// A word.
    Word(&'m str),
    /// All words of a tail: its number, and how many tails there are. Other cut-offs of as many tails leave a tail words of
    /// about its frequency; another number of tails does not.
    Tail(usize, usize),
    /// A label.
    Label(&'m str),
    /// A transition of a parser: 0 to shift, 1 to the left and 2 to the right by a relation.
    Transition(usize, &'m str),
    /// A row by its number and how many there are, whose columns stand for these labels.
    Columns(usize, usize, &'m [String]),
}

/// A tensor whose rows stand for something.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Named<'m> {
    /// For what.
    pub(super) rows: Vec<Row<'m>>,
    /// The tensor that the rows are projected by, and are nothing without.
    pub(super) projection: Option<String>,
}

impl<'m> Named<'m> {
    /// The rows of a table of words.
    pub(super) fn words(words: &'m [String]) -> Self {
        Self { rows: words.iter().map(|word| Row::Word(word)).collect(), projection: None }
    }
}

/// The tensors of a model whose rows stand for something, by their names; some of them are aliases.
pub(super) fn of(config: &Config) -> BTreeMap<String, Named<'_>> {
    let words = &config.vocabulary[..];
    let mut named = BTreeMap::new();
    named.insert(EMBEDDING.to_owned(), Named::words(words));
    let labels = config.task.labels();
    let rows: Vec<_> = labels.iter().map(|label| Row::Label(label)).collect();
    for name in ["weight", "bias", "tags.weight", "tags.bias", "crf.start_transitions", "crf.end_transitions"]
    {
        if !rows.is_empty() {
            named.insert(format!("head.{name}"), Named { rows: rows.clone(), projection: None });
        }
    }
    match &config.task {
        Task::Classify(_) | Task::Tree(_) => {}
        Task::Tag(_) | Task::Parse(_) => {
            let characters = config.task.tagging().and_then(|task| task.characters.as_ref());
            let letters = characters.map(|characters| Named::words(&characters.alphabet));
            named.extend(letters.map(|letters| ("characters.embedding.weight".to_owned(), letters)));
            let of_columns = |count| (0..count).map(|row| Row::Columns(row, count, labels)).collect();
            let mut others = vec![("head.crf.transitions", of_columns(labels.len()))];
            if let Task::Parse(task) = &config.task {
                let by = |side| task.relations.iter().map(move |relation| Row::Transition(side, relation));
                let transitions: Vec<_> =
                    [Row::Transition(0, "")].into_iter().chain(by(1)).chain(by(2)).collect();
                others = vec![
                    ("head.tag_vectors.weight", of_columns(task.tag_size)),
                    ("head.transitions.weight", transitions.clone()),
                    ("head.transitions.bias", transitions),
                ];
            }
            let named_rows = |(name, rows): (&str, _)| (name.to_owned(), Named { rows, projection: None });
            named.extend(others.into_iter().map(named_rows));
        }
        Task::Predict(task) => {
            let starts = [&[0], &task.cutoffs[..], &[words.len()]].concat();
            for (band, range) in starts.windows(2).enumerate() {
                let of_band = Named::words(&words[range[0]..range[1]]);
                let [table, projection] =
                    [0, 1].map(|part| format!("embedding.embeddings.{band}.{part}.weight"));
                named.insert(table, Named { projection: Some(projection), ..of_band.clone() });
                match band.checked_sub(1) {
                    Some(tail) => {
                        let [projection, table] =
                            [0, 1].map(|part| format!("head.tail.{tail}.{part}.weight"));
                        named.insert(table, Named { projection: Some(projection), ..of_band });
                    }
                    None => {
                        let tails = task.cutoffs.len();
                        let clusters = (0..tails).map(|tail| Row::Tail(tail, tails));
                        let rows: Vec<_> = of_band.rows.into_iter().chain(clusters).collect();
                        for name in ["head.head.weight", "head.head.bias"] {
                            named.insert(name.into(), Named { rows: rows.clone(), projection: None });
                        }
                    }
                }
            }
        }
    }
    named
}
