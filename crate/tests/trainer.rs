//! The trainer, driven as a page would drive it: texts in memory, one call at a time, no file.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::collections::BTreeMap;

use pollster::block_on;
use saccade_rnn::device::{Cpu, Device, ParamId, Parameter, Parameters};
use saccade_rnn::graph::{Graph, Strategy};
use saccade_rnn::model::{Dropouts, FreshOptions, LayerConfig, Model, SruConfig, Task};
use saccade_rnn::train::{
    Adjustment, Classify, ConfigError, Distill, Due, Evaluation, Finished, Item, LayerRate, LayerRates, Loss,
    Objective, OptimizerName, OutputConfig, Parse, RunConfig, Schedule, SkimLoss, Skimming, Spans, Tag,
    Texts, TrainConfig, TrainError, Trainer, Tree,
};

mod support;
use support::skim;

/// A text is positive iff it holds more of word 1 than of word 2.
fn texts() -> Texts<Item> {
    let mut state = 1u32;
    let mut draw = |bound: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % bound
    };
    let mut some = |count| {
        let text = |_| {
            let ids: Vec<u32> = (0..2 + draw(6)).map(|_| 1 + draw(6)).collect();
            let sum: i32 = ids.iter().map(|id| i32::from(*id == 1) - i32::from(*id == 2)).sum();
            Item { ids, label: u32::from(sum > 0), teacher: None }
        };
        (0..count).map(text).collect::<Vec<_>>()
    };
    Texts { train: some(200), dev: some(40), test: some(40) }
}

fn gru() -> LayerConfig {
    LayerConfig::Gru { hidden_size: 8, bidirectional: false }
}

fn trainer(
    layer: LayerConfig,
    train: TrainConfig,
    texts: Texts<Item>,
) -> Result<Trainer<Classify>, TrainError> {
    trainer_on(&Device::cpu(), layer, train, texts)
}

fn trainer_on(
    device: &Device,
    layer: LayerConfig,
    train: TrainConfig,
    texts: Texts<Item>,
) -> Result<Trainer<Classify>, TrainError> {
    let config = saccade_rnn::model::Config { encoder: vec![layer], ..support::config() };
    let config = saccade_rnn::model::Config { threshold: None, ..config };
    let model = Model::fresh(config, train.dropouts(), FreshOptions::default(), 7)?;
    let objective = Classify::new(&train, 0, None)?;
    let config = RunConfig { seed: 3, train, output: OutputConfig::default() };
    Trainer::new(device, model, objective, texts, config)
}

/// What a run told, and the model kept last.
#[derive(Default)]
struct Told {
    losses: Vec<Vec<Loss>>,
    evaluations: Vec<(f64, f64)>,
    kept: Vec<u8>,
}

/// Does what is due, to the end or until `stop` says so, which is asked before each call: with the steps done and what is due.
fn drive(
    trainer: &mut Trainer<Classify>,
    told: &mut Told,
    stop: impl Fn(usize, Due) -> bool,
) -> Option<Finished<Evaluation>> {
    while !stop(told.losses.len(), trainer.due()) {
        match trainer.due() {
            Due::Step => told.losses.push(block_on(trainer.step()).unwrap()),
            Due::Evaluation => {
                let evaluated = block_on(trainer.evaluate(|_| true)).unwrap().unwrap();
                told.evaluations.push((evaluated.epoch, evaluated.score.accuracy));
                told.kept = evaluated.kept.unwrap_or(std::mem::take(&mut told.kept));
            }
            Due::Finish => return block_on(trainer.finish(&told.kept, |_| true)).unwrap(),
        }
    }
    None
}

