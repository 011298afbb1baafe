//! A training run from files to a model: it learns, it repeats, it goes on after an interruption, it fails in words.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use saccade_cli::config::{AnyConfig, Config, Settings};
use saccade_cli::run::{Event, Folders, Job, Outcome, RunError, train};
use saccade_rnn::device::Device;
use saccade_rnn::model::{LayerConfig, Model, SruConfig, TreeCell};
use saccade_rnn::train::TrainError;

/// A folder of texts with a rule that a network can learn: a text is positive iff it holds more of `good` than of
/// `bad`, negated after `not`.
struct Task {
    folder: tempfile::TempDir,
}

impl Task {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut state = 1u32;
        let mut draw = |bound: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) % bound
        };
        for (name, count) in [("train.txt", 600), ("dev.txt", 100)] {
            let mut lines = String::new();
            for _ in 0..count {
                let (mut score, mut words) = (0i32, Vec::new());
                for _ in 0..2 + draw(8) {
                    match draw(5) {
                        0 => (score += 1, words.push("good")),
                        1 => (score -= 1, words.push("bad")),
                        2 => (score -= 1, words.extend(["not", "good"])),
                        _ => ((), words.push(["the", "film", "of", "and"][draw(4) as usize])),
                    };
                }
                if score != 0 {
                    lines += &format!("{} {}\n", u8::from(score > 0), words.join(" "));
                }
            }
            std::fs::write(folder.path().join(name), lines).unwrap();
        }
        Self { folder }
    }

    fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn folders(&self) -> Folders<'_> {
        Folders { data: self.folder.path(), models: self.folder.path() }
    }

    fn train(
        &self,
        config: &Config,
        out: &Path,
        resume: bool,
        stop_after: usize,
    ) -> Result<Outcome, RunError> {
        self.train_and_hear(config, out, resume, stop_after, |_| ())
    }

    /// The same; `hear` hears of everything.
    fn train_and_hear(
        &self,
        config: &Config,
        out: &Path,
        resume: bool,
        stop_after: usize,
        mut hear: impl FnMut(&Event),
    ) -> Result<Outcome, RunError> {
        let cancel = AtomicBool::new(false);
        let mut steps = 0;
        let folders = self.folders();
        let job = Job { config, folders, out, resume, command: "a test" };
        pollster::block_on(train(&Device::cpu(), job, &cancel, |event| {
            hear(&event);
            if let Event::Step { .. } = event {
                steps += 1;
                cancel.fetch_or(steps == stop_after, Ordering::Relaxed);
            }
        }))
    }
}

fn config(encoder: &str, train: &str) -> Config {
    toml::from_str(&format!(
        r#"
        seed = 7
        [data]
        name = "a rule"
        labels = [{{ file = "0", name = "negative" }}, {{ file = "1", name = "positive" }}]
        tokenizer = {{ kind = "spaces", lowercase = false }}
        train = [{{ path = "train.txt", format = "lines" }}]
        dev = {{ path = "dev.txt", format = "lines" }}
        test = {{ path = "dev.txt", format = "lines" }}
        [model]
        embedding_size = 8
        encoder = [{encoder}]
        pool = "last"
        [train]
        batch = 16
        learning_rate = 0.02
        average = 0.9
        clip = 5.0
        dropout_embedding = 0.1
        {train}
        "#
    ))
    .unwrap()
}

const LSTM: &str = r#"{ type = "lstm", hidden_size = 16, bidirectional = false }"#;
const SKIM: &str =
    r#"{ type = "skim", cell = "lstm", hidden_size = 16, small_size = 2, small_reads = "slice" }"#;

