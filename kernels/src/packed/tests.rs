//! Packed products against their definition, by every kernel of this processor.

use proptest::prelude::*;

use super::tiles::{ROWS, STRETCH};
use super::*;
use crate::matmul::View;

fn values(count: usize, step: f32) -> Vec<f32> {
    (0..count).map(|i| (i as f32 * step).sin()).collect()
}

/// The product by its definition, in double precision.
fn definition(start: &[f32], x: Rows<'_>, w: &[f32], inputs: usize, outputs: usize) -> Vec<f64> {
    let at = |i: usize, j: usize| {
        let products =
            (0..inputs).map(|k| f64::from(x.values[i * x.stride + k]) * f64::from(w[k * outputs + j]));
        f64::from(start[i * outputs + j]) + products.sum::<f64>()
    };
    (0..x.count).flat_map(|i| (0..outputs).map(move |j| (i, j))).map(|(i, j)| at(i, j)).collect()
}

/// Every kernel that this processor has for weights of 16 bits.
fn bf16_kernels() -> Vec<fn(&mut Product<'_, false>, *const u16)> {
    #[allow(unused_mut, reason = "some processors have one kind of register")]
    let mut kernels: Vec<fn(&mut Product<'_, false>, *const u16)> = vec![dispatch, common];
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the features were detected on this processor just above.
        kernels.push(|product, w| unsafe { avx2(product, w) });
    }
    kernels
}

/// The kernels that this processor can run.
fn kernels<const TURNED: bool>() -> Vec<fn(&mut Product<'_, TURNED>, *const f32)> {
    #[allow(unused_mut, reason = "some processors have one kind of register")]
    let mut kernels: Vec<fn(&mut Product<'_, TURNED>, *const f32)> = vec![dispatch, common];
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the features were detected on this processor just above.
        kernels.push(|product, w| unsafe { avx2(product, w) });
    }
    kernels
}