#[test]
fn a_run_learns_and_says_what_it_does() {
    let train = TrainConfig { evaluations: 2, average: 0.9, ..TrainConfig::new(8, 12, 0.03) };
    let mut run = trainer(gru(), train, texts()).unwrap();
    let mut told = Told::default();
    let finished = drive(&mut run, &mut told, |_, _| false).unwrap();
    assert_eq!(told.losses.len(), 12 * 25);
    assert!(told.losses.iter().all(|losses| losses.len() == 1 && losses[0].name == "loss"));
    let at: Vec<f64> = told.evaluations.iter().map(|(epoch, _)| *epoch).collect();
    assert_eq!((at.len(), at[0], at[1], at[23]), (24, 13.0 / 25.0, 1.0, 12.0));
    assert!(finished.dev.accuracy > 0.9, "{finished:?}");
    let best = told.evaluations.iter().map(|(_, accuracy)| *accuracy).fold(0.0, f64::max);
    assert_eq!(finished.dev.accuracy, best, "what is kept is the best");
    let model = Model::from_bytes(&finished.model).unwrap();
    let figures: &BTreeMap<_, _> = &model.config().training.figures;
    assert_eq!(figures["test_accuracy"], finished.test.unwrap().accuracy);
    assert!(at.contains(&figures["epochs"]));
}

#[test]
fn another_trainer_goes_on_from_a_snapshot_wherever_it_was_taken() {
    let train = TrainConfig {
        average: 0.9,
        dropout_embedding: 0.2,
        skim: Some(SkimLoss { gamma: 0.05, temperature_rate: 1e-3, rise: 20, min_rate: 0.0 }),
        ..TrainConfig::new(8, 2, 0.03)
    };
    let begin = || trainer(skim(), train.clone(), texts()).unwrap();
    let mut whole = Told::default();
    let finished = drive(&mut begin(), &mut whole, |_, _| false).unwrap();
    assert_eq!(whole.losses[0].iter().map(|loss| loss.name).collect::<Vec<_>>(), ["loss", "skim loss"]);

    // In the midst of an epoch, at its last step with the evaluation still due, and at the end.
    for stop_at in [(7, Due::Step), (25, Due::Evaluation), (50, Due::Finish)] {
        let (mut told, mut first) = (Told::default(), begin());
        drive(&mut first, &mut told, |steps, due| (steps, due) == stop_at);
        assert_eq!((told.losses.len(), first.due()), stop_at);
        if first.due() == Due::Evaluation {
            assert!(block_on(first.evaluate(|_| false)).unwrap().is_none(), "it was told to stop");
            assert_eq!(first.due(), Due::Evaluation);
        }
        let snapshot = block_on(first.snapshot("this run")).unwrap();
        let mut second = begin();
        assert!(matches!(second.restore(&snapshot, "another run"), Err(TrainError::OtherRun)));
        let mut others = texts();
        others.train.reverse();
        let mut of_others = trainer(skim(), train.clone(), others).unwrap();
        assert!(matches!(of_others.restore(&snapshot, "this run"), Err(TrainError::OtherRun)));
        second.restore(&snapshot, "this run").unwrap();
        assert_eq!(second.position(), first.position());
        let again = drive(&mut second, &mut told, |_, _| false).unwrap();
        assert_eq!(told.losses, whole.losses);
        assert_eq!(told.evaluations, whole.evaluations);
        assert!(again.model == finished.model, "the same bytes, interrupted at {stop_at:?}");
    }
}

#[test]
fn threads_that_learn_together_repeat_and_go_on_from_a_snapshot() {
    let train = TrainConfig {
        dropout_embedding: 0.2,
        skim: Some(SkimLoss { gamma: 0.05, temperature_rate: 1e-3, rise: 20, min_rate: 0.0 }),
        ..TrainConfig::new(8, 2, 0.03)
    };
    let begin = || {
        let device = Cpu::default().with_threads(3.try_into().unwrap()).into();
        trainer_on(&device, skim(), train.clone(), texts()).unwrap()
    };
    let mut whole = Told::default();
    let finished = drive(&mut begin(), &mut whole, |_, _| false).unwrap();
    assert_eq!(whole.losses[0].iter().map(|loss| loss.name).collect::<Vec<_>>(), ["loss", "skim loss"]);
    let (mut told, mut first, mut second) = (Told::default(), begin(), begin());
    drive(&mut first, &mut told, |steps, _| steps == 7);
    second.restore(&block_on(first.snapshot("a run")).unwrap(), "a run").unwrap();
    let again = drive(&mut second, &mut told, |_, _| false).unwrap();
    assert_eq!(told.losses, whole.losses);
    assert!(again.model == finished.model, "the same bytes");
}

