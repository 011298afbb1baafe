//! What is measured over many texts.

use saccade_rnn::model::{Decision, LayerConfig, Storage};
use serde_json::{Value, json};

use crate::common::support::model;
use crate::common::{Folder, TEXTS};

#[test]
fn a_vocabulary_is_cut_as_often_as_its_words_allow() {
    let folder = Folder::new();
    folder.write("text", "the cat sat on the mat .\nthe dog sat on the log .\n".repeat(9).as_bytes());
    for (options, most) in
        [(&[][..], 2), (&["--coverage", "0.9"], 1), (&["--coverage", "1"], 0), (&["--words", "1"], 0)]
    {
        let found =
            folder.json(&[&["cutoffs", "text", "--hidden", "64", "--batch", "2"], options].concat(), b"");
        for part in ["training", "oneRow"] {
            let cuts = found[part]["cuts"].as_array().expect("an array");
            let tails = |cut: &Value| cut["cutoffs"].as_array().expect("an array").len();
            assert_eq!(cuts.iter().map(tails).collect::<Vec<_>>(), (0..=most).collect::<Vec<_>>(), "{found}");
        }
    }
    for (option, value) in [
        ("--div-value", "0"),
        ("--div-value", "0.5"),
        ("--div-value", "inf"),
        ("--coverage", "1.1"),
        ("--coverage", "NaN"),
        ("--hidden", "10000000000"),
        ("--batch", "18446744073709551615"),
    ] {
        let (code, message) = folder.failure(&["cutoffs", "text", option, value], b"");
        assert_eq!(code, "OPTION_INVALID", "{option} {value}: {message}");
        assert!(message.contains(option), "{message}");
    }
    for option in ["--hidden", "--batch", "--words"] {
        assert_eq!(folder.run(&["cutoffs", "text", option, "0"], b"").status.code(), Some(2), "{option}");
    }
}

#[test]
fn a_blank_line_has_no_end_to_count() {
    let folder = Folder::new();
    folder.write("text", b"a cat\n\n \na dog\n");
    let options = ["cutoffs", "text", "--lines", "--hidden", "8", "--batch", "2", "--tails", "0"];
    assert_eq!(folder.json(&options, b"")["tokens"], 6);
}

#[test]
fn text_of_which_nothing_can_be_counted_is_named() {
    let folder = Folder::new();
    folder.write("empty", b"");
    folder.write("blank", b" \n\n");
    folder.write("latin1", b"a cat\na caf\xe9\n");
    let failure = |files: &[&str]| folder.failure(&[&["cutoffs"], files].concat(), b"");
    for (files, message) in [
        (&["empty"][..], "empty: there is no word to count"),
        (&["empty", "blank", "--lines"], "empty, blank: there is no word to count"),
        (&["latin1"], "latin1:2: is not UTF-8: byte 11 of the file begins no character"),
        (&["none"], "none does not exist"),
    ] {
        assert_eq!(failure(files), ("DATA_INVALID".to_owned(), message.to_owned()));
    }
}

/// Labelled texts in the support model's words; its labels 0 and 1 are called negative and positive.
#[test]
fn eval_gives_the_figures_that_readings_add_up_to() {
    let folder = Folder::new();
    folder.write("texts", TEXTS.as_bytes());
    let eval = |more: &[&str]| {
        let arguments = ["eval", "--model", "model", "--data", "texts", "--format", "lines"];
        folder.json(&[&arguments, more].concat(), b"")
    };
    let figures = eval(&[]);
    let (mut right, mut skimmed, mut tokens) = (0, 0.0, 0);
    for line in TEXTS.lines() {
        let (label, text) = line.split_once(' ').expect("a label and a text");
        let reading = folder.read(text);
        right += usize::from((reading.label == "positive") == (label == "1"));
        skimmed += reading.skim_rate * reading.tokens.len() as f64;
        tokens += reading.tokens.len();
    }
    assert_eq!((&figures["n"], &figures["accuracy"]), (&json!(4), &json!(right as f64 / 4.0)));
    let rate = figures["skim_rate"].as_f64().expect("a number");
    assert!((rate - skimmed / tokens as f64).abs() < 1e-9, "{rate}");
    assert!(figures["tokens_per_second"].as_f64().expect("a number") > 0.0);
    assert_eq!(eval(&["--threshold", "1"])["skim_rate"], json!(0.0));
    assert_eq!(eval(&["--threshold", "0"])["skim_rate"], json!(1.0));
}

