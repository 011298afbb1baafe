//! Models whose answer has a structure: tags of words, trees over sentences, labels of the nodes of trees.
//!
//! What they find crosses as two lists of numbers ([`packed`]); `js/src/structure` makes words and nodes of them.

use std::rc::Rc;

use js_sys::{Array, Function, Uint32Array};
use wasm_bindgen::prelude::*;

use super::convert::{answer, rounded};
use super::device;
use super::error::Failure;
use super::made::made;
use super::watch::Callback;
use crate::device::{Cpu, CpuOptions, Device, Precision};
use crate::model::{
    ConfigSummary, LabelledToken, Model, ParsedToken, ReadError, TaggedToken, Task, TreeCell, TreeNode,
};
use crate::text::Tree;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// Stands for a word that is not there: the head of a root, a child of a word.
const NONE: u32 = u32::MAX;

/// A tagger, a parser or a tree classifier with its weights, in wasm memory until `free()`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Structured {
    model: Rc<Model>,
    cpu: Device,
    config: JsValue,
}

#[wasm_bindgen]
impl Structured {
    /// Reads a safetensors file, of whatever task; `bf16` has the CPU keep its weights with 16 bits. Throws an
    /// {@link EngineError} whose code begins with `MODEL_` for any other bytes.
    pub fn load(bytes: &[u8], bf16: bool) -> Result<Structured, JsValue> {
        let model = Model::from_bytes(bytes).map_err(Failure::from)?;
        let config = rounded(&ConfigSummary::from(model.config()))?;
        let precision = if bf16 { Precision::Bf16 } else { Precision::F32 };
        let cpu = Cpu::new(CpuOptions { precision, ..CpuOptions::default() }).into();
        Ok(Self { model: Rc::new(model), cpu, config })
    }

    /// What the model file says of itself.
    #[wasm_bindgen(getter, unchecked_return_type = "StructuredConfig")]
    pub fn config(&self) -> JsValue {
        self.config.clone()
    }

    /// The relations of a parser, in the order of their numbers; the root's has the number after them.
    #[wasm_bindgen(getter)]
    pub fn relations(&self) -> Vec<String> {
        self.model.config().task.relations().to_vec()
    }

    /// Of a tree classifier: what trees it takes, binary ones or those of a parser.
    #[wasm_bindgen(getter, unchecked_return_type = "\"binary\" | \"child-sum\" | undefined")]
    pub fn cell(&self) -> Option<String> {
        let Task::Tree(task) = &self.model.config().task else { return None };
        Some(match task.cell {
            TreeCell::Binary => "binary".into(),
            TreeCell::ChildSum => "child-sum".into(),
        })
    }

    /// What the model is made of.
    #[wasm_bindgen(unchecked_return_type = "Made")]
    pub fn inspect(&self) -> Result<JsValue, JsValue> {
        Ok(made(self.model.parameters())?)
    }