#[test]
fn helpers_without_memory_in_common_give_what_threads_give_whoever_is_gone() {
    let skims = SkimLoss { gamma: 0.05, temperature_rate: 1e-3, rise: 20, min_rate: 0.0 };
    let train = TrainConfig {
        average: 0.9,
        dropout_embedding: 0.2,
        dropout_weights: 0.1,
        clip: 0.5,
        skim: Some(skims),
        ..TrainConfig::new(8, 2, 0.03)
    };
    let lstm = LayerConfig::Lstm { hidden_size: 8, bidirectional: false };
    let adversarial = TrainConfig { skim: None, adversarial: 0.01, ..train.clone() };
    for (layer, train) in [(skim(), train), (lstm, adversarial)] {
        let begin = |threads: usize| {
            let device = Cpu::default().with_threads(threads.try_into().unwrap()).into();
            trainer_on(&device, layer.clone(), train.clone(), texts()).unwrap()
        };
        let adjust = |trainer: &mut Trainer<Classify>, step: usize| {
            if step == 30 && trainer.config().train.skim.is_some() {
                let (gamma, temperature) = (Some(0.2), Some(0.8));
                trainer.adjust(Adjustment { gamma, temperature, ..Adjustment::default() }).unwrap();
            }
        };
        let (mut threads, mut told) = (begin(3), Told::default());
        drive(&mut threads, &mut told, |steps, due| (steps, due) == (30, Due::Step));
        adjust(&mut threads, 30);
        let whole = drive(&mut threads, &mut told, |_, _| false).unwrap();
        // One helper for both parts, one that is gone now and then, and none.
        for is_gone in [|_, _| false, |step, part| (step + part) % 3 == 0, |_, _| true] {
            let (mut leader, mut helper, mut again) = (begin(1), begin(1), Told::default());
            let finished = loop {
                match leader.due() {
                    Due::Step => {
                        let step = again.losses.len();
                        adjust(&mut leader, step);
                        let ask = |order: Vec<u32>, parts: usize| {
                            assert_eq!(parts, 3);
                            let answer =
                                |part| (!is_gone(step, part)).then(|| helper.help(&order, part, 3).unwrap());
                            std::future::ready((1..parts).map(answer).collect())
                        };
                        again.losses.push(block_on(leader.step_helped(3, ask)).unwrap());
                    }
                    Due::Evaluation => {
                        let evaluated = block_on(leader.evaluate(|_| true)).unwrap().unwrap();
                        again.kept = evaluated.kept.unwrap_or(again.kept);
                    }
                    Due::Finish => break block_on(leader.finish(&again.kept, |_| true)).unwrap().unwrap(),
                }
            };
            assert_eq!(again.losses, told.losses);
            assert!(finished.model == whole.model, "the same bytes");
        }
    }
}

/// The gradients of the first step of a run without dropout, with word vectors as they are or moved.
fn gradients_of_a_step(parameters: &Parameters, of: &Trainer<Classify>, batch: &Vec<Item>) -> Vec<Vec<f32>> {
    let device = Device::cpu();
    let graph = Graph::training(parameters, &device, Strategy::Levels, 0);
    let objective = Classify::new(&of.config().train, 0, None).unwrap();
    let losses = objective.losses(of.model(), &graph, batch, &|_| Vec::new(), Skimming::default());
    let gradients = block_on(losses.total.backward()).unwrap();
    let read = |(id, p): (ParamId, &Parameter)| {
        block_on(gradients.read(&device, parameters, id)).unwrap().unwrap_or(vec![0.0; p.values.len()])
    };
    parameters.iter().map(read).collect()
}