#[test]
fn eval_names_what_is_wrong() {
    let folder = Folder::new();
    folder.write("texts", b"1 a good film\nunheard-of a film\n");
    let failure = |data: &str, more: &[&str]| {
        let arguments = ["eval", "--model", "model", "--data", data, "--format", "lines"];
        folder.failure(&[&arguments, more].concat(), b"")
    };
    let (code, message) = failure("texts", &[]);
    assert_eq!(code, "DATA_INVALID");
    assert!(message.contains("unheard-of") && message.contains("texts"), "{message}");
    assert!(failure("nowhere/texts", &[]).1.contains("nowhere"));
    assert_eq!(failure("texts", &["--threshold", "NaN"]).0, "OPTION_INVALID");
}

#[test]
fn scores_that_overflow_have_no_figures() {
    let folder = Folder::new();
    folder.write("texts", TEXTS.as_bytes());
    let mut large = model(vec![LayerConfig::Gru { hidden_size: 2, bidirectional: false }]);
    let head = large.parameters().id("head.weight").expect("it has a head");
    large.parameters_mut().get_mut(head).values.fill(3e38);
    let embedding = large.parameters().id("embedding.weight").expect("it has words");
    large.parameters_mut().get_mut(embedding).values.fill(3e38);
    folder.write("large", &large.to_bytes(|_, _| Storage::F32).expect("it can be written"));
    let on = ["--model", "large", "--data", "texts", "--format", "lines"];
    assert_eq!(folder.failure(&[&["eval"], &on[..]].concat(), b"").0, "MODEL_OVERFLOW");
    let measured = ["export", "large", "--measure", "dev=texts:lines", "--out", "copy"];
    assert_eq!(folder.failure(&measured, b"").0, "MODEL_OVERFLOW");
}

#[test]
fn curve_gives_the_figures_of_eval_at_every_threshold() {
    let folder = Folder::new();
    folder.write("texts", TEXTS.as_bytes());
    let on = ["--model", "model", "--data", "texts", "--format", "lines"];
    let curve = |more: &[&str]| folder.json(&[&["curve"], &on[..], more].concat(), b"");
    let seen = curve(&["--thresholds", "0,0.6,1"]);
    assert_eq!((&seen["texts"], &seen["of"]), (&json!(4), &json!(4)));
    for (point, threshold) in seen["points"].as_array().expect("a list").iter().zip(["0", "0.6", "1"]) {
        let eval = folder.json(&[&["eval", "--threshold", threshold], &on[..]].concat(), b"");
        let expected = json!({
            "threshold": threshold.parse::<f64>().expect("a number"), "accuracy": eval["accuracy"],
            "skimRate": eval["skim_rate"], "flopReduction": eval["flop_reduction"],
        });
        assert_eq!(point, &expected);
    }
    let own = curve(&["--sample", "2"]);
    assert_eq!((&own["texts"], &own["of"]), (&json!(2), &json!(4)));
    let rates = own["points"].as_array().expect("a list").iter().map(|point| &point["skimRate"]);
    let rates: Vec<&Value> = rates.collect();
    assert_eq!((rates.first(), rates.last()), (Some(&&json!(1.0)), Some(&&json!(0.0))));
}

#[test]
fn curve_names_what_is_wrong() {
    let folder = Folder::new();
    folder.write("texts", TEXTS.as_bytes());
    let gru = LayerConfig::Gru { hidden_size: 2, bidirectional: false };
    folder.write("gru", &model(vec![gru]).to_bytes(|_, _| Storage::F32).expect("it can be written"));
    let code = |model: &str, thresholds: &str| {
        let on = ["curve", "--model", model, "--data", "texts", "--format", "lines"];
        folder.failure(&[&on[..], &["--thresholds", thresholds]].concat(), b"").0
    };
    assert_eq!(code("model", "0.5,1.5"), "OPTION_INVALID");
    assert_eq!(code("gru", "0.5"), "MODEL_NEVER_SKIMS");
}

