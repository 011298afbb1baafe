//! How single layers learn: frozen, slower than others, or only later (Howard & Ruder 2018: discriminative rates and gradual
//! unfreezing).

use serde::{Deserialize, Serialize};

use super::{ConfigError, check, unchanged};
use crate::device::number;

/// How a layer learns.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LayerRate {
    /// Multiplies the step size; 0 leaves the layer as it is.
    pub rate: f32,
    /// The first epoch in which it learns, counted from 0; before, it is left as it is.
    pub from: usize,
}

impl Default for LayerRate {
    fn default() -> Self {
        Self { rate: unchanged(), from: 0 }
    }
}

impl LayerRate {
    fn validate(self, layer: &str, epochs: usize) -> Result<(), ConfigError> {
        let Self { rate, from } = self;
        let (field, expected, found) = if !(rate >= 0.0 && rate.is_finite()) {
            ("rate", "0 or above", number(rate))
        } else if from > 0 && from >= epochs {
            ("from", "below train.epochs", from.to_string())
        } else if from > 0 && rate == 0.0 {
            ("from", "0 where the layer's rate is 0", from.to_string())
        } else {
            return Ok(());
        };
        Err(ConfigError::Field { field: format!("train.layers.{layer}.{field}").into(), expected, found })
    }
}

/// How the layers of a network learn; one that is not named learns as the run says.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LayerRates {
    /// Word vectors, and what reads the letters of words.
    pub embedding: LayerRate,
    /// The layers of the encoder, that next to the words first.
    pub encoder: Vec<LayerRate>,
    /// What is above them.
    pub head: LayerRate,
}

impl LayerRates {
    /// What the step size of a parameter is multiplied by in an epoch; 0 leaves it as it is.
    pub(in crate::train) fn of(&self, parameter: &str, epoch: usize) -> f32 {
        let mut parts = parameter.split('.');
        let layer = match parts.next() {
            Some("embedding" | "characters") => self.embedding,
            Some("encoder") => {
                let number = parts.next().and_then(|number| number.parse::<usize>().ok());
                number.and_then(|number| self.encoder.get(number)).copied().unwrap_or_default()
            }
            _ => self.head,
        };
        if epoch < layer.from { 0.0 } else { layer.rate }
    }

    /// Checks the rates, and that every layer that is named is there and can have an epoch to learn in.
    pub(super) fn validate(&self, layers: usize, epochs: usize) -> Result<(), ConfigError> {
        let found = self.encoder.len();
        check("train.layers.encoder", found <= layers, "at most as many as the network has layers", found)?;
        self.embedding.validate("embedding", epochs)?;
        self.head.validate("head", epochs)?;
        self.encoder
            .iter()
            .enumerate()
            .try_for_each(|(i, layer)| layer.validate(&format!("encoder[{i}]"), epochs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_has_the_rate_of_its_layer() {
        let text = r#"{ "embedding": { "rate": 0 }, "encoder": [{ "rate": 0.5, "from": 2 }], "head": {} }"#;
        let rates: LayerRates = serde_json::from_str(text).expect("rates");
        for (parameter, expected) in [
            ("embedding.weight", [0.0, 0.0]),
            ("embedding.embeddings.1.0.weight", [0.0, 0.0]),
            ("characters.lstm.weight_ih_l0", [0.0, 0.0]),
            ("encoder.0.big.weight_hh", [0.0, 0.5]),
            ("encoder.1.weight_hh_l0", [1.0, 1.0]),
            ("encoder.10.weight_hh_l0", [1.0, 1.0]),
            ("head.layers.0.bias_hh_l0", [1.0, 1.0]),
        ] {
            assert_eq!([1, 2].map(|epoch| rates.of(parameter, epoch)), expected, "{parameter}");
        }
        assert!(serde_json::from_str::<LayerRates>(r#"{ "embeding": { "rate": 0 } }"#).is_err());
    }

    #[test]
    fn rates_that_cannot_be_are_named() {
        let of = |rate, from| LayerRate { rate, from };
        let rates = |encoder: &[LayerRate]| LayerRates { encoder: encoder.to_vec(), ..Default::default() };
        assert_eq!(rates(&[of(0.1, 1), of(0.0, 0)]).validate(2, 2), Ok(()));
        for (wrong, field) in [
            (rates(&[of(1.0, 0); 3]), "train.layers.encoder"),
            (rates(&[of(-1.0, 0)]), "train.layers.encoder[0].rate"),
            (rates(&[of(1.0, 0), of(f32::NAN, 0)]), "train.layers.encoder[1].rate"),
            (rates(&[of(1.0, 0), of(1.0, 2)]), "train.layers.encoder[1].from"),
            (rates(&[of(0.0, 1)]), "train.layers.encoder[0].from"),
            (LayerRates { embedding: of(-0.5, 0), ..Default::default() }, "train.layers.embedding.rate"),
            (LayerRates { head: of(1.0, 3), ..Default::default() }, "train.layers.head.from"),
        ] {
            let ConfigError::Field { field: named, .. } = wrong.validate(2, 2).expect_err(field);
            assert_eq!(named, field);
        }
    }
}