/// Of Miyato, Dai & Goodfellow (2017): the loss of the words as they are, and of the words moved along its gradient.
#[test]
fn an_adversarial_step_learns_from_moved_word_vectors_too() {
    let optimizer = OptimizerName::Sgd;
    let train = TrainConfig { optimizer, adversarial: 0.1, ..TrainConfig::new(500, 1, 1.0) };
    let mut run = trainer(gru(), train.clone(), texts()).unwrap();
    let batch = Classify::new(&train, 0, None).unwrap().batches(&texts().train, 500, 3, 0).swap_remove(0);
    let mut parameters = run.model().parameters().clone();
    let first = gradients_of_a_step(&parameters, &run, &batch);
    let (table, _) = parameters.iter().find(|(_, p)| p.name == "embedding.weight").unwrap();
    let norm = |values: &[f32]| values.iter().map(|x| x * x).sum::<f32>().sqrt();
    // Words 1 to 6 occur in the texts, and no other is moved.
    let read = parameters.get(table).columns()..7 * parameters.get(table).columns();
    let (values, along) = (parameters.values(table).to_vec(), &first[table.index()]);
    let scale = 0.1 * norm(&values[read.clone()]) / norm(along);
    let moved: Vec<f32> = values.iter().zip(along).map(|(value, along)| value + scale * along).collect();
    parameters.get_mut(table).values.copy_from_slice(&moved);
    let second = gradients_of_a_step(&parameters, &run, &batch);
    let before = run.model().parameters().clone();
    let loss = block_on(run.step()).unwrap()[0].value;

    for ((id, was), (_, is)) in before.iter().zip(run.model().parameters().iter()) {
        for (i, (was, is)) in was.values.iter().zip(&is.values).enumerate() {
            let expected = was - (first[id.index()][i] + second[id.index()][i]);
            assert!((is - expected).abs() < 1e-5, "{} {i}: {is}, expected {expected}", before.get(id).name);
        }
    }
    let plain = TrainConfig { adversarial: 0.0, ..train };
    let plain = block_on(trainer(gru(), plain, texts()).unwrap().step()).unwrap()[0].value;
    assert_eq!(loss, plain, "told is the loss of the words as they are");
}

#[test]
fn what_another_run_s_worker_sends_is_told() {
    let begin = |hidden_size| {
        let layer = LayerConfig::Gru { hidden_size, bidirectional: false };
        trainer(layer, TrainConfig::new(8, 2, 0.03), texts()).unwrap()
    };
    let (mut leader, mut helper, mut other) = (begin(8), begin(8), begin(9));
    let mut sent = Vec::new();
    let ask = |order: Vec<u32>, _: usize| {
        sent = order;
        std::future::ready(vec![None])
    };
    block_on(leader.step_helped(2, ask)).unwrap();
    assert!(helper.help(&sent, 1, 2).is_ok());
    let is_told = |result: Result<_, _>| matches!(result, Err(TrainError::OtherWorker));
    assert!(is_told(other.help(&sent, 1, 2)));
    assert!(is_told(helper.help(&sent, 2, 2)), "there is no such part");
    for cut in [0, 2, 4, 5, sent.len() - 1] {
        assert!(is_told(helper.help(&sent[..cut], 1, 2)), "cut at {cut}");
    }
    sent[1] = 1_000;
    assert!(is_told(helper.help(&sent, 1, 2)), "there is no such batch");
    let answer =
        |answer: Vec<u32>| move |_: Vec<u32>, _: usize| std::future::ready(vec![Some(answer.clone())]);
    for wrong in [vec![], vec![0; 7], vec![u32::MAX; 7]] {
        let result = block_on(leader.step_helped(2, answer(wrong)));
        assert!(matches!(result, Err(TrainError::OtherWorker)), "{result:?}");
    }
}

#[test]
fn a_thread_s_mistake_is_the_run_s() {
    let mut texts = texts();
    // The model has no such label, and the last text of a batch is another thread's.
    texts.train = vec![
        Item { ids: vec![1], label: 0, teacher: None },
        Item { ids: vec![1; 9], label: 7, teacher: None },
    ];
    let device = Cpu::default().with_threads(2.try_into().unwrap()).into();
    let mut run = trainer_on(&device, gru(), TrainConfig::new(2, 1, 0.03), texts).unwrap();
    let error = block_on(run.step()).unwrap_err();
    assert!(error.to_string().contains('7'), "{error}");
}