#[test]
fn networks_learn_the_rule() {
    let task = Task::new();
    for encoder in [
        LSTM,
        r#"{ type = "gru", hidden_size = 16, bidirectional = true }"#,
        r#"{ type = "sru", hidden_size = 16, num_layers = 2 }"#,
    ] {
        let out = task.out("model.safetensors");
        let between = if encoder.contains("sru") { "\ndropout_encoder = 0.1" } else { "" };
        let outcome =
            task.train(&config(encoder, &format!("epochs = 12{between}")), &out, false, usize::MAX).unwrap();
        let Outcome::Done { dev, test: Some(test) } = outcome else { panic!("{outcome:?}") };
        assert!(dev.accuracy > 0.93, "{encoder}: {dev:?}");
        assert_eq!(dev, test, "the same texts give the same figures");
        let model = Model::from_bytes(&std::fs::read(&out).unwrap()).unwrap();
        assert_eq!(model.config().training.figures["dev_accuracy"], dev.accuracy);
        assert!(!out.with_extension("safetensors.state").exists(), "a finished run leaves no state");
    }
}

#[test]
fn a_skim_model_learns_the_rule_and_what_to_skim() {
    let task = Task::new();
    let skim = "epochs = 25\nskim = { gamma = 0.05, temperature_rate = 2e-3, min_rate = 0.2 }";
    // Skipping (d' = 0) leaves the state as it is, so that the words that matter have to be read.
    let skip = SKIM.replace("small_size = 2", "small_size = 0");
    let outcome = task.train(&config(&skip, skim), &task.out("skim.safetensors"), false, usize::MAX).unwrap();
    let Outcome::Done { dev, .. } = outcome else { panic!("{outcome:?}") };
    assert!(dev.accuracy > 0.9, "{dev:?}");
    assert!((0.2..0.95).contains(&dev.skim_rate) && dev.flop_reduction > 1.1, "{dev:?}");
}

#[test]
fn a_run_repeats_and_an_interrupted_one_goes_on() {
    let task = Task::new();
    let config = config(
        SKIM,
        "epochs = 3\nevaluations = 2\nschedule = \"linear\"\n\
         skim = { gamma = 0.02, temperature_rate = 1e-3 }",
    );
    let (whole, again, pieces) = (task.out("whole"), task.out("again"), task.out("pieces"));
    task.train(&config, &whole, false, usize::MAX).unwrap();
    task.train(&config, &again, false, usize::MAX).unwrap();
    let bytes = std::fs::read(&whole).unwrap();
    assert!(bytes == std::fs::read(&again).unwrap(), "the same config and seed give the same file");

    let mut resume = false;
    for stop_after in [5, 31, 20] {
        let outcome = task.train(&config, &pieces, resume, stop_after).unwrap();
        assert!(matches!(outcome, Outcome::Cancelled), "{outcome:?}");
        resume = true;
    }
    task.train(&config, &pieces, true, usize::MAX).unwrap();
    assert!(bytes == std::fs::read(&pieces).unwrap(), "an interrupted run ends where the whole one does");

    task.train(&config, &pieces, false, 3).unwrap();
    let mut other = config.clone();
    other.seed += 1;
    let error = task.train(&other, &pieces, true, usize::MAX).unwrap_err();
    assert!(error.to_string().contains("another config"), "{error}");
}

#[test]
fn a_run_that_begins_leaves_an_interrupted_one_alone() {
    let task = Task::new();
    let (config, out) = (config(LSTM, "epochs = 1"), task.out("model.safetensors"));
    task.train(&config, &out, false, 5).unwrap();
    let state = task.out("model.safetensors.state");
    let kept = std::fs::read(&state).unwrap();
    let error = task.train(&config, &out, false, 3).unwrap_err().to_string();
    assert!(error.contains("model.safetensors.state: go on with `--resume`"), "{error}");
    assert!(kept == std::fs::read(&state).unwrap());

    std::fs::remove_file(&state).unwrap();
    let outcome = task.train(&config, &out, false, usize::MAX).unwrap();
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
}

