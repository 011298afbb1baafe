//! A model's config: how it is spelled, what comes back, what is wrong and how that is named.

use std::collections::BTreeMap;

use saccade_rnn::model::{Config, FORMAT, LayerConfig, ModelError, SmallReads, SruConfig, open};
use saccade_rnn::text::TokenizerKind;

mod support;
use support::{checkpoint, compact, config, parser, tagger, tree_classifier};

#[test]
fn configs_come_back() {
    let json = config().to_json().expect("valid");
    assert_eq!(Config::from_json(&json), Ok(config()));
    let (opened, _) = open(&checkpoint().to_bytes(compact).expect("valid")).expect("valid");
    assert_eq!(opened, config());
}

const LAYERS: &str = r#"[
    {"bidirectional": true, "hidden_size": 2, "nonlinearity": "tanh", "type": "elman"},
    {"type": "sru", "hidden_size": 2, "num_layers": 1},
    {"type": "skim", "cell": "gru", "hidden_size": 4, "small_size": 0, "small_reads": "all"}
]"#;

/// The spelling is a contract: files outlive versions.
#[test]
fn a_config_as_it_is_spelled() {
    let json = format!(
        r#"{{
            "format": 2, "task": {{"classify": {{"labels": ["no", "yes"], "pool": "max"}}}},
            "tokenizer": {{"kind": "spaces", "lowercase": false}},
            "vocabulary": ["<unk>", "film"], "embedding_size": 4, "encoder": {LAYERS}
        }}"#
    );
    let read = Config::from_json(&json).expect("valid");
    assert_eq!(
        (read.task.name(), read.task.labels()),
        ("classify", &["no".to_owned(), "yes".to_owned()][..])
    );
    assert_eq!(read.tokenizer.kind(), TokenizerKind::Spaces);
    assert_eq!(read.threshold, None);
    let LayerConfig::Sru(SruConfig { has_skip_term, rescale, v1, projection_size, .. }) = read.encoder[1]
    else {
        panic!("the second layer is an SRU");
    };
    assert_eq!((has_skip_term, rescale, v1, projection_size), (true, false, false, 0));
    assert!(matches!(read.encoder[2], LayerConfig::Skim { small_size: 0, small_reads: SmallReads::All, .. }));
    assert_eq!(read.encoder[0].output_size(), 4);
    // Embedding 2×4; Elman 2·2·(4 + 2); SRU 4×2 with k = 4; GRU cell 3·4·(2 + 4), no small cell, decision 2·(2 + 4);
    // head 2×4.
    assert_eq!(read.least_parameters(), 8 + 24 + 32 + (72 + 12) + 8);
}