#[test]
fn what_a_step_that_fails_has_learned_is_no_part_of_the_next() {
    let device = Cpu::default().with_threads(2.try_into().unwrap()).into();
    let mut tried = 0;
    for wrong in 0..4 {
        let mut texts = texts();
        texts.train.truncate(4);
        texts.train[wrong].label = 7;
        let mut run = trainer_on(&device, gru(), TrainConfig::new(2, 1, 0.03), texts).unwrap();
        let begun = block_on(run.snapshot("run")).unwrap();
        if block_on(run.step()).is_ok() {
            let learned = block_on(run.export()).unwrap();
            block_on(run.step()).unwrap_err();
            run.restore(&begun, "run").unwrap();
            block_on(run.step()).unwrap();
            assert!(block_on(run.export()).unwrap() == learned, "text {wrong}");
            tried += 1;
        }
    }
    assert_eq!(tried, 2, "a batch of two is the second");
}

#[test]
fn a_run_that_changes_its_device_ends_in_the_same_bytes() {
    let train = TrainConfig { average: 0.9, dropout_embedding: 0.2, ..TrainConfig::new(8, 2, 0.03) };
    let begin = || trainer(gru(), train.clone(), texts()).unwrap();
    let whole = drive(&mut begin(), &mut Told::default(), |_, _| false).unwrap();
    let (mut run, mut told) = (begin(), Told::default());
    drive(&mut run, &mut told, |steps, _| steps == 7);
    let snapshot = block_on(run.snapshot("a run")).unwrap();
    // What is learned between the snapshot and the change is forgotten.
    drive(&mut run, &mut told, |steps, _| steps == 11);
    run.go_on(&Device::cpu(), &snapshot, "a run").unwrap();
    assert_eq!(run.position().done, 7);
    let finished = drive(&mut run, &mut told, |_, _| false).unwrap();
    assert!(finished.model == whole.model, "the same bytes");
}

#[test]
fn a_temperature_that_is_set_falls_no_more() {
    let loss = SkimLoss { gamma: 0.1, temperature_rate: 0.1, rise: 0, min_rate: 0.0 };
    assert_eq!([0, 1, 100].map(|step| loss.temperature(step)), [1.0, (-0.1f32).exp(), 0.5]);
    let begin = |temperature_rate| {
        let skim = Some(SkimLoss { temperature_rate, ..loss });
        trainer(support::skim(), TrainConfig { skim, ..TrainConfig::new(8, 1, 0.03) }, texts()).unwrap()
    };
    let set = |temperature| Adjustment { temperature: Some(temperature), ..Adjustment::default() };
    let losses = |mut run: Trainer<Classify>| [0; 5].map(|_| block_on(run.step()).unwrap());
    let mut run = begin(0.1);
    run.adjust(set(1.0)).unwrap();
    for wrong in [0.0, -1.0, f32::NAN] {
        let error = run.adjust(set(wrong)).unwrap_err().to_string();
        assert!(error.contains("temperature"), "{error}");
    }
    for gamma in [-0.1, f32::NAN, f32::INFINITY] {
        let error = run.adjust(Adjustment { gamma: Some(gamma), ..Adjustment::default() }).unwrap_err();
        assert_eq!(error.to_string(), format!("train.skim.gamma: expected 0 or above, found {gamma}"));
    }
    assert_eq!(losses(run), losses(begin(0.0)));
    assert_ne!(losses(begin(0.1)), losses(begin(0.0)));
    let mut other = trainer(gru(), TrainConfig::new(8, 1, 0.03), texts()).unwrap();
    let error = other.adjust(set(1.0)).unwrap_err().to_string();
    assert!(error.contains("train.skim.temperature: expected a layer that skims"), "{error}");
}

