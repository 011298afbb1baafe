//! An option that could have no effect is refused, for whoever gives it expects one.

use super::{ConfigError, LayerRate, RunConfig, Schedule, StorageName, check as expect};
use crate::model::{Input, LayerConfig, Prediction};

/// Checks the options of a run against a network of these layers, which predicts words as said or classifies; see
/// [`RunConfig::validate`]. Those that have their default value are not given.
pub(super) fn check(
    run: &RunConfig,
    encoder: &[LayerConfig],
    beside: &[&[LayerConfig]],
    predicts: Option<&Prediction>,
) -> Result<(), ConfigError> {
    let t = &run.train;
    let input = predicts.map_or(Input::Table, |task| task.input);
    let is_tied = matches!(input, Input::Tied | Input::TiedProjections);
    let mut stacks = beside.iter().copied().chain([encoder]);
    let recurs = stacks.clone().flatten().any(|layer| !matches!(layer, LayerConfig::Sru(_)));
    let is_deep = |layer: &LayerConfig| matches!(layer, LayerConfig::Sru(sru) if sru.num_layers > 1);
    let is_stack = stacks.any(|layers| layers.len() > 1 || layers.iter().any(is_deep));
    let of_sequence =
        [t.dropout_embedding, t.dropout_encoder, if predicts.is_some() { t.dropout_head } else { 0.0 }];
    let decays = |after| after < t.epochs;

    let expected = "1 where word vectors are the softmax's";
    expect("train.embedding_rate", t.embedding_rate == 1.0 || !is_tied, expected, t.embedding_rate)?;
    expect(
        "train.adversarial",
        t.adversarial == 0.0 || !is_tied,
        "0 where word vectors are the softmax's",
        t.adversarial,
    )?;
    t.layers.validate(encoder.len(), t.epochs)?;
    let is_named = t.layers.embedding != LayerRate::default();
    expect(
        "train.layers.embedding",
        !is_named || !is_tied,
        "none where word vectors are the softmax's",
        "one",
    )?;
    let is_stored = run.output.embedding == StorageName::F32 || input == Input::Table;
    let teaches = t.distill.is_none() || predicts.is_none();
    expect("train.distill", teaches, "none where words are predicted", "one")?;
    let expected = "f32 where word vectors are in bands: output.weights stores those";
    expect("output.embedding", is_stored, expected, run.output.embedding.name())?;
    let expected = "0 where no layer but SRU is: it has no recurrent weights";
    expect("train.dropout_weights", t.dropout_weights == 0.0 || recurs, expected, t.dropout_weights)?;
    let expected = "0 for a network of one layer";
    expect("train.dropout_encoder", t.dropout_encoder == 0.0 || is_stack, expected, t.dropout_encoder)?;
    let is_dropped = !t.dropout_per_sequence || t.dropout_embedding > 0.0;
    expect("train.dropout_per_sequence", is_dropped, "false without train.dropout_embedding", true)?;
    let is_dropped = !t.dropout_variational || of_sequence.iter().any(|&rate| rate > 0.0);
    let expected = "false without train.dropout_embedding, train.dropout_encoder or, where words are predicted, train.dropout_head";
    expect("train.dropout_variational", is_dropped, expected, true)?;
    if let Some(after) = t.average_after {
        expect("train.average_after", decays(after), "below train.epochs", after)?;
    }
    match t.schedule {
        Schedule::Decay { after, .. } => {
            expect("train.schedule.decay.after", decays(after), "below train.epochs", after)
        }
        // The first evaluation is the best so far, and after the last nothing is learned.
        Schedule::Plateau { .. } => {
            let evaluations = t.epochs.saturating_mul(t.evaluations);
            expect("train.schedule.plateau", evaluations > 2, "3 evaluations or more", evaluations)
        }
        Schedule::Constant | Schedule::Linear => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{OutputConfig, TrainConfig};

    const LSTM: LayerConfig = LayerConfig::Lstm { hidden_size: 4, bidirectional: false };

    fn sru(num_layers: usize) -> LayerConfig {
        let text = format!(r#"{{ "type": "sru", "hidden_size": 4, "num_layers": {num_layers} }}"#);
        serde_json::from_str(&text).expect("a layer")
    }

    #[test]
    fn an_option_without_effect_is_named() {
        type Change = fn(&mut RunConfig);
        let classifies = |layers: &[LayerConfig]| (layers.to_vec(), None);
        let predicts = |input| (vec![LSTM], Some(Prediction { input, ..Prediction::new(&[2]) }));
        // An option, a network in which it has none, and one in which it has an effect.
        let cases: [(&str, Change, _, _); 9] = [
            (
                "train.embedding_rate",
                |c| c.train.embedding_rate = 0.1,
                predicts(Input::Tied),
                predicts(Input::Adaptive),
            ),
            (
                "train.embedding_rate",
                |c| c.train.embedding_rate = 0.0,
                predicts(Input::TiedProjections),
                predicts(Input::Table),
            ),
            (
                "train.adversarial",
                |c| c.train.adversarial = 0.01,
                predicts(Input::Tied),
                predicts(Input::Adaptive),
            ),
            (
                "output.embedding",
                |c| c.output.embedding = StorageName::Int8,
                predicts(Input::Adaptive),
                predicts(Input::Table),
            ),
            (
                "output.embedding",
                |c| c.output.embedding = StorageName::F16,
                predicts(Input::Tied),
                classifies(&[LSTM]),
            ),
            (
                "train.dropout_weights",
                |c| c.train.dropout_weights = 0.5,
                classifies(&[sru(2)]),
                classifies(&[sru(1), LSTM]),
            ),
            (
                "train.dropout_encoder",
                |c| c.train.dropout_encoder = 0.5,
                classifies(&[sru(1)]),
                classifies(&[sru(2)]),
            ),
            (
                "train.dropout_encoder",
                |c| c.train.dropout_encoder = 0.5,
                predicts(Input::Table),
                classifies(&[LSTM, LSTM]),
            ),
            (
                "train.dropout_variational",
                |c| (c.train.dropout_head, c.train.dropout_variational) = (0.5, true),
                classifies(&[LSTM]),
                predicts(Input::Table),
            ),
        ];
        let run = RunConfig { seed: 0, train: TrainConfig::new(4, 3, 0.1), output: OutputConfig::default() };
        for (field, change, (without, predicted), (with, also)) in cases {
            let mut run = run.clone();
            change(&mut run);
            let error = run.validate(&without, &[], predicted.as_ref()).expect_err(field);
            assert!(error.to_string().starts_with(&format!("{field}: expected ")), "{error}");
            assert_eq!(run.validate(&with, &[], also.as_ref()), Ok(()), "{field}");
        }
        // An option that has no effect, and what gives it one.
        let cases: [(&str, Change, Change); 5] = [
            ("train.average_after", |c| c.train.average_after = Some(3), |c| c.train.epochs = 4),
            (
                "train.schedule.decay.after",
                |c| c.train.schedule = Schedule::Decay { after: 3, factor: 0.5 },
                |c| c.train.epochs = 4,
            ),
            (
                "train.schedule.plateau",
                |c| (c.train.schedule, c.train.epochs) = (Schedule::Plateau { factor: 0.5 }, 2),
                |c| c.train.evaluations = 2,
            ),
            (
                "train.dropout_per_sequence",
                |c| c.train.dropout_per_sequence = true,
                |c| c.train.dropout_embedding = 0.1,
            ),
            (
                "train.dropout_variational",
                |c| c.train.dropout_variational = true,
                |c| c.train.dropout_embedding = 0.1,
            ),
        ];
        for (field, change, mend) in cases {
            let mut run = run.clone();
            change(&mut run);
            let error = run.validate(&[LSTM], &[], None).expect_err(field);
            assert!(error.to_string().starts_with(&format!("{field}: expected ")), "{error}");
            mend(&mut run);
            assert_eq!(run.validate(&[LSTM], &[], None), Ok(()), "{field}");
        }
    }
}