#[test]
fn a_run_goes_on_with_the_model_that_it_kept() {
    let task = Task::new();
    let (config, out) = (config(LSTM, "epochs = 3"), task.out("kept.safetensors"));
    let mut other = config.clone();
    other.seed += 1;
    task.train(&other, &out, false, usize::MAX).unwrap();
    let foreign = std::fs::read(&out).unwrap();

    // Within the second epoch.
    task.train(&config, &out, false, 50).unwrap();
    let kept = std::fs::read(&out).unwrap();
    assert!(kept != foreign);
    let fails = || {
        let error = task.train(&config, &out, true, 1).unwrap_err().to_string();
        assert!(error.contains("kept.safetensors"), "{error}");
        error
    };
    std::fs::remove_file(&out).unwrap();
    fails();
    std::fs::write(&out, "no model").unwrap();
    fails();
    std::fs::write(&out, foreign).unwrap();
    assert!(fails().contains("another run"));

    std::fs::write(&out, kept).unwrap();
    let outcome = task.train(&config, &out, true, usize::MAX).unwrap();
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
}

#[test]
fn two_runs_do_not_write_to_one_file() {
    let task = Task::new();
    let (config, out) = (config(LSTM, "epochs = 1"), task.out("model"));
    let lock = task.out("model.saccade-lock");
    let held = std::fs::File::create(&lock).unwrap();
    held.lock().unwrap();
    let error = task.train(&config, &out, false, usize::MAX).unwrap_err().to_string();
    assert!(error.contains("model: another run"), "{error}");
    assert!(!out.exists() && lock.exists(), "what the other has is left alone");

    // What a run leaves that was killed.
    drop(held);
    let outcome = task.train_and_hear(&config, &out, false, usize::MAX, |event| {
        if matches!(event, Event::Evaluated { .. }) {
            let error = task.train(&config, &out, false, usize::MAX).unwrap_err();
            assert!(matches!(error, RunError::Busy(_)), "{error}");
        }
    });
    assert!(matches!(outcome, Ok(Outcome::Done { .. })), "{outcome:?}");
    assert!(!lock.exists());
}

#[test]
fn a_run_does_not_take_another_model_for_the_one_that_it_kept() {
    let task = Task::new();
    let (config, out) = (config(LSTM, "epochs = 2"), task.out("model"));
    let mut models = Vec::new();
    let outcome = task.train_and_hear(&config, &out, false, usize::MAX, |event| {
        if let Event::Evaluated { kept, .. } = event {
            assert!(kept, "it learns");
            models.push(std::fs::read(&out).unwrap());
            // Of the same config as the second.
            std::fs::write(&out, &models[0]).unwrap();
        }
    });
    assert!(models.len() == 2 && models[0] != models[1]);
    assert!(matches!(outcome, Err(RunError::OtherModel(_))), "{outcome:?}");
}

#[test]
fn a_run_whose_model_cannot_be_written_goes_on_once_it_can_be() {
    let task = Task::new();
    let config = config(LSTM, "epochs = 3");
    let whole = task.out("whole");
    let mut evaluations = 0;
    task.train_and_hear(&config, &whole, false, usize::MAX, |event| {
        evaluations += usize::from(matches!(event, Event::Evaluated { kept: true, .. }));
    })
    .unwrap();
    assert_eq!(evaluations, 3, "each is to be written");
    for (broken_after, kept_afterwards) in [(1, 2), (2, 1)] {
        let (out, aside) = (task.out("model"), task.out("aside"));
        let mut evaluations = 0;
        let error = task.train_and_hear(&config, &out, false, usize::MAX, |event| {
            evaluations += usize::from(matches!(event, Event::Evaluated { .. }));
            if evaluations == broken_after && !aside.exists() {
                std::fs::rename(&out, &aside).unwrap();
                std::fs::create_dir(&out).unwrap();
            }
        });
        let error = error.unwrap_err().to_string();
        assert!(error.contains("cannot write ") && error.contains("`--resume`"), "{error}");
        assert!(task.out("model.state").exists());

        std::fs::remove_dir(&out).unwrap();
        std::fs::rename(&aside, &out).unwrap();
        let mut evaluations = 0;
        let outcome = task.train_and_hear(&config, &out, true, usize::MAX, |event| {
            evaluations += usize::from(matches!(event, Event::Evaluated { kept: true, .. }));
        });
        assert!(matches!(outcome, Ok(Outcome::Done { .. })), "{outcome:?}");
        assert_eq!(evaluations, kept_afterwards, "what could not be kept is evaluated again");
        assert!(std::fs::read(&whole).unwrap() == std::fs::read(&out).unwrap());
    }

    // What is lost is told: the model that was kept, or the state as well.
    let broken = |at: usize, break_it: &dyn Fn(&Path, &Path)| {
        let (out, state) = (task.out("lost"), task.out("lost.state"));
        let mut evaluations = 0;
        let result = task.train_and_hear(&config, &out, false, usize::MAX, |event| {
            evaluations += usize::from(matches!(event, Event::Evaluated { .. }));
            if matches!(event, Event::Evaluated { .. }) && evaluations == at {
                break_it(&out, &state);
            }
        });
        result.unwrap_err().to_string()
    };
    let error = broken(3, &|out, _| std::fs::remove_file(out).unwrap());
    assert!(error.contains("cannot read ") && !error.contains("`--resume`"), "{error}");
    assert!(!task.out("lost.state").exists(), "no run goes on without the model that it kept");
    let error = broken(1, &|out, state| {
        std::fs::remove_file(out).unwrap();
        for place in [out, state] {
            std::fs::create_dir(place).unwrap();
        }
    });
    assert!(error.contains("cannot write ") && error.contains("nor can the state"), "{error}");
}