#[test]
fn layers_learn_at_rates_of_their_own_and_later_if_so_wished() {
    let values = |trainer: &Trainer<Classify>| {
        let parameters = trainer.model().parameters().iter();
        parameters.map(|(_, p)| (p.name.clone(), p.values.clone())).collect::<BTreeMap<_, _>>()
    };
    let frozen = LayerRate { rate: 0.0, from: 0 };
    let later = LayerRate { rate: 0.5, from: 1 };
    let layers = LayerRates { embedding: frozen, encoder: vec![later], head: LayerRate::default() };
    let train = TrainConfig { layers, clip: 0.1, average: 0.9, ..TrainConfig::new(8, 2, 0.03) };
    let begin = || trainer(gru(), train.clone(), texts()).unwrap();
    let (mut told, mut run) = (Told::default(), begin());
    let fresh = values(&run);
    drive(&mut run, &mut told, |steps, due| (steps, due) == (25, Due::Evaluation));
    let after_one = values(&run);
    let moved = |before: &BTreeMap<String, Vec<f32>>, after: &BTreeMap<String, Vec<f32>>| {
        before
            .iter()
            .filter(|(name, values)| after[*name] != **values)
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(moved(&fresh, &after_one), ["head.bias", "head.weight"]);
    // Another goes on where the encoder begins to learn, to the same weights.
    let snapshot = block_on(run.snapshot("a run")).unwrap();
    let mut second = begin();
    second.restore(&snapshot, "a run").unwrap();
    // Its first step is Adam's first: of the step size, whatever the gradient.
    drive(&mut run, &mut told, |steps, _| steps == 26);
    let farthest = values(&run).iter().fold(0.0_f32, |farthest, (name, values)| {
        let distances = values.iter().zip(&after_one[name]).map(|(now, before)| (now - before).abs());
        distances.filter(|_| name.starts_with("encoder.0.")).fold(farthest, f32::max)
    });
    assert!((farthest - 0.015).abs() < 1e-5, "{farthest}");
    let finished = drive(&mut run, &mut told, |_, _| false).unwrap();
    let after_two = values(&run);
    assert!(moved(&after_one, &after_two).iter().any(|name| name.starts_with("encoder.0.")));
    assert_eq!(after_two["embedding.weight"], fresh["embedding.weight"]);
    let kept = Told { kept: told.kept.clone(), ..Told::default() };
    let again = drive(&mut second, &mut { kept }, |_, _| false).unwrap();
    assert!(again.model == finished.model, "the same bytes");
}

#[test]
fn a_snapshot_of_another_network_changes_nothing() {
    let train = TrainConfig::new(8, 1, 0.03);
    let mut small = trainer(gru(), train.clone(), texts()).unwrap();
    let wide = LayerConfig::Gru { hidden_size: 9, bidirectional: false };
    let snapshot = block_on(trainer(wide, train.clone(), texts()).unwrap().snapshot("a run")).unwrap();
    assert!(matches!(small.restore(&snapshot, "a run"), Err(TrainError::Model(_))));
    assert!(matches!(small.restore(&snapshot[..99], "a run"), Err(TrainError::Model(_))));
    let (mut tried, mut fresh) = (Told::default(), Told::default());
    let finished = drive(&mut small, &mut tried, |_, _| false).unwrap();
    let untouched = drive(&mut trainer(gru(), train, texts()).unwrap(), &mut fresh, |_, _| false).unwrap();
    assert!(finished.model == untouched.model);
}

#[test]
fn a_run_of_no_epoch_keeps_the_model_as_it_is() {
    let mut told = Told::default();
    let mut run = trainer(gru(), TrainConfig::new(8, 0, 0.03), texts()).unwrap();
    let finished = drive(&mut run, &mut told, |_, _| false).unwrap();
    assert_eq!((told.losses.len(), told.evaluations.len()), (0, 1));
    let config = Model::from_bytes(&finished.model).unwrap().config().clone();
    let fresh = Model::fresh(config, Dropouts::default(), FreshOptions::default(), 7).unwrap();
    let weights =
        |model: &Model| model.parameters().iter().map(|(_, p)| p.values.clone()).collect::<Vec<_>>();
    assert_eq!(weights(&Model::from_bytes(&finished.model).unwrap()), weights(&fresh));
}

#[test]
fn a_pupil_learns_what_its_teacher_makes_of_a_text() {
    let distill = |weight, temperature| Distill { teacher: String::new(), weight, temperature };
    let learns = |distill: Distill, teacher: Option<Vec<f32>>| {
        let mut texts = texts();
        texts.train.iter_mut().for_each(|item| item.teacher.clone_from(&teacher));
        let train = TrainConfig { distill: Some(distill), ..TrainConfig::new(200, 40, 0.1) };
        trainer(gru(), train, texts).unwrap()
    };
    // Of all texts the same, whatever their labels: the pupil comes to think so too, and its loss to what the teacher is unsure of.
    let teacher = [0.8_f32, 0.2].map(f32::ln).to_vec();
    let unsure = -(0.8 * 0.8_f32.ln() + 0.2 * 0.2_f32.ln());
    for temperature in [1.0, 2.0] {
        let mut told = Told::default();
        drive(&mut learns(distill(1.0, temperature), Some(teacher.clone())), &mut told, |_, _| false);
        let last = told.losses[told.losses.len() - 1][0].value;
        let soft = [0.8_f32, 0.2].map(|p| p.powf(1.0 / temperature));
        let soft = soft.map(|p| p / (soft[0] + soft[1]));
        let least = -temperature * temperature * (soft[0] * soft[0].ln() + soft[1] * soft[1].ln());
        assert!((0.0..0.01).contains(&(last - least)), "{last} and {least}");
        assert!(temperature != 1.0 || (least - unsure).abs() < 1e-6);
    }
    // The loss is shared between label and teacher.
    let first = |distill, teacher| block_on(learns(distill, Some(teacher)).step()).unwrap()[0].value;
    let [alone, half, label] = [1.0, 0.5, 1e-6].map(|weight| first(distill(weight, 1.0), teacher.clone()));
    assert!((half - (alone + label) / 2.0).abs() < 1e-5, "{alone}, {half}, {label}");

    let error = block_on(learns(distill(0.5, 1.0), None).step()).unwrap_err().to_string();
    assert!(error.contains("no teacher has scored a text"), "{error}");
    let error = block_on(learns(distill(0.5, 1.0), Some(vec![0.0; 3])).step()).unwrap_err().to_string();
    assert!(error.contains('3'), "{error}");
}

#[test]
fn counts_may_be_as_large_as_any() {
    // As many evaluations as steps are the most there can be.
    let train = TrainConfig { evaluations: usize::MAX, ..TrainConfig::new(8, 1, 0.03) };
    let mut told = Told::default();
    drive(&mut trainer(gru(), train, texts()).unwrap(), &mut told, |_, _| false).unwrap();
    assert_eq!((told.losses.len(), told.evaluations.len()), (25, 25));
    // 20 steps an epoch are 5 times 2^64 steps in all.
    let losses = |schedule| {
        let train = TrainConfig { schedule, ..TrainConfig::new(10, 1 << (usize::BITS - 2), 0.03) };
        let mut run = trainer(gru(), train, texts()).unwrap();
        [0; 5].map(|_| block_on(run.step()).unwrap())
    };
    assert_eq!(losses(Schedule::Linear), losses(Schedule::Constant));
}

/// What is said of a run that begins without texts: that there are none, if nothing is wrong with its options.
fn complaint<O: Objective>(
    config: saccade_rnn::model::Config,
    train: &TrainConfig,
    objective: Result<O, ConfigError>,
) -> String {
    let model = Model::fresh(config, train.dropouts(), FreshOptions::default(), 7).unwrap();
    let run = RunConfig { seed: 3, train: train.clone(), output: OutputConfig::default() };
    let texts = Texts { train: Vec::new(), dev: Vec::new(), test: Vec::new() };
    Trainer::new(&Device::cpu(), model, objective.unwrap(), texts, run).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn an_option_may_have_its_effect_beside_the_encoder() {
    let none = "there is no development text";
    let weights = TrainConfig { dropout_weights: 0.3, ..TrainConfig::new(4, 1, 0.1) };
    let between = TrainConfig { dropout_encoder: 0.3, ..TrainConfig::new(4, 1, 0.1) };
    let sru = |model: Model| saccade_rnn::model::Config {
        encoder: vec![LayerConfig::Sru(SruConfig::new(4, 1))],
        ..model.config().clone()
    };

    let of_tagger =
        |spells, train: &TrainConfig| complaint(sru(support::tagger(spells)), train, Tag::new(train, 0.0));
    assert!(of_tagger(false, &weights).starts_with("train.dropout_weights: "));
    assert_eq!(of_tagger(true, &weights), none, "letters are spelled by an LSTM");
    assert!(of_tagger(true, &between).starts_with("train.dropout_encoder: "));

    let of_parser = |layers: usize, train: &TrainConfig| {
        let mut config = sru(support::parser());
        let Task::Parse(task) = &mut config.task else { unreachable!("a parser") };
        task.layers = vec![gru(); layers];
        complaint(config, train, Parse::new(train, 0.0, 0.0))
    };
    assert_eq!(of_parser(1, &weights), none);
    assert_eq!(of_parser(2, &between), none, "one of its layers stands on another");
    assert!(of_parser(1, &between).starts_with("train.dropout_encoder: "));

    let of_tree = |model: Model| complaint(model.config().clone(), &weights, Tree::new(&weights));
    assert_eq!(of_tree(support::child_sum_classifier()), none, "children recur");
    assert!(of_tree(support::tree_classifier(false)).starts_with("train.dropout_weights: "));
}

#[test]
fn patience_ends_a_run_that_learns_no_more() {
    let train = TrainConfig { patience: 2, ..TrainConfig::new(8, 50, f32::MIN_POSITIVE) };
    let mut told = Told::default();
    drive(&mut trainer(gru(), train, texts()).unwrap(), &mut told, |_, _| false).unwrap();
    assert_eq!(told.evaluations.len(), 3, "the first, and two that are no better");
}

#[test]
fn what_cannot_be_trained_is_named() {
    let train = TrainConfig::new(8, 1, 0.03);
    let fails = |layer, train: TrainConfig, texts, names: &str| {
        let error = trainer(layer, train, texts).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(names), "{error:?} does not name {names:?}");
    };
    fails(gru(), TrainConfig { batch: 0, ..train.clone() }, texts(), "train.batch");
    fails(gru(), TrainConfig { clip: f32::NAN, ..train.clone() }, texts(), "train.clip");
    fails(skim(), train.clone(), texts(), "train.skim");
    let loss = SkimLoss { gamma: 0.1, temperature_rate: 0.1, rise: 0, min_rate: 0.0 };
    for (wrong, names) in [
        (SkimLoss { gamma: -0.1, ..loss }, "train.skim.gamma: expected 0 or above, found -0.1"),
        (SkimLoss { temperature_rate: -1.0, ..loss }, "train.skim.temperature_rate"),
    ] {
        fails(skim(), TrainConfig { skim: Some(wrong), ..train.clone() }, texts(), names);
    }
    let distill = |weight, temperature| Some(Distill { teacher: String::new(), weight, temperature });
    let none = TrainConfig { distill: distill(0.0, 1.0), ..train.clone() };
    fails(gru(), none, texts(), "train.distill.weight");
    let cold = TrainConfig { distill: distill(0.5, 0.0), ..train.clone() };
    fails(gru(), cold, texts(), "train.distill.temperature");
    fails(gru(), train.clone(), Texts { train: Vec::new(), ..texts() }, "training");
    fails(gru(), train.clone(), Texts { dev: Vec::new(), ..texts() }, "development");
    let spans = Classify::new(&train, 0, Some(Spans { min: 9, max: 8, short: 0.0 }));
    assert!(spans.unwrap_err().to_string().contains("data.spans"));
}