    /// Tags the words of texts; a lone surrogate counts as U+FFFD. `watch` is told how many words are tagged. Of every word
    /// cross start, end, the number of its tag, and the bits of its probability. Rejects with an {@link EngineError}, or with
    /// what `watch` throws.
    #[wasm_bindgen(unchecked_return_type = "PackedTexts | Promise<PackedTexts>")]
    pub fn tag(
        &self,
        texts: Vec<String>,
        #[wasm_bindgen(unchecked_param_type = "Device")] device: String,
        #[wasm_bindgen(unchecked_optional_param_type = "Watch")] watch: Option<Function>,
    ) -> JsValue {
        let model = Rc::clone(&self.model);
        self.run(device, watch, async move |device, watch| {
            let tagged = model.tag_all(&device, &borrowed(&texts), watch).await?;
            let columns = |TaggedToken { span, number, probability, .. }: &TaggedToken<'_>| {
                [span.utf16.start as u32, span.utf16.end as u32, *number as u32, probability.to_bits()]
            };
            Ok(packed(&tagged, columns).into())
        })
    }

    /// Parses the sentences of texts, as [`Self::tag`] tags them. Of every word cross start, end, the numbers of its tag, of its
    /// head among the words of the text and of its relation, and the bits of the probability.
    #[wasm_bindgen(unchecked_return_type = "PackedTexts | Promise<PackedTexts>")]
    pub fn parse(
        &self,
        texts: Vec<String>,
        #[wasm_bindgen(unchecked_param_type = "Device")] device: String,
        #[wasm_bindgen(unchecked_optional_param_type = "Watch")] watch: Option<Function>,
    ) -> JsValue {
        let model = Rc::clone(&self.model);
        self.run(device, watch, async move |device, watch| {
            let parsed = model.parse_all(&device, &borrowed(&texts), watch).await?;
            Ok(packed(&parsed, |token| word(&model, token)).into())
        })
    }

    /// Labels the nodes of trees in brackets; `watch` is told how many of their words are done. Of every node cross its children,
    /// start and end in the tree's words, which have a space between them, the number of its label, and the bits of the
    /// probability of every label. Gives the first tree that is none, if there is one.
    #[wasm_bindgen(unchecked_return_type = "PackedTrees | NoTree | Promise<PackedTrees | NoTree>")]
    pub fn classify(
        &self,
        brackets: Vec<String>,
        #[wasm_bindgen(unchecked_param_type = "Device")] device: String,
        #[wasm_bindgen(unchecked_optional_param_type = "Watch")] watch: Option<Function>,
    ) -> JsValue {
        let model = Rc::clone(&self.model);
        self.run(device, watch, async move |device, watch| {
            let mut trees = Vec::with_capacity(brackets.len());
            for (number, brackets) in brackets.iter().enumerate() {
                match Tree::parse(brackets) {
                    Ok(tree) => trees.push(tree),
                    Err(problem) => {
                        return Ok(Array::of2(&number.into(), &problem.to_string().into()).into());
                    }
                }
            }
            let labelled = model.label_trees(&device, &trees, watch).await?;
            let nodes = trees.iter().zip(&labelled).flat_map(|(tree, nodes)| {
                nodes.iter().enumerate().map(move |(at, node)| (tree.children(at), node))
            });
            let mut columns = Vec::new();
            for (children, node) in nodes {
                columns.extend(children.map_or([NONE; 2], |children| children.map(|child| child as u32)));
                columns.extend(label(node));
            }
            let texts: Array = trees.iter().map(|tree| JsValue::from_str(tree.text())).collect();
            Ok(Array::of3(&counts(&labelled), &Uint32Array::from(&columns[..]), &texts).into())
        })
    }

    /// Labels the words of texts in the trees that `parser` makes of their sentences, on the device of both; `watch` is told how
    /// many words are parsed. Of every word cross what [`Self::parse`] gives, then start and end of the part of the sentence that
    /// it heads, the number of that part's label, and the bits of the probability of every label.
    #[wasm_bindgen(unchecked_return_type = "PackedTexts | Promise<PackedTexts>")]
    pub fn label(
        &self,
        parser: &Structured,
        texts: Vec<String>,
        #[wasm_bindgen(unchecked_param_type = "Device")] device: String,
        #[wasm_bindgen(unchecked_optional_param_type = "Watch")] watch: Option<Function>,
    ) -> JsValue {
        let (model, parser) = (Rc::clone(&self.model), Rc::clone(&parser.model));
        self.run(device, watch, async move |device, watch| {
            let labelled = model.label_texts(&device, &parser, &borrowed(&texts), watch).await?;
            let columns = |LabelledToken { token, node }: &LabelledToken<'_>| {
                word(&parser, token).into_iter().chain(label(node)).collect::<Vec<_>>()
            };
            Ok(packed(&labelled, columns).into())
        })
    }
}

impl Structured {
    /// Runs what is asked of the model on a device.
    fn run(
        &self,
        name: String,
        watch: Option<Function>,
        ask: impl AsyncFnOnce(Device, &mut Callback) -> Result<JsValue, ReadError> + 'static,
    ) -> JsValue {
        let cpu = self.cpu.clone();
        answer(async move {
            let device = device::by_name(&name, cpu).await?;
            let mut watch = Callback::new(watch);
            let found = ask(device, &mut watch).await;
            watch.thrown()?;
            Ok(found.map_err(Failure::from)?)
        })
    }
}

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// The number of a name; how many there are if it is none of them.
fn number_of(name: &str, names: &[String]) -> u32 {
    names.iter().position(|known| known == name).unwrap_or(names.len()) as u32
}

/// How many parts each has.
fn counts<T>(all: &[Vec<T>]) -> Uint32Array {
    let counts: Vec<u32> = all.iter().map(|parts| parts.len() as u32).collect();
    Uint32Array::from(&counts[..])
}

/// A parsed word's columns.
fn word(parser: &Model, token: &ParsedToken<'_>) -> [u32; 6] {
    let task = &parser.config().task;
    let head = token.head.map_or(NONE, |head| head as u32);
    let (tag, relation) = (number_of(token.tag, task.labels()), number_of(token.relation, task.relations()));
    let place = &token.span.utf16;
    [place.start as u32, place.end as u32, tag, head, relation, token.probability.to_bits()]
}

/// A node's columns: where it stands, and its label.
fn label<'n>(node: &'n TreeNode<'_>) -> impl Iterator<Item = u32> + 'n {
    let place = &node.span.utf16;
    let first = [place.start as u32, place.end as u32, node.number as u32];
    first.into_iter().chain(node.probabilities.iter().map(|probability| probability.to_bits()))
}

/// How many parts each has, and the columns of all of them.
fn packed<T, C: IntoIterator<Item = u32>>(all: &[Vec<T>], columns: impl Fn(&T) -> C) -> Array {
    let columns: Vec<u32> = all.iter().flatten().flat_map(columns).collect();
    Array::of2(&counts(all), &Uint32Array::from(&columns[..]))
}