#[test]
fn a_skim_model_learns_from_a_teacher() {
    let task = Task::new();
    let teacher = task.out("teacher.safetensors");
    task.train(&config(LSTM, "epochs = 8"), &teacher, false, usize::MAX).unwrap();
    let taught = |teacher: &Path| {
        let distill = format!(
            "distill = {{ teacher = {:?}, weight = 0.7, temperature = 2.0 }}",
            teacher.to_str().unwrap()
        );
        let skim = "skim = { gamma = 0.05, temperature_rate = 2e-3, rise = 100, min_rate = 0.1 }";
        config(SKIM, &format!("epochs = 12\n{skim}\n{distill}"))
    };
    let (whole, pieces) = (task.out("whole"), task.out("pieces"));
    let outcome = task.train(&taught(&teacher), &whole, false, usize::MAX).unwrap();
    let Outcome::Done { dev, .. } = outcome else { panic!("{outcome:?}") };
    assert!(dev.accuracy > 0.9 && dev.skim_rate >= 0.1, "{dev:?}");
    assert!(matches!(task.train(&taught(&teacher), &pieces, false, 40).unwrap(), Outcome::Cancelled));
    task.train(&taught(&teacher), &pieces, true, usize::MAX).unwrap();
    assert!(
        std::fs::read(&whole).unwrap() == std::fs::read(&pieces).unwrap(),
        "the teacher says the same again"
    );

    // Another model in the teacher's file, which knows no more than the first did at its start.
    task.train(&taught(&teacher), &pieces, false, 40).unwrap();
    let learned = std::fs::read(&teacher).unwrap();
    task.train(&config(LSTM, "epochs = 1"), &teacher, false, usize::MAX).unwrap();
    let error = task.train(&taught(&teacher), &pieces, true, usize::MAX).unwrap_err();
    assert!(matches!(error, RunError::OtherRun(_)), "{error}");
    std::fs::write(&teacher, learned).unwrap();
    task.train(&taught(&teacher), &pieces, true, usize::MAX).unwrap();
    assert!(std::fs::read(&whole).unwrap() == std::fs::read(&pieces).unwrap());

    let error = task.train(&taught(&task.out("nobody")), &pieces, false, 1).unwrap_err().to_string();
    assert!(error.contains("nobody"), "{error}");
    let error = task.train(&taught(&task.out("train.txt")), &pieces, false, 1).unwrap_err().to_string();
    assert!(error.contains("train.txt"), "{error}");
    let mut other = taught(&teacher);
    other.data.labels[0].name = "sad".into();
    let error = task.train(&other, &pieces, false, 1).unwrap_err().to_string();
    assert!(error.contains("sad") && error.contains("negative"), "{error}");
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_model() {
    let task = Task::new();
    let mut wild = config(LSTM, "epochs = 50");
    wild.train.learning_rate = 3e38;
    let never = task.out("never");
    let error = task.train(&wild, &never, false, usize::MAX).unwrap_err();
    assert!(matches!(error, RunError::Train(TrainError::NotFinite { .. })) && !never.exists(), "{error}");

    // What lies there of another run is not what this one has kept.
    let out = task.out("good");
    task.train(&config(LSTM, "epochs = 1"), &out, false, usize::MAX).unwrap();
    let good = std::fs::read(&out).unwrap();
    let error = task.train(&wild, &out, false, usize::MAX).unwrap_err();
    assert!(matches!(error, RunError::Train(TrainError::NotFinite { .. })), "{error}");
    assert!(good == std::fs::read(&out).unwrap());

    let late = config(LSTM, "epochs = 3\nlayers = { head = { rate = 3e38, from = 1 } }");
    let error = task.train(&late, &out, false, usize::MAX).unwrap_err();
    assert!(matches!(error, RunError::NotFinite { .. }), "{error}");
    assert!(error.to_string().contains("good"), "the message names the file kept: {error}");
    let kept = std::fs::read(&out).unwrap();
    assert!(kept != good && Model::from_bytes(&kept).is_ok());
}

#[test]
fn phrases_are_for_training_alone() {
    let task = Task::new();
    for (name, whole) in [("train", "film"), ("dev", "plot"), ("test", "cast")] {
        // Two sentences, one with three phrases that have a label.
        let trees = format!("(3 (4 good) (3 (3 fine) (2 {whole})))\n(1 dull-{name})\n");
        std::fs::write(task.out(name), trees.repeat(8)).unwrap();
    }
    let part = |path: &str| saccade_cli::config::Part {
        path: path.into(),
        format: saccade_cli::data::Format::SstTrees,
    };
    let mut trees = config(LSTM, "epochs = 1");
    trees.data.train = vec![part("train")];
    trees.data.dev = Some(part("dev"));
    trees.data.test = Some(part("test"));
    let (cancel, mut counts, out) = (AtomicBool::new(true), None, task.out("model"));
    let folders = task.folders();
    let job = Job { config: &trees, folders, out: &out, resume: false, command: "a test" };
    let outcome = pollster::block_on(train(&Device::cpu(), job, &cancel, |event| {
        if let Event::Loaded { texts, .. } = event {
            counts = Some(texts);
        }
    }));
    outcome.unwrap();
    assert_eq!(counts, Some([8 * 5, 8 * 2, 8 * 2]));

    let fails = |config: &Config| {
        let error = task.train(config, &task.out("none"), false, 1).unwrap_err().to_string();
        assert!(error.contains("train has phrases") && error.contains("data.hold_out"), "{error}");
    };
    let mut folds = trees.clone();
    (folds.data.test, folds.data.folds) = (None, 2);
    fails(&folds);
    trees.data.dev = None;
    trees.data.hold_out = 2;
    fails(&trees);
    trees.data.dev_block = true;
    fails(&trees);
}

#[test]
fn the_configs_of_shipped_models_are_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let configs: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect();
    for path in &configs {
        let valid = match AnyConfig::parse(&std::fs::read_to_string(path).unwrap()).unwrap() {
            AnyConfig::Classify(config) => config.validate(),
            AnyConfig::Predict(config) => config.validate(),
            AnyConfig::Tag(config) => config.validate(),
            AnyConfig::Parse(config) => config.validate(),
            AnyConfig::Tree(config) => config.validate(),
        };
        assert_eq!(valid, Ok(()), "{}", path.display());
    }
    assert!(configs.len() > 10, "{configs:?}");
}