#[test]
fn words_are_tallied_as_they_are_read() {
    let folder = Folder::new();
    folder.write("texts", b"1 a good film !\n0 a film\n1 unheard good\n0 a\n");
    let on = ["words", "--model", "model", "--data", "texts", "--format", "lines"];
    let seen = folder.json(&[&on[..], &["--min-count", "2", "--threshold", "0"]].concat(), b"");
    let tally = |word, count| json!({ "word": word, "count": count, "skimmed": count });
    let expected = json!({
        "tokens": 9, "skimRate": 1.0, "minCount": 2, "unknown": { "count": 2, "skimmed": 2 },
        "skimmed": [tally("a", 3), tally("film", 2), tally("good", 2)], "read": [],
    });
    assert_eq!(seen, expected);

    // The decisions are those of the readings of the same texts.
    let seen = folder.json(&[&on[..], &["--min-count", "1", "--threshold", "0.5"]].concat(), b"");
    let mut skimmed = 0;
    for text in ["a good film !", "a film", "unheard good", "a"] {
        skimmed +=
            folder.read(text).tokens.iter().filter(|t| t.text == "a" && t.decision == Decision::Skim).count();
    }
    let lists = ["skimmed", "read"].map(|list| seen[list].as_array().expect("a list").clone()).concat();
    let a = lists.iter().find(|word| word["word"] == "a").expect("it is listed");
    assert_eq!((&a["count"], &a["skimmed"]), (&json!(3), &json!(skimmed)));
    let top = folder.json(&[&on[..], &["--min-count", "1", "--threshold", "0", "--top", "1"]].concat(), b"");
    assert_eq!(top["skimmed"], json!([tally("a", 3)]));
}

#[test]
fn eyes_hold_people_beside_the_network() {
    let folder = Folder::new();
    folder.write("texts", TEXTS.as_bytes());
    let table = "sst_split\tword_index\tword\tfix_prob\n\
        test\t0\tA\t0.25\ntest\t1\tgood\t0.5\ntest\t2\tfilm.\t1\n\
        dev\t0\tOther\t1\n\
        test\t0\tFilm\t0.75\ntest\t1\t--\t0\ntest\t2\ta\t0\n";
    folder.write("fixations", table.as_bytes());
    let on = ["eyes", "--model", "model", "--fixations", "fixations", "--frequency", "texts:lines"];
    let eyes = |more: &[&str]| folder.json(&[&on[..], more].concat(), b"");
    let seen = eyes(&["--threshold", "1"]);
    let counts = ["sentences", "words", "readers"].map(|key| &seen[key]);
    assert_eq!(counts, [&json!(2), &json!(5), &json!(4)]);
    assert_eq!(
        seen["byDecision"],
        json!({ "read": { "words": 5, "lookedAt": 0.5 }, "skim": { "words": 0, "lookedAt": 0.0 } })
    );
    let group = |key: &str, value: Value, words, looked_at| json!({ key: value, "words": words, "lookedAt": looked_at, "read": 1.0 });
    let classes = [("content", 3, 0.75), ("determiner", 2, 0.125)];
    assert_eq!(
        seen["byClass"],
        json!(classes.map(|(class, n, share)| group("class", json!(class), n, share)))
    );
    assert_eq!(
        seen["byLength"],
        json!([(1, 2, 0.125), (4, 3, 0.75)].map(|(l, n, share)| group("length", json!(l), n, share)))
    );
    // Ranks looked at 2, 3, 5, 4, 1; by length 1.5, 4, 4, 4, 1.5.
    let length = seen["baselines"]["length"].as_f64().expect("a number");
    assert!((length - 7.5 / 75.0_f64.sqrt()).abs() < 1e-9, "{length}");
    for key in ["correlation", "partial"] {
        let [value, low, high] = [&seen[key], &seen[format!("{key}Ci")][0], &seen[format!("{key}Ci")][1]]
            .map(|v| v.as_f64().expect("a number"));
        assert!((-1.0..=1.0).contains(&value) && low <= high, "{key}: {value} {low} {high}");
    }
    assert_eq!(seen, eyes(&["--threshold", "1"]), "the same seed gives the same intervals");
    assert_eq!(eyes(&["--threshold", "0"])["byDecision"]["skim"]["words"], json!(5));
    assert_eq!(eyes(&["--split", "dev"])["words"], json!(1));
    assert!(folder.failure(&[&on[..], &["--split", "train"]].concat(), b"").1.contains("\"train\""));

    // Of a treebank a word counts once, in however many phrases it stands.
    folder.write("trees", b"(3 (2 a) (3 (3 good) (2 film)))\n(1 (2 a) (1 (1 dull) (2 film)))\n");
    folder.write("texts", b"1 a good film\n0 a dull film\n");
    let trees = on.map(|argument| if argument == "texts:lines" { "trees:sst-trees" } else { argument });
    assert_eq!(folder.json(&trees, b""), eyes(&[]));
}
