//! Weights in the order that the CPU's products read, made when first used and again when the weight has changed.

use std::sync::{Arc, Mutex, PoisonError};

use super::Precision;
use crate::cpu::affine;
use crate::cpu::packed::Packed;
use crate::device::cache::Cache;
use crate::device::{Parameters, WeightView};

/// Which way a weight is multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Side {
    /// `x Wᵀ`, forward.
    Forward,
    /// `dy W`, backward.
    #[cfg(feature = "train")]
    Backward,
}

/// Packed weights by view and side.
#[derive(Debug, Default)]
pub(super) struct PackedWeights(Mutex<Cache<(WeightView, Side), Arc<Packed>>>);

impl PackedWeights {
    /// What `view` shows of `parameters`. The backward side has all bits whatever the precision.
    pub(super) fn get(
        &self,
        parameters: &Parameters,
        view: WeightView,
        side: Side,
        precision: Precision,
    ) -> Arc<Packed> {
        // A panic while the lock was held leaves whole entries.
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(packed) = cache.get(parameters, &(view, side), [view.param]) {
            return packed.clone();
        }
        let weight = weight(parameters, &view);
        // A weight that has changed is packed into the memory of what it was.
        #[cfg(feature = "train")]
        let before = cache.remove(parameters, &(view, side)).and_then(Arc::into_inner);
        #[cfg(not(feature = "train"))]
        let before = None;
        let pack = |weight| match before {
            Some(before) => Packed::instead_of(before, weight),
            None => Packed::new(weight),
        };
        let packed = Arc::new(match (side, precision) {
            (Side::Forward, Precision::F32) => pack(weight.right()),
            (Side::Forward, Precision::Bf16) => pack(weight.right()).into_bf16(),
            #[cfg(feature = "train")]
            (Side::Backward, _) => pack(weight.transposed()),
        });
        cache.insert(parameters, (view, side), [view.param], packed.clone());
        packed
    }
}

/// The weight of an affine operation as its kernel takes it.
pub(super) fn weight<'a>(parameters: &'a Parameters, view: &WeightView) -> affine::Weight<'a> {
    let p = parameters.get(view.param);
    affine::Weight {
        values: &p.values[view.offset(parameters)..],
        stride: p.columns(),
        input_major: view.input_major,
        inputs: view.inputs,
        outputs: view.outputs,
    }
}