#[test]
fn options_may_have_their_effect_beside_the_encoder() {
    let read = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models").join(name);
        AnyConfig::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let refused = "train.dropout_weights: ";
    let AnyConfig::Tag(mut tagger) = read("ewt-tagger.toml") else { panic!("a tagger") };
    tagger.model.encoder = vec![LayerConfig::Sru(SruConfig::new(8, 1))];
    (tagger.train.dropout_encoder, tagger.train.dropout_weights) = (0.0, 0.3);
    assert_eq!(tagger.validate(), Ok(()), "letters are spelled by an LSTM");
    (tagger.task.tag.characters, tagger.model.forget_bias) = (None, 0.0);
    assert!(tagger.validate().unwrap_err().to_string().starts_with(refused));

    let AnyConfig::Parse(mut parser) = read("ewt-parser.toml") else { panic!("a parser") };
    parser.train.dropout_encoder = 0.3;
    assert!(parser.validate().unwrap_err().to_string().starts_with("train.dropout_encoder: "));
    let layer = parser.task.parse.layers[0].clone();
    parser.task.parse.layers.push(layer);
    assert_eq!(parser.validate(), Ok(()), "a layer stands on another");

    let AnyConfig::Tree(mut trees) = read("sst-child-sum.toml") else { panic!("trees") };
    trees.train.dropout_weights = 0.3;
    assert_eq!(trees.validate(), Ok(()), "children recur");
    trees.task.tree.cell = TreeCell::Binary;
    assert!(trees.validate().unwrap_err().to_string().starts_with(refused));
}

