//! Functions in the order that packs best: each after those that it is most like. gzip finds what occurred in the
//! 32 KiB before, and code that was copied for another type lies anywhere in the binary.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Context, Result, ensure};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, FunctionSection, Module};
use wasmparser::{CodeSectionReader, FunctionSectionReader, Parser, Payload, TypeRef};

use crate::sizes::gzip;

/// Bytes that are worth a reference to where they stood before.
const RUNS: [usize; 2] = [5, 6];
/// How many bytes tell what lies near. Many functions are shorter, and alone would tell little.
const NEAR: [usize; 6] = [300, 400, 600, 800, 1100, 1600];

/// The module with its functions in that order: in the one of some that gzip likes best, which is anybody's guess.
///
/// # Errors
/// If it is no module.
pub(crate) fn arrange(module: &[u8]) -> Result<Vec<u8>> {
    let mut best: Option<(usize, Vec<u8>)> = None;
    for (run, near) in RUNS.into_iter().flat_map(|run| NEAR.map(|near| (run, near))) {
        let arranged = arrange_by(module, run, near)?;
        let size = gzip(&arranged)?;
        if best.as_ref().is_none_or(|(least, _)| size < *least) {
            best = Some((size, arranged));
        }
    }
    best.map(|(_, arranged)| arranged).context("no order was tried")
}

fn arrange_by(module: &[u8], run: usize, near: usize) -> Result<Vec<u8>> {
    let (mut imported, mut bodies) = (0, Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(&module[body.range()]),
            _ => {}
        }
    }
    let order = alike(&bodies, run, near);
    let mut places = vec![0; order.len()];
    (0..).zip(&order).for_each(|(place, &function)| places[function] = place);
    let mut arranged = Module::new();
    let done = Arranger { imported, order, places }.parse_core_module(&mut arranged, Parser::new(0), module);
    ensure!(done.is_ok(), "a function could not be moved: {done:?}");
    Ok(arranged.finish())
}

/// Numbers of texts, each followed by the one, of those that are left, that is most like the last `reach` bytes: by
/// the share of its runs of `run` bytes that occur there.
fn alike(texts: &[&[u8]], run: usize, reach: usize) -> Vec<usize> {
    let runs: Vec<BTreeSet<&[u8]>> = texts.iter().map(|text| text.windows(run).collect()).collect();
    let mut holders = HashMap::<&[u8], Vec<usize>>::new();
    for (text, runs) in runs.iter().enumerate() {
        runs.iter().for_each(|run| holders.entry(run).or_default().push(text));
    }
    let mut left: BTreeSet<usize> = (0..texts.len()).collect();
    let mut order = Vec::new();
    // The longest has no place that suits it better.
    let mut next = left.iter().copied().max_by_key(|&text| texts[text].len());
    while let Some(text) = next {
        left.remove(&text);
        order.push(text);
        let mut bytes = 0;
        let near = order.iter().rev().take_while(|&&text| {
            let is_near = bytes < reach;
            bytes += texts[text].len();
            is_near
        });
        let near: BTreeSet<&[u8]> = near.flat_map(|&text| &runs[text]).copied().collect();
        let mut shared = vec![0_usize; texts.len()];
        near.iter().flat_map(|run| &holders[run]).for_each(|&other| shared[other] += 1);
        // A short text has few runs, and is soon all alike.
        let likeness = |other: usize| shared[other] as f64 / (runs[other].len() + 4 * run) as f64;
        next = left.iter().copied().max_by(|&a, &b| likeness(a).total_cmp(&likeness(b)));
    }
    order
}

/// Moves functions and renumbers what refers to them.
struct Arranger {
    /// Functions that are imported; these stay.
    imported: u32,
    /// The numbers of the others, counted from 0, as they are to come.
    order: Vec<usize>,
    /// By those numbers, where each comes to be.
    places: Vec<u32>,
}

impl Reencode for Arranger {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Self::Error>> {
        let own = function.checked_sub(self.imported);
        Ok(own.map_or(function, |own| self.imported + self.places[own as usize]))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let types = section.into_iter().collect::<Result<Vec<u32>, _>>()?;
        for &function in &self.order {
            functions.function(types[function]);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for at in 0..self.order.len() {
            self.parse_function_body(code, bodies[self.order[at]].clone())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{ExportKind, ExportSection, Function, TypeSection};
    use wasmparser::{Export, Operator};

    #[test]
    fn texts_follow_those_that_they_are_like() {
        let texts = ["abcdefghij-abcdefghij", "0123456789", "xabcdefghijx", "x0123456789x", "-"];
        assert_eq!(alike(&texts.map(str::as_bytes), 5, 400), [0, 2, 4, 3, 1]);
        assert!(alike(&[], 5, 400).is_empty());
    }

    /// Two functions, of which the longer calls the exported shorter.
    #[test]
    fn references_follow_their_function() -> Result<()> {
        let (mut types, mut functions) = (TypeSection::new(), FunctionSection::new());
        types.ty().function([], []);
        types.ty().function([], [wasm_encoder::ValType::I32]);
        functions.function(0).function(1);
        let (mut exports, mut code) = (ExportSection::new(), CodeSection::new());
        exports.export("short", ExportKind::Func, 0);
        let (mut short, mut long) = (Function::new([]), Function::new([]));
        short.instructions().end();
        long.instructions().call(0).i32_const(7).end();
        code.function(&short).function(&long);
        let mut module = Module::new();
        module.section(&types).section(&functions).section(&exports).section(&code);

        let (mut exported, mut called, mut kinds) = (None, Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(&arrange(&module.finish())?) {
            match payload? {
                Payload::FunctionSection(section) => kinds = section.into_iter().collect::<Result<_, _>>()?,
                Payload::ExportSection(section) => {
                    for export in section {
                        let Export { index, .. } = export?;
                        exported = Some(index);
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    called.push(match body.get_operators_reader()?.read()? {
                        Operator::Call { function_index } => Some(function_index),
                        _ => None,
                    });
                }
                _ => {}
            }
        }
        assert_eq!((exported, called, kinds), (Some(1), vec![Some(1), None], vec![1, 0]));
        Ok(())
    }
}
