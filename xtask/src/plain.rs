//! The twin of a binary with relaxed SIMD for browsers without it: the same program, its few relaxed instructions written out.

use std::convert::Infallible;

use anyhow::{Context, Result};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, Instruction, Module, ValType};
use wasmparser::{FunctionBody, Operator, Parser, Payload, Validator, WasmFeatures};

/// `module` without relaxed SIMD: a multiplication and an addition round twice, a minimum or maximum of NaN is the first
/// operand.
///
/// # Errors
/// If `module` is none, or has relaxed instructions beside these.
pub(crate) fn plain(module: &[u8]) -> Result<Vec<u8>> {
    let mut plain = Module::new();
    let mut writer = Writer { parameters: parameters(module)?.into_iter() };
    writer.parse_core_module(&mut plain, Parser::new(0), module)?;
    let plain = plain.finish();
    Validator::new_with_features(WasmFeatures::default() - WasmFeatures::RELAXED_SIMD)
        .validate_all(&plain)
        .context("the binary cannot do without relaxed SIMD")?;
    Ok(plain)
}

/// How many parameters the functions have that a module defines, in their order.
fn parameters(module: &[u8]) -> Result<Vec<u32>> {
    let (mut types, mut functions) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::TypeSection(section) => {
                for of_type in section.into_iter_err_on_gc_types() {
                    types.push(of_type?.params().len() as u32);
                }
            }
            Payload::FunctionSection(section) => {
                for of_type in section {
                    functions.push(*types.get(of_type? as usize).context("a function's type is not there")?);
                }
            }
            _ => {}
        }
    }
    Ok(functions)
}

struct Writer<P> {
    /// Of the functions that follow.
    parameters: P,
}

impl<P: Iterator<Item = u32>> Reencode for Writer<P> {
    type Error = Infallible;

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let mut locals = Vec::new();
        let mut next = self.parameters.next().unwrap_or_default();
        for group in body.get_locals_reader()? {
            let (count, of_type) = group?;
            locals.push((count, self.val_type(of_type)?));
            next += count;
        }
        let mut written = Vec::new();
        let mut spare = None;
        for operator in body.get_operators_reader()? {
            match operator? {
                Operator::F32x4RelaxedMin => written.push(Instruction::F32x4PMin),
                Operator::F32x4RelaxedMax => written.push(Instruction::F32x4PMax),
                // The product is taken before the sum is laid on top of its factors.
                Operator::F32x4RelaxedMadd => {
                    let sum = match written
                        .pop_if(|last| matches!(last, Instruction::LocalGet(_) | Instruction::LocalTee(_)))
                    {
                        Some(Instruction::LocalTee(local)) => {
                            written.push(Instruction::LocalSet(local));
                            local
                        }
                        Some(Instruction::LocalGet(local)) => local,
                        _ => {
                            let local = *spare.get_or_insert(next);
                            written.push(Instruction::LocalSet(local));
                            local
                        }
                    };
                    written.extend([
                        Instruction::F32x4Mul,
                        Instruction::LocalGet(sum),
                        Instruction::F32x4Add,
                    ]);
                }
                other => written.push(self.instruction(other)?),
            }
        }
        locals.extend(spare.map(|_| (1, ValType::V128)));
        let mut function = wasm_encoder::Function::new(locals);
        for instruction in &written {
            function.instruction(instruction);
        }
        code.function(&function);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{Function, FunctionSection, TypeSection};

    use super::*;

    /// A module of one function of three vectors, which gives one.
    fn module(locals: &[(u32, ValType)], instructions: &[Instruction<'_>]) -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([ValType::V128; 3], [ValType::V128]);
        let mut functions = FunctionSection::new();
        functions.function(0);
        let mut function = Function::new(locals.iter().copied());
        for instruction in instructions {
            function.instruction(instruction);
        }
        let mut code = CodeSection::new();
        code.function(function.instruction(&Instruction::End));
        let mut module = Module::new();
        module.section(&types).section(&functions).section(&code);
        module.finish()
    }

    #[test]
    fn relaxed_instructions_are_written_out() -> Result<()> {
        use Instruction::{
            F32x4Add, F32x4Mul, F32x4Neg, F32x4PMax, F32x4PMin, F32x4RelaxedMadd, F32x4RelaxedMax,
            F32x4RelaxedMin, LocalGet, LocalSet, LocalTee,
        };
        let two = [LocalGet(0), LocalGet(1)];
        let factors = |rest: &[Instruction<'static>]| [&two[..], rest].concat();
        let i32s = [(2, ValType::I32)];
        let spare = [i32s[0], (1, ValType::V128)];
        let cases = [
            // A local that stays what it is, one that is set, and a sum that is computed where it is needed.
            (
                factors(&[LocalGet(2), F32x4RelaxedMadd]),
                factors(&[F32x4Mul, LocalGet(2), F32x4Add]),
                &i32s[..],
            ),
            (
                factors(&[LocalGet(2), LocalTee(1), F32x4RelaxedMadd]),
                factors(&[LocalGet(2), LocalSet(1), F32x4Mul, LocalGet(1), F32x4Add]),
                &i32s[..],
            ),
            (
                factors(&[LocalGet(2), F32x4Neg, F32x4RelaxedMadd]),
                factors(&[LocalGet(2), F32x4Neg, LocalSet(5), F32x4Mul, LocalGet(5), F32x4Add]),
                &spare[..],
            ),
            (factors(&[F32x4RelaxedMin]), factors(&[F32x4PMin]), &i32s[..]),
            (factors(&[F32x4RelaxedMax]), factors(&[F32x4PMax]), &i32s[..]),
        ];
        for (relaxed, written_out, locals) in cases {
            assert_eq!(plain(&module(&i32s, &relaxed))?, module(locals, &written_out));
        }
        Ok(())
    }

    #[test]
    fn what_is_not_relaxed_stays_and_what_cannot_be_written_out_is_told() -> Result<()> {
        let other = module(&[], &[Instruction::LocalGet(0)]);
        assert_eq!(plain(&other)?, other);
        let [x, y] = [0, 1].map(Instruction::LocalGet);
        let error = plain(&module(&[], &[x, y, Instruction::I8x16RelaxedSwizzle]))
            .err()
            .map(|error| format!("{error:#}"));
        assert!(error.is_some_and(|error| error.contains("cannot do without relaxed SIMD")));
        assert!(plain(b"\0asm").is_err());
        Ok(())
    }
}
