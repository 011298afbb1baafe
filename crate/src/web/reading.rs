//! A reading as it crosses to JavaScript. As objects its tokens would take some 3 µs each, to make and to clone to another
//! thread, where the network takes some 10 to read one. So the words cross as one string and the rest of the tokens as one
//! array, and `js/src/reading.ts` makes tokens of them.

use js_sys::{Reflect, Uint32Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::convert::to_js;
use super::error::Failure;
use crate::model::{Decision, FlopsReading, Score, Timing, TokenReading};
use crate::runner::{Reason, Run};

/// A reading without its tokens.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Header<'a> {
    label: &'a str,
    scores: &'a [Score],
    /// As the network sees them, between spaces; one that contains a space is that alone.
    words: String,
    skim_rate: f64,
    flops: FlopsReading,
    timing: &'a Timing,
    device_reason: &'a Reason,
}

/// `PackedReading` in TypeScript.
pub(super) fn packed(run: &Run) -> Result<JsValue, Failure> {
    let Run { reading, device_reason } = run;
    let mut words = String::new();
    for (i, token) in reading.tokens.iter().enumerate() {
        if i > 0 {
            words.push(' ');
        }
        words.push_str(&token.text);
    }
    let header = to_js(&Header {
        label: &reading.label,
        scores: &reading.scores,
        words,
        skim_rate: reading.skim_rate,
        flops: reading.flops,
        timing: &reading.timing,
        device_reason,
    })?;
    let tokens: Vec<u32> = reading.tokens.iter().flat_map(columns).collect();
    Reflect::set(&header, &"tokens".into(), &Uint32Array::from(&tokens[..]))
        .map_err(|_| Failure::internal("the header of a reading is no object"))?;
    Ok(header)
}

/// Start, end, what is so (1 known, 2 skimmed, 4 decided with a probability), and the bits of the probability.
fn columns(token: &TokenReading) -> [u32; 4] {
    let skimmed = token.decision == Decision::Skim;
    let so =
        u32::from(token.known) | u32::from(skimmed) << 1 | u32::from(token.skim_probability.is_some()) << 2;
    // Of a string in wasm memory, so 32 bits suffice.
    [token.start as u32, token.end as u32, so, token.skim_probability.unwrap_or(0.0).to_bits()]
}