#[test]
fn a_config_of_the_first_format_is_read_as_one_of_todays() {
    let json = format!(
        r#"{{
            "format": 1, "task": "classify", "tokenizer": {{"kind": "spaces", "lowercase": false}},
            "vocabulary": ["<unk>", "film"], "labels": ["no", "yes"], "data_labels": ["0", "1"],
            "embedding_size": 4, "encoder": {LAYERS}, "pool": "max", "threshold": 0.25,
            "training": {{"seed": 7}}
        }}"#
    );
    let read = Config::from_json(&json).expect("valid");
    assert_eq!((read.format, read.threshold, read.training.seed), (FORMAT, Some(0.25), Some(7)));
    assert_eq!(read.task.labels(), ["no", "yes"]);
    assert_eq!(read.task.data_labels(), ["0", "1"]);
    assert_eq!(Config::from_json(&read.to_json().expect("valid")), Ok(read));
    for (from, to, message) in [
        (r#""pool": "max""#, r#""pool": "min""#, "unknown variant `min`"),
        (r#""labels": ["no", "yes"]"#, r#""labels": []"#, "`labels`: expected at least one label"),
        (r#""task": "classify""#, r#""task": "tag""#, "unknown variant `tag`"),
        (r#""threshold""#, r#""treshold""#, "unknown field `treshold`"),
    ] {
        let error = Config::from_json(&json.replacen(from, to, 1)).expect_err(message);
        assert!(error.to_string().contains(message), "{error}\ndoes not say: {message}");
    }
}

#[test]
fn configs_that_are_wrong() {
    let good = config().to_json().expect("valid");
    let refused = |json: &str, code: &str, message: &str| {
        let error = Config::from_json(json).expect_err(message);
        assert!(error.to_string().contains(message), "{error}\ndoes not say: {message}");
        assert_eq!(error.code(), code);
    };
    let edited = |from: &str, to: &str, message: &str| {
        let json = good.replacen(from, to, 1);
        assert_ne!(json, good, "{from} is in the config");
        refused(&json, "MODEL_CONFIG", message);
    };
    refused("", "MODEL_CONFIG", "EOF");
    refused("null", "MODEL_CONFIG", "invalid type: null");
    refused(
        r#"{"format":3,"future":true}"#,
        "MODEL_UNSUPPORTED",
        "has format 3; this version reads formats up to 2",
    );
    edited(r#""format":2"#, r#""format":"2""#, "expected u32");
    edited(r#""format":2,"#, r#""format":2,"extra":0,"#, "unknown field `extra`");
    edited(r#""classify":"#, r#""compose":"#, "unknown variant `compose`, expected one of `classify`");
    edited(r#""kind":"treebank""#, r#""kind":"words""#, "unknown variant `words`");
    edited(r#""lowercase":true"#, r#""lowercase":true,"x":1"#, "unknown field `x`");
    edited(r#""pool":"last""#, r#""pool":"first""#, "unknown variant `first`");
    edited(r#""type":"lstm""#, r#""type":"qrnn""#, "encoder: unknown variant `qrnn`");
    edited(r#""type":"lstm","#, "", "encoder: missing field `type`");
    edited(r#""type":"lstm","#, r#""type":"lstm","small_size":1,"#, "encoder: unknown field `small_size`");
    edited(r#""v1":false"#, r#""v3":false"#, "encoder: unknown field `v3`");
    edited(r#""hidden_size":2"#, r#""hidden_size":-2"#, "encoder: invalid value");
    edited(
        r#""hidden_size":2"#,
        r#""hidden_size":0"#,
        "`encoder[0].hidden_size`: expected 1 to 65536, found 0",
    );
    edited(
        r#""hidden_size":3"#,
        r#""hidden_size":65537"#,
        "`encoder[2].hidden_size`: expected 1 to 65536, found 65537",
    );
    edited(r#""num_layers":2"#, r#""num_layers":0"#, "`encoder[3].num_layers`: expected 1 to 32, found 0");
    edited(r#""projection_size":2"#, r#""projection_size":70000"#, "`encoder[3].projection_size`");
    edited(
        r#""layer_norm":true,"normalize_after":false"#,
        r#""layer_norm":false,"normalize_after":true"#,
        "`encoder[3].normalize_after`: expected false without layer_norm, found true",
    );
    edited(r#""small_size":1"#, r#""small_size":4"#, "`encoder[4].small_size`: expected 0 to 3, found 4");
    edited(
        r#""embedding_size":3"#,
        r#""embedding_size":0"#,
        "`embedding_size`: expected 1 to 65536, found 0",
    );
    edited(r#""<unk>","#, "", "`vocabulary[0]`: expected <unk>, found \"a\"");
    edited(
        r#""film""#,
        r#""a""#,
        "`vocabulary[3]`: expected a text of its own, found \"a\", which is also at [1]",
    );
    edited(r#""film""#, r#""""#, "`vocabulary[3]`: expected a text, found an empty one");
    edited(r#""positive""#, r#""negative""#, "`labels[1]`: expected a text of its own");
    edited(r#"["negative","positive"]"#, "[]", "`labels`: expected at least one label, found none");
    edited(r#""threshold":0.5"#, r#""threshold":1.5"#, "`threshold`: expected 0 to 1, found 1.5");
    edited(r#""threshold":0.5"#, r#""threshold":1e999"#, "number out of range");
    edited(r#""seed":18446744073709551615"#, r#""seed":18446744073709551616"#, "invalid type");

    let changed = |change: fn(&mut Config), message: &str| {
        let mut config = config();
        change(&mut config);
        let error = config.to_json().expect_err(message);
        assert!(error.to_string().contains(message), "{error}\ndoes not say: {message}");
    };
    changed(|config| config.format = 0, "format 0");
    changed(|config| config.vocabulary.clear(), "`vocabulary`: expected at least one word");
    changed(|config| config.encoder.clear(), "number of layers in encoder`: expected 1 to 32, found 0");
    changed(|config| config.encoder = vec![config.encoder[0].clone(); 33], "expected 1 to 32, found 33");
    changed(|config| config.encoder.truncate(4), "`threshold`: expected none: no layer skims, found one");
    changed(|config| config.threshold = Some(f32::NAN), "`threshold`: expected 0 to 1, found NaN");
    changed(
        |config| config.training.figures = BTreeMap::from([("loss".into(), f64::NAN)]),
        "`training.figures.loss`: expected a finite number, found NaN",
    );
}

#[test]
fn a_taggers_config() {
    let good = tagger(true).config().to_json().expect("valid");
    let read = Config::from_json(&good).expect("valid");
    assert_eq!((read.task.name(), read.task.labels()[2].as_str()), ("tag", "NOUN"));
    // Words 7x3; letters 6x2, their LSTM 2·4·3(2 + 3); LSTM 2·4·4((3 + 6) + 4); tags 3x8.
    assert_eq!(read.least_parameters(), 21 + (12 + 120) + 416 + 24);
    let refused = |from: &str, to: &str, message: &str| {
        let json = good.replacen(from, to, 1);
        assert_ne!(json, good, "{from} is in the config");
        let error = Config::from_json(&json).expect_err(message);
        assert!(error.to_string().contains(message), "{error}\ndoes not say: {message}");
        assert_eq!(error.code(), "MODEL_CONFIG");
    };
    refused(r#""ADJ""#, r#""DET""#, "`labels[1]`: expected a text of its own");
    refused(r#"["DET","ADJ","NOUN"]"#, "[]", "`labels`: expected at least one label");
    refused(
        r#""universal""#,
        r#""treebank""#,
        "`tokenizer.kind`: expected universal, spaces or characters, to tag",
    );
    refused(r#""lowercase":true"#, r#""lowercase":true,"ends":"line""#, "`tokenizer.ends`: expected none");
    refused(r#"["<unk>","a","o""#, r#"["a","o""#, "`alphabet[0]`: expected <unk>, found \"a\"");
    refused(r#"["<unk>","a","o""#, r#"["<unk>","a","a""#, "`alphabet[2]`: expected a text of its own");
    refused(r#""embedding_size":2"#, r#""embedding_size":0"#, "`characters.embedding_size`: expected 1 to");
    refused(r#""hidden_size":3"#, r#""hidden_size":65537"#, "`characters.hidden_size`: expected 1 to");
    refused(r#""hidden_size":3"#, r#""hidden_size":3,"more":1"#, "unknown field `more`");
    let crf = good.replacen(r#""hidden_size":3}"#, r#""hidden_size":3},"crf":true"#, 1);
    let crf = Config::from_json(&crf).expect("valid");
    assert_eq!(crf.least_parameters(), read.least_parameters() + 9, "transitions 3x3");
    assert_ne!(crf.to_json().expect("valid"), good);
}

#[test]
fn a_parsers_config() {
    let good = parser().config().to_json().expect("valid");
    let read = Config::from_json(&good).expect("valid");
    assert_eq!((read.task.name(), read.task.labels().len(), read.task.relations().len()), ("parse", 3, 2));
    // What a tagger has but for its tags, 3x8; their vectors 2x3; LSTM 2·4·3((8 + 2) + 3); two rows of 6; four places 5x6;
    // one transition and two for each relation, 5x5.
    assert_eq!(read.least_parameters(), 21 + (12 + 120) + 416 + 24 + 6 + 312 + 12 + 120 + 25);
    let refused = |from: &str, to: &str, message: &str| {
        let json = good.replacen(from, to, 1);
        assert_ne!(json, good, "{from} is in the config");
        let error = Config::from_json(&json).expect_err(message);
        assert!(error.to_string().contains(message), "{error}\ndoes not say: {message}");
        assert_eq!(error.code(), "MODEL_CONFIG");
    };
    refused(r#""hidden_size":3}"#, r#""hidden_size":3},"crf":true"#, "`tag.crf`: expected false");
    refused(r#""ADJ""#, r#""DET""#, "`labels[1]`: expected a text of its own");
    refused(r#""amod""#, r#""det""#, "`relations[1]`: expected a text of its own");
    refused(r#"["det","amod"]"#, "[]", "`relations`: expected at least one relation");
    refused(r#""tag_size":2"#, r#""tag_size":0"#, "`tag_size`: expected 1 to");
    refused(r#""hidden_size":5"#, r#""hidden_size":65537"#, "`hidden_size`: expected 1 to");
    refused(r#""layers":[{"#, r#""layers":[],"encoder":[{"#, "unknown field `encoder`");
    let skim =
        r#""layers":[{"type":"skim","cell":"lstm","hidden_size":3,"small_size":1,"small_reads":"slice"},{"#;
    refused(r#""layers":[{"#, skim, "`layers`: expected those that read every word, to parse");
    refused(
        r#""layers":[{"type":"lstm""#,
        r#""layers":[{"type":"qrnn""#,
        "malformed: layers: unknown variant `qrnn`, expected one of `elman`",
    );
    refused(r#""hidden_size":5"#, r#""hidden_size":5,"more":1"#, "unknown field `more`");
}

#[test]
fn a_tree_classifiers_config() {
    let good = tree_classifier(false).config().to_json().expect("valid");
    let read = Config::from_json(&good).expect("valid");
    assert_eq!(
        (read.task.name(), read.task.labels(), read.task.data_labels()),
        ("tree", &["negative", "positive"].map(String::from)[..], &["0", "1"].map(String::from)[..])
    );
    // Words 7x3; leaves 3·3x3, others 5·3x6; labels 2x3.
    assert_eq!(read.least_parameters(), 21 + (27 + 90) + 6);
    let sums = Config::from_json(&good.replacen("binary", "child-sum", 1)).expect("valid");
    assert_eq!(sums.least_parameters(), 21 + (36 + 36) + 6, "words 4·3x3, children 4·3x3");
    let refused = |from: &str, to: &str, message: &str| {
        let json = good.replacen(from, to, 1);
        assert_ne!(json, good, "{from} is in the config");
        let error = Config::from_json(&json).expect_err(message);
        assert!(error.to_string().contains(message), "{error}\ndoes not say: {message}");
        assert_eq!(error.code(), "MODEL_CONFIG");
    };
    refused(r#"["negative","positive"]"#, "[]", "`labels`: expected at least one label");
    refused(r#"["0","1"]"#, r#"["0"]"#, "`the number of data_labels`: expected 2, found 1");
    refused(r#""positive""#, r#""negative""#, "`labels[1]`: expected a text of its own");
    refused(r#""binary""#, r#""unary""#, "unknown variant `unary`");
    refused(r#""hidden_size":3"#, r#""hidden_size":0"#, "`hidden_size`: expected 1 to");
    refused(r#""hidden_size":3"#, r#""hidden_size":3,"more":1"#, "unknown field `more`");
    refused(r#""lowercase":true"#, r#""lowercase":true,"ends":"line""#, "`tokenizer.ends`: expected none");
    let skims = r#"[{"type":"skim","cell":"lstm","hidden_size":4,"small_size":1,"small_reads":"slice"}]"#;
    refused(
        r#""encoder":[]"#,
        &format!(r#""encoder":{skims}"#),
        "`encoder`: expected layers that read every word",
    );
    let classifier = config().to_json().expect("valid");
    let (start, end) =
        (classifier.find(r#""encoder":["#).unwrap(), classifier.find(r#""threshold""#).unwrap());
    let without = format!(r#"{}"encoder":[],{}"#, &classifier[..start], &classifier[end..]);
    let error = Config::from_json(&without).expect_err("another task has a layer").to_string();
    assert!(error.contains("the number of layers in encoder"), "{error}");
}

#[test]
fn a_config_larger_than_its_file() {
    let mut model = checkpoint();
    model.tensors.retain(|name, _| name == "head.bias");
    let bytes = model.to_bytes(compact).expect("valid");
    let needed = config().least_parameters();
    assert_eq!(open(&bytes), Err(ModelError::TooFewParameters { needed, held: 2 }));
}
