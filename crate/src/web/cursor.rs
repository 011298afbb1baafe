//! A language model at a place in a text.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Uint32Array};
use wasm_bindgen::prelude::*;

use super::convert::{answer, to_js};
use super::error::Failure;
use super::model::preference;
use super::watch::Callback;
use crate::model::{Model, Scores};
use crate::nn::{Answer, Ask, Sampling, Word};
use crate::runner::{self, Runner};
use crate::text::Token;

/// Reads a text on, and says what may come next; one call at a time.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Cursor {
    runner: Rc<Runner>,
    /// None while a call has it.
    cursor: Rc<RefCell<Option<runner::Cursor>>>,
}

impl Cursor {
    pub(super) fn new(
        runner: Rc<Runner>,
        device: Option<&str>,
        scores: u8,
        keeps: bool,
    ) -> Result<Self, Failure> {
        let scores = [Scores::None, Scores::Total, Scores::All][usize::from(scores.min(2))];
        let cursor = runner::Cursor::new(Rc::clone(&runner), preference(device)?, scores, keeps);
        Ok(Self { runner, cursor: Rc::new(RefCell::new(Some(cursor))) })
    }
}

#[wasm_bindgen]
impl Cursor {
    /// The text is this now, if one is given; then the `top` most probable next words, or, if there is a temperature, one that
    /// is drawn, with which the text goes on; a `top_k` of 0 and a `top_p` of 1 leave all words. Rejects as `Model.read` does.
    #[wasm_bindgen(unchecked_return_type = "CursorValues | Promise<CursorValues>")]
    #[allow(
        clippy::too_many_arguments,
        reason = "they cross without an object, for every word that is generated"
    )]
    pub fn ask(
        &self,
        text: Option<String>,
        top: u32,
        temperature: Option<f64>,
        top_p: f64,
        top_k: u32,
        seed: u32,
        #[wasm_bindgen(unchecked_optional_param_type = "Watch")] watch: Option<Function>,
    ) -> JsValue {
        let (runner, home) = (Rc::clone(&self.runner), Rc::clone(&self.cursor));
        let ask = match temperature {
            Some(temperature) => {
                let (top, nucleus) = ((top_k > 0).then_some(top_k as usize), (top_p < 1.0).then_some(top_p));
                Some(Ask::Draw { sampling: Sampling { temperature, top, nucleus }, seed, stream: 0 })
            }
            None => (top > 0).then_some(Ask::Top(top as usize)),
        };
        answer(async move {
            let mut cursor = home.take().ok_or_else(|| Failure::option("this cursor is still busy"))?;
            let model = runner.model();
            let tokens = text.as_deref().map(|text| model.tokenizer().tokenize(text));
            let ids = tokens.as_ref().map(|tokens| model.ids(tokens));
            let mut watch = Callback::new(watch);
            let next = cursor.ask(ids, ask, &mut watch).await;
            let values = next.map(|next| values(&cursor, model, &tokens.unwrap_or_default(), next));
            home.replace(Some(cursor));
            watch.thrown()?;
            Ok(values.map_err(Failure::from)??.into())
        })
    }
}

/// `CursorValues` in TypeScript.
fn values(
    cursor: &runner::Cursor,
    model: &Model,
    tokens: &[Token],
    next: Option<Answer>,
) -> Result<Array, Failure> {
    let (prefix, next) = (cursor.prefix(), next.unwrap_or_default());
    let (mut words, mut columns) = (String::new(), Vec::new());
    let mut tell = |word: Word, text: &str, start: usize, end: usize, rank: usize, rows: usize| {
        words.push_str(text);
        let (length, cluster) = (text.encode_utf16().count(), model.cluster_of(word.id));
        columns
            .extend([start, end, length, word.id as usize, cluster, rank, rows].map(|number| number as u32));
        columns.push(word.log_probability.to_bits());
    };
    // Of words whose sum alone is asked for there are no scores.
    for (token, score) in tokens.iter().zip(prefix.scores()) {
        let id = model.vocabulary().id(&token.text);
        let (log_probability, rank, rows) =
            score.map_or((0.0, 0, 0), |score| (score.log_probability, score.rank, score.rows));
        let (start, end) = (token.span.utf16.start, token.span.utf16.end);
        tell(Word { id, log_probability }, &token.text, start, end, rank, rows);
    }
    for &word in &next.words {
        tell(word, model.vocabulary().word(word.id).unwrap_or_default(), 0, 0, 0, next.rows);
    }
    let total = prefix.total();
    let figures = [
        cursor.total_ms(),
        prefix.computed() as f64,
        total.log_probability,
        total.words as f64,
        next.words.len() as f64,
        next.rows as f64,
    ];
    let figures = Uint32Array::from(bytemuck::cast_slice::<f64, u32>(&figures));
    let opened: Vec<u32> = next.opened.iter().map(|&tail| tail as u32 + 1).collect();
    let (device, reason) = cursor.device();
    let values: [JsValue; 6] = [
        words.into(),
        Uint32Array::from(&columns[..]).into(),
        figures.into(),
        Uint32Array::from(&opened[..]).into(),
        device.into(),
        to_js(&reason)?,
    ];
    Ok(values.iter().collect())
}
