//! `saccade read` of a tagger: the words of a text with their tags.

use std::io::Write;
use std::ops::Range;

use saccade_rnn::device::Device;
use saccade_rnn::model::{Model, TaggedToken};
use serde_json::json;

use super::{Arguments, standard_input, strip_newline};
use crate::device::DeviceName;
use crate::failure::Failure;
use crate::output::{self, printable};

/// The text to read, by arguments that have no other option.
pub(super) fn text(arguments: Arguments, reason: &'static str) -> Result<String, Failure> {
    let given = [
        (arguments.threshold.is_some(), "--threshold"),
        (!arguments.force.is_empty(), "--force"),
        (arguments.measure_ms != 0.0, "--measure-ms"),
        (arguments.steps, "--steps"),
        (arguments.device != DeviceName::Cpu, "--device"),
    ];
    if let Some((_, option)) = given.into_iter().find(|(given, _)| *given) {
        return Err(Failure::Option { option, reason });
    }
    let mut text = arguments.text.map_or_else(standard_input, Ok)?;
    strip_newline(&mut text);
    Ok(text)
}

/// Prints the words of the text, each with its place in it, its tag and the tag's probability.
pub(super) fn run(arguments: Arguments, model: &Model, json: bool) -> Result<(), Failure> {
    let text = text(arguments, "a tagger has no such option")?;
    let tokens = pollster::block_on(model.tag(&Device::cpu(), &text))?;
    let source = |token: &TaggedToken<'_>| &text[token.span.bytes.clone()];
    if json {
        let token = |token: &TaggedToken<'_>| {
            let place = &token.span.utf16;
            json!({ "text": source(token), "start": place.start, "end": place.end, "tag": token.tag,
                    "probability": token.probability })
        };
        return output::json(&json!({ "tokens": tokens.iter().map(token).collect::<Vec<_>>() }));
    }
    let out = &mut anstream::stdout().lock();
    let width = tokens.iter().map(|token| source(token).chars().count()).max().unwrap_or(0).min(40);
    for token in &tokens {
        let (word, tag, Range { start, end }) =
            (printable(source(token)), printable(token.tag), &token.span.utf16);
        writeln!(out, "{word:width$}  {tag:5}  {:5.1} %  [{start}, {end})", token.probability * 100.0)?;
    }
    Ok(out.flush()?)
}