proptest! {
    #[test]
    fn agrees_with_the_definition(rows in 0usize..20, outputs in 0usize..140, inputs in 0usize..40,
                                  gap in 0usize..3, transposed: bool, how in 0..3) {
        let x = values(rows * (inputs + gap), 0.7);
        let x = Rows { values: &x, stride: inputs + gap, count: rows };
        let w = values(inputs * outputs, 1.3);
        let turned = crate::transpose::transpose(&w, outputs);
        let view = if transposed { View::new(&turned, outputs, inputs).t() } else { View::new(&w, inputs, outputs) };
        let start = values(rows * outputs, 0.3);
        let mut out = start.clone();
        let bias = values(outputs, 0.9);
        let (from, start) = match how {
            0 => (Start::Zero, vec![0.0; start.len()]),
            1 => (Start::Bias(&bias), bias.repeat(rows)),
            _ => (Start::Out, start),
        };
        let w_packed = Packed::new(view);
        let want = definition(&start, x, &w, inputs, outputs);
        let check = |out: &[f32]| {
            for (found, want) in out.iter().zip(&want) {
                prop_assert!((f64::from(*found) - want).abs() < 1e-5 * (inputs + 1) as f64, "{found} not {want}");
            }
            Ok(())
        };
        if rows * inputs * outputs > 0 {
            for kernel in kernels::<false>() {
                let mut out = out.clone();
                let out_stride = outputs;
                let mut product = Product::<false> { out: &mut out, out_stride, start: from, x, w: &w_packed, backwards: false };
                let Blocks::F32(blocks) = &w_packed.blocks else { unreachable!("it is as it was made") };
                kernel(&mut product, blocks.as_ptr().cast());
                check(&out)?;
            }
        }
        multiply(&mut out, from, x, &w_packed);
        check(&out)?;
    }

    #[test]
    fn columns_are_multiplied_as_rows_are(rows in 1usize..20, outputs in 1usize..140, inputs in 1usize..40,
                                          gap in 0usize..3) {
        let (x, w) = (values(rows * inputs, 0.7), values(inputs * outputs, 1.3));
        let w = Packed::new(View::new(&w, inputs, outputs));
        let Blocks::F32(blocks) = &w.blocks else { unreachable!("it is as it was made") };
        let mut columns = vec![f32::NAN; (inputs - 1) * (rows + gap) + rows];
        for (i, row) in x.chunks_exact(inputs).enumerate() {
            row.iter().enumerate().for_each(|(k, &value)| columns[k * (rows + gap) + i] = value);
        }
        let (out_stride, start, backwards) = (outputs, Start::Zero, false);
        for (by_rows, by_columns) in kernels::<false>().into_iter().zip(kernels::<true>()) {
            let [mut expected, mut out] = [(); 2].map(|()| vec![f32::NAN; rows * outputs]);
            let x = Rows::new(&x, rows, inputs);
            let mut product = Product::<false> { out: &mut expected, out_stride, start, x, w: &w, backwards };
            by_rows(&mut product, blocks.as_ptr().cast());
            let x = Rows { values: &columns, stride: rows + gap, count: rows };
            let mut product = Product::<true> { out: &mut out, out_stride, start, x, w: &w, backwards };
            by_columns(&mut product, blocks.as_ptr().cast());
            prop_assert_eq!(out, expected);
        }
    }

    #[test]
    fn weights_of_16_bits_are_those_nearest(rows in 0usize..20, outputs in 0usize..140, inputs in 0usize..40,
                                            how in 0usize..3) {
        let (x, w) = (values(rows * inputs, 0.7), values(inputs * outputs, 1.3));
        let rounded: Vec<f32> = w.iter().map(|&w| half::bf16::from_f32(w).to_f32()).collect();
        prop_assert!(w.iter().zip(&rounded).all(|(w, r)| (w - r).abs() <= w.abs() / 256.0));
        let [narrow, rounded] = [(&w, true), (&rounded, false)].map(|(w, to_bf16)| {
            let w = Packed::new(View::new(w, inputs, outputs));
            let w = if to_bf16 { w.into_bf16() } else { w };
            let bias = values(outputs, 0.9);
            let start = [Start::Zero, Start::Bias(&bias), Start::Out][how];
            let mut out = values(rows * outputs, 0.3);
            multiply(&mut out, start, Rows::new(&x, rows, inputs), &w);
            out
        });
        prop_assert_eq!(&narrow, &rounded);
    }

    #[test]
    fn weights_of_16_bits_by_every_kernel(outputs in 1usize..140, inputs in 1usize..40) {
        let (x, w) = (values(inputs, 0.7), values(inputs * outputs, 1.3));
        let w = Packed::new(View::new(&w, inputs, outputs)).into_bf16();
        let Blocks::Bf16(blocks) = &w.blocks else { unreachable!("its weights were made bfloat16") };
        let mut expected = vec![0.0; outputs];
        let whole = w.widened(blocks, 0..w.panels());
        multiply(&mut expected, Start::Zero, Rows::one(&x), &whole);
        for kernel in bf16_kernels() {
            let (mut out, start, x) = (vec![0.0; outputs], Start::Zero, Rows::one(&x));
            let out_stride = outputs;
            let mut product = Product::<false> { out: &mut out, out_stride, start, x, w: &w, backwards: false };
            kernel(&mut product, blocks.as_ptr().cast());
            // Some processors round once, others twice.
            prop_assert!(out.iter().zip(&expected).all(|(out, expected)| (out - expected).abs() < 1e-5));
        }
    }

    #[test]
    fn a_row_does_not_depend_on_the_rows_beside_it(rows in 1usize..12, outputs in 1usize..60,
                                                   inputs in 1usize..700) {
        let (x, w) = (values(rows * inputs, 0.7), values(inputs * outputs, 1.3));
        let w = Packed::new(View::new(&w, inputs, outputs));
        let mut together = vec![0.0; rows * outputs];
        multiply(&mut together, Start::Zero, Rows::new(&x, rows, inputs), &w);
        for (row, x) in x.chunks_exact(inputs).enumerate() {
            let mut alone = vec![0.0; outputs];
            multiply(&mut alone, Start::Zero, Rows::one(x), &w);
            prop_assert_eq!(&alone[..], &together[row * outputs..(row + 1) * outputs]);
            let mut backwards = vec![0.0; outputs];
            multiply_backwards(&mut backwards, Start::Zero, Rows::one(x), &w);
            prop_assert_eq!(alone, backwards);
        }
    }
}

#[test]
fn many_rows_and_inputs_are_cut_into_stretches() {
    let (rows, inputs, outputs) = (ROWS + 7, 2 * STRETCH + 3, 37);
    let (x, w) = (values(rows * inputs, 0.7), values(inputs * outputs, 1.3));
    let x = Rows::new(&x, rows, inputs);
    let mut out = vec![f32::NAN; rows * outputs];
    multiply(&mut out, Start::Zero, x, &Packed::new(View::new(&w, inputs, outputs)));
    let zeros = vec![0.0; rows * outputs];
    for (found, want) in out.iter().zip(definition(&zeros, x, &w, inputs, outputs)) {
        assert!((f64::from(*found) - want).abs() < 1e-3, "{found} not {want}");
    }
}
