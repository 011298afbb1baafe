//! `saccade read` of a parser: the words of a text with their tags, their heads and what they are to them.

use std::io::Write;
use std::ops::Range;

use saccade_rnn::device::Device;
use saccade_rnn::model::{Model, ParsedToken};
use serde_json::json;

use super::{Arguments, tagged};
use crate::failure::Failure;
use crate::output::{self, printable};

/// Prints the words of the text, each with its place in it, its tag, its relation and its head.
pub(super) fn run(arguments: Arguments, model: &Model, json: bool) -> Result<(), Failure> {
    let text = tagged::text(arguments, "a parser has no such option")?;
    let tokens = pollster::block_on(model.parse(&Device::cpu(), &text))?;
    let source = |token: &ParsedToken<'_>| &text[token.span.bytes.clone()];
    if json {
        let token = |token: &ParsedToken<'_>| {
            let place = &token.span.utf16;
            json!({ "text": source(token), "start": place.start, "end": place.end, "tag": token.tag, "head": token.head,
                    "relation": token.relation, "probability": token.probability })
        };
        return output::json(&json!({ "tokens": tokens.iter().map(token).collect::<Vec<_>>() }));
    }
    let out = &mut anstream::stdout().lock();
    let width = tokens.iter().map(|token| source(token).chars().count()).max().unwrap_or(0).min(40);
    let digits = tokens.len().saturating_sub(1).to_string().len();
    for (number, token) in tokens.iter().enumerate() {
        let (word, tag, relation) =
            (printable(source(token)), printable(token.tag), printable(token.relation));
        let Range { start, end } = token.span.utf16;
        let head = token
            .head
            .map_or(String::new(), |head| format!(" of {head} {}", printable(source(&tokens[head]))));
        let percent = token.probability * 100.0;
        writeln!(
            out,
            "{number:digits$}  {word:width$}  {tag:5}  {percent:5.1} %  [{start}, {end})  {relation}{head}"
        )?;
    }
    Ok(out.flush()?)
}