#[test]
fn mistakes_are_named() {
    let task = Task::new();
    let out = task.out("none");
    let fails = |config: &Config, names: &str| {
        let error = task.train(config, &out, false, usize::MAX).unwrap_err().to_string();
        assert!(error.contains(names), "{error:?} does not name {names:?}");
        assert!(!out.exists());
    };
    let good = config(LSTM, "epochs = 1");
    let mut bad = good.clone();
    bad.data.train[0].path = "nowhere/train.txt".into();
    fails(&bad, "nowhere");
    let mut bad = good.clone();
    bad.data.labels.pop();
    fails(&bad, "train.txt");
    let mut bad = good.clone();
    bad.train.dropout_head = 1.0;
    fails(&bad, "train.dropout_head");
    let mut bad = good.clone();
    bad.train.init = task.out("train.txt").to_str().map(str::to_owned);
    fails(&bad, "train.txt");
    fails(&config(SKIM, "epochs = 1"), "train.skim");
    // Options that could have no effect.
    fails(&config(LSTM, "epochs = 1\ndropout_encoder = 0.1"), "train.dropout_encoder");
    let mut bad = good.clone();
    bad.model.highway_bias = -1.0;
    fails(&bad, "model.highway_bias");
    let mut bad = config(r#"{ type = "sru", hidden_size = 16, num_layers = 2 }"#, "epochs = 1");
    bad.model.forget_bias = 1.0;
    fails(&bad, "model.forget_bias");
    for bias in [f32::NAN, f32::INFINITY] {
        let mut bad = good.clone();
        bad.model.forget_bias = bias;
        fails(&bad, "model.forget_bias");
    }
    let mut bad = good.clone();
    bad.data.folds = 2;
    fails(&bad, "data.test: expected none where data.folds is given");
    (bad.data.test, bad.data.folds) = (None, 10_000);
    fails(&bad, "data.folds: ");
    let texts = std::fs::read_to_string(task.out("train.txt")).unwrap().lines().count();
    for hold_out in [texts, 900] {
        let mut bad = good.clone();
        (bad.data.dev, bad.data.hold_out) = (None, hold_out);
        fails(&bad, &format!("data.hold_out: {hold_out} of {texts} texts"));
    }
    let mut bad = good.clone();
    bad.data.dev_block = true;
    fails(&bad, "data.dev_block");
    let mut bad = good.clone();
    bad.data.spans = Some(saccade_rnn::train::Spans { min: 4, max: 8, short: 0.0 });
    bad.data.last_tokens = 9;
    fails(&bad, "data.last_tokens");
    let mut bad = good;
    bad.data.dev = None;
    fails(&bad, "development");
}
