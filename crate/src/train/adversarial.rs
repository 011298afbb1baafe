//! Adversarial training (Miyato, Dai & Goodfellow 2017): a batch is learned from once more, with its word vectors moved to where
//! its loss is greater. Theirs are moved occurrence by occurrence, along the gradient of each text; here a word has one vector in
//! a batch, and all are moved along the batch's gradient, so that every task can.

use std::iter::zip;

use super::optimizer::Touched;
use super::set_aside::SetAside;
use crate::device::{Device, EngineError, Parameters};
use crate::graph::Gradients;

/// Moves the rows of each table that a batch reads along their gradient (Eq. 5), by `size` of their norm; as they were they are
/// set aside. The host's values must be up to date.
///
/// # Errors
/// If the device fails.
pub(super) async fn move_words(
    whole: &mut SetAside,
    parameters: &mut Parameters,
    gradients: &Gradients,
    touched: &Touched,
    size: f32,
    device: &Device,
) -> Result<(), EngineError> {
    for (&id, rows) in touched {
        let Some(gradient) = gradients.get(id) else { continue };
        let parameter = parameters.get(id);
        let (columns, all) = (parameter.columns(), 0..parameter.values.len());
        let direction = device.read(&[(gradient.clone(), all)]).await?.swap_remove(0);
        let values = whole.keep(parameters, id);
        let square = |values: &[f32]| values.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
        let mut squares = [0.0; 2];
        for at in rows.iter().map(|&row| row as usize * columns) {
            squares[0] += square(&values[at..at + columns]);
            squares[1] += square(&direction[at..at + columns]);
        }
        let scale = (f64::from(size) * (squares[0] / squares[1]).sqrt()) as f32;
        // A gradient of zero, or one that is no number, has no direction.
        if scale.is_finite() {
            zip(values, direction).for_each(|(value, along)| *value += scale * along);
        }
    }
    Ok(())
}
