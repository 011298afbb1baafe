//! Weights in the order that the kernels read, beside the store that they are made from: made when first used, and
//! again when they changed.

use std::sync::{Arc, Mutex, PoisonError};

use crate::cpu::affine;
use crate::cpu::packed::Packed;
#[cfg(all(feature = "train", feature = "gpu"))]
use crate::device::ParamId;
use crate::device::{Parameters, Precision, WeightView};
use crate::few::Few;

/// The copies of one store.
#[derive(Debug, Default)]
pub(in crate::device) struct Packs {
    made: Mutex<Few<WeightView, Pack>>,
    precision: Precision,
}

#[derive(Debug)]
struct Pack {
    /// Of the parameter that it was made from.
    revision: u64,
    weight: Arc<Packed>,
}

impl Packs {
    /// None yet.
    pub(in crate::device) fn of(precision: Precision) -> Self {
        Self { made: Mutex::default(), precision }
    }

    /// As these were in the beginning.
    pub(in crate::device) fn emptied(&self) -> Self {
        Self::of(self.precision)
    }

    /// The weight that `view` shows of `parameters`, the store that these copies belong to.
    pub(in crate::device) fn get(&self, parameters: &Parameters, view: &WeightView) -> Arc<Packed> {
        // A panic while the lock was held leaves whole entries.
        let mut packs = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let revision = parameters.revision(view.param);
        match packs.get(view) {
            Some(pack) if pack.revision == revision => pack.weight.clone(),
            _ => {
                let weight = Packed::new(weight(parameters, view).right());
                let weight = Arc::new(match self.precision {
                    Precision::F32 => weight,
                    Precision::Bf16 => weight.halved(),
                });
                packs.insert(*view, Pack { revision, weight: weight.clone() });
                weight
            }
        }
    }

    /// Forgets what was made from a parameter.
    #[cfg(all(feature = "train", feature = "gpu"))]
    pub(in crate::device) fn forget(&mut self, id: ParamId) {
        self.made.get_mut().unwrap_or_else(PoisonError::into_inner).retain(|view| view.param != id);
    }
}

/// The weight of an affine operation, as its kernel wants it.
pub(in crate::device) fn weight<'a>(parameters: &'a Parameters, view: &WeightView) -> affine::Weight<'a> {
    let p = parameters.get(view.param);
    affine::Weight {
        values: &p.values[view.offset(parameters)..],
        stride: p.columns(),
        input_major: view.input_major,
        inputs: view.inputs,
        outputs: view.outputs,
    }
}
