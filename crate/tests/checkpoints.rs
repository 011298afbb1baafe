//! Checkpoints that people really bring open, or the error says what was met.
//!
//! `fixtures/checkpoints` holds files as PyTorch's users write them: one layer each, anywhere in a module, and what PyTorch
//! computes with it.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use saccade_rnn::device::Device;
use saccade_rnn::model::{Computed, FileSummary, Model, ModelError, SequenceLayer, Sequences, StoredLayer};
use safetensors::SafeTensors;

mod support;
use support::file;

fn fixture(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)).unwrap()
}

fn all(family: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(family);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "safetensors"));
    paths.sort();
    paths
}

fn stored(kind: &str) -> StoredLayer {
    serde_json::from_str(&format!(r#"{{"type":"{kind}"}}"#)).unwrap()
}

fn opened(bytes: &[u8], prefix: &str, kind: &str) -> Result<SequenceLayer, ModelError> {
    SequenceLayer::from_bytes(bytes, prefix, &stored(kind))
}

fn words(bytes: &[u8], name: &str) -> Option<Vec<[u8; 4]>> {
    let tensors = SafeTensors::deserialize(bytes).unwrap();
    Some(tensors.tensor(name).ok()?.data().as_chunks::<4>().0.to_vec())
}

fn reals(bytes: &[u8], name: &str) -> Option<Vec<f32>> {
    Some(words(bytes, name)?.into_iter().map(f32::from_le_bytes).collect())
}

/// Runs a fixture's sequences.
fn run(layer: &SequenceLayer, bytes: &[u8]) -> Computed {
    let lengths = words(bytes, "input.lengths").unwrap().into_iter().map(|n| u32::from_le_bytes(n) as usize);
    let state = ["input.h0", "input.c0"].iter().filter_map(|name| reals(bytes, name)).flatten().collect();
    let given = Sequences { lengths: lengths.collect(), state, ..Sequences::default() };
    pollster::block_on(layer.forward(&Device::cpu(), reals(bytes, "input.x").unwrap(), &given)).unwrap()
}

/// Outputs and states are PyTorch's within 1e-5.
#[track_caller]
fn agrees(what: &str, layer: &SequenceLayer, bytes: &[u8]) {
    let Computed { output, state, .. } = run(layer, bytes);
    let states = ["output.h_n", "output.c_n"].iter().filter_map(|name| reals(bytes, name)).flatten();
    for (ours, theirs) in [(output, reals(bytes, "output.y").unwrap()), (state, states.collect())] {
        assert_eq!(ours.len(), theirs.len(), "{what}");
        let most = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(most <= 1e-5, "{what}: {most}");
    }
}

#[test]
fn whatever_pytorch_makes_of_a_layer_is_found_by_itself_and_computes_the_same() {
    let files = all("checkpoints");
    assert_eq!(files.len(), 16);
    for path in files {
        let (bytes, name) = (fs::read(&path).unwrap(), path.file_stem().unwrap().to_string_lossy());
        let kind = name.split('_').next().unwrap();
        let layer = opened(&bytes, "", kind).unwrap_or_else(|error| panic!("{name}: {error}"));
        agrees(&name, &layer, &bytes);
        // Another kind is no such layer, and the message says what there is.
        let other = if kind == "gru" { "lstm" } else { "gru" };
        let error = opened(&bytes, "", other).unwrap_err();
        let (class, found) = (error.code(), kind[..1].to_uppercase() + &kind[1..]);
        assert_eq!(class, "MODEL_TENSORS", "{name}: {error}");
        assert!(
            error.to_string().contains(&format!("the file has {found} with the prefix")),
            "{name}: {error}"
        );
    }
}

#[test]
fn a_projected_lstm_has_pytorchs_states() {
    let files: Vec<_> =
        all("lstm").into_iter().filter(|path| path.to_string_lossy().contains("proj_")).collect();
    assert_eq!(files.len(), 9);
    for path in files {
        let bytes = fs::read(&path).unwrap();
        let layer = opened(&bytes, "param.", "lstm").unwrap();
        agrees(&path.to_string_lossy(), &layer, &bytes);
        let columns: Vec<usize> = layer.state_columns().collect();
        let (h, c) = (columns[0], columns[1]);
        assert!(h < c && layer.output_size().is_multiple_of(h), "{columns:?}");
        // Sequences without rows keep their state, and change nothing for those beside them.
        let cells = |x: &[f32]| x.len() / (h + c);
        let state: Vec<f32> =
            (0..).map(|i| i as f32 / 100.0).take(cells(&run(&layer, &bytes).state) / 3 * (h + c)).collect();
        let empty = Sequences { lengths: vec![0], state: state.clone(), ..Sequences::default() };
        let computed = pollster::block_on(layer.forward(&Device::cpu(), Vec::new(), &empty)).unwrap();
        assert_eq!((computed.state, computed.output.len()), (state, 0));
    }
}

#[test]
fn sizes_that_are_given_are_held_against_the_file() {
    let bytes = fixture("lstm/2l_bi.safetensors");
    let open = |given: &str| {
        let stored = serde_json::from_str(&format!(r#"{{"type":"lstm",{given}}}"#)).unwrap();
        SequenceLayer::from_bytes(&bytes, "param.", &stored)
    };
    let all = r#""inputSize":5,"hiddenSize":4,"numLayers":2,"bidirectional":true,"bias":true,"projSize":0"#;
    agrees("all given", &open(all).unwrap(), &bytes);
    for (given, message) in [
        (r#""numLayers":1"#, r#"unexpected: "param.bias_hh_l1" [16]"#),
        (r#""numLayers":3"#, r#"missing: "param.weight_ih_l2" [16, 8]"#),
        (r#""bidirectional":false"#, r#"unexpected: "param.bias_hh_l0_reverse" [16]"#),
        (r#""bias":false"#, r#"unexpected: "param.bias_hh_l0" [16]"#),
        (r#""inputSize":6"#, r#"of another shape: "param.weight_ih_l0" [16, 5] instead of [16, 6]"#),
        (r#""hiddenSize":5"#, r#""param.weight_hh_l0" [16, 4] instead of [20, 5]"#),
        (r#""projSize":2"#, r#"missing: "param.weight_hr_l0" [2, 4]"#),
        (r#""nonlinearity":"relu""#, "`nonlinearity`"),
    ] {
        let error = open(given).unwrap_err();
        assert!(error.to_string().contains(message), "{given}: {error}");
    }
}

#[test]
fn shared_tensors_of_save_model_resolve() {
    let bytes = fixture("safetensors/tied.safetensors");
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let shared = [("encoder.weight_hh_l0".to_owned(), "decoder.weight_hh_l0".to_owned())];
    assert_eq!(header.metadata(), &Some(shared.into()), "as safetensors.torch writes it");
    let mut encoder = opened(&bytes, "encoder.", "lstm").unwrap();
    let weights: Vec<_> =
        encoder.parameters_mut().iter().map(|(_, p)| (p.name.clone(), p.values.clone())).collect();
    for (name, values) in weights {
        let whole =
            if name == "weight_hh_l0" { format!("decoder.{name}") } else { format!("encoder.{name}") };
        assert_eq!(values, reals(&bytes, &whole).unwrap(), "{name}");
    }
    // Both are LSTMs, so that one must be named.
    let error = opened(&bytes, "", "lstm").unwrap_err().to_string();
    assert!(error.contains(r#"Lstm with the prefix "decoder.", Lstm with the prefix "encoder.""#), "{error}");
}

#[test]
fn tensors_of_any_dtype_are_listed() {
    let bytes = fixture("checkpoints/lstm_neighbours.safetensors");
    let summary = FileSummary::from_bytes(&bytes).unwrap();
    let dtypes: BTreeMap<_, _> = summary
        .tensors
        .iter()
        .filter_map(|tensor| Some((tensor.name.strip_prefix("param.")?, tensor.dtype.as_str())))
        .filter(|(name, _)| !name.contains("bias") && !name.contains("running"))
        .collect();
    let expected = [
        ("bytes", "U8"),
        ("codes", "I8"),
        ("complex", "C64"),
        ("deep", "F32"),
        ("empty", "F32"),
        ("encoder.weight_hh_l0", "F64"),
        ("encoder.weight_ih_l0", "F64"),
        ("flags", "BOOL"),
        ("float8", "F8_E4M3"),
        ("mask", "F32"),
        ("norm.num_batches_tracked", "I64"),
        ("norm.weight", "F32"),
        ("scalar", "F32"),
        ("short", "I16"),
    ];
    assert_eq!(dtypes, expected.into());
    let of =
        |name: &str| summary.tensors.iter().find(|tensor| tensor.name == format!("param.{name}")).unwrap();
    assert_eq!((of("deep").shape.len(), of("scalar").mean, of("empty").mean), (9, Some(2.5), None));
    assert_eq!((of("mask").min, of("mask").max), (Some(f32::NEG_INFINITY), Some(0.0)));
    assert_eq!((of("norm.num_batches_tracked").bytes, of("flags").max), (8, None));
    assert_eq!(summary.layers, [r#"Lstm with the prefix "param.encoder.""#]);
    assert_eq!((summary.config, summary.problem), (None, None));
}

/// A file of zeros: name, dtype, shape, bytes.
fn zeros(tensors: &[(&str, &str, &str, usize)]) -> Vec<u8> {
    let mut end = 0;
    let entries: Vec<String> = tensors
        .iter()
        .map(|&(name, dtype, shape, bytes)| {
            let begin = end;
            end += bytes;
            format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{begin},{end}]}}"#)
        })
        .collect();
    file(&format!("{{{}}}", entries.join(",")), &vec![0; end])
}

#[test]
fn a_dtype_of_tomorrow_stands_in_nobodys_way() {
    let layer = [
        ("e.weight_ih_l0", "F32", "[4,1]", 16),
        ("e.weight_hh_l0", "BF16", "[4,1]", 8),
        ("next", "Q7_X", "[3,5]", 11),
    ];
    let bytes = zeros(&layer);
    assert_eq!(opened(&bytes, "", "lstm").unwrap().input_size(), 1);
    let tensors = FileSummary::from_bytes(&bytes).unwrap().tensors;
    assert_eq!((tensors[2].dtype.as_str(), tensors[2].bytes, tensors[2].mean), ("Q7_X", 11, None));
    // Inside the layer it is refused, with what to do.
    let inside = [("e.weight_ih_l0", "F32", "[4,1]", 16), ("e.weight_hh_l0", "F8_E5M2", "[4,1]", 4)];
    let error = opened(&zeros(&inside), "", "lstm").unwrap_err();
    assert_eq!(error.code(), "MODEL_UNSUPPORTED");
    assert!(error.to_string().contains("\"e.weight_hh_l0\" has dtype \"F8_E5M2\""), "{error}");
    assert!(error.to_string().contains("by `.float()`"), "{error}");
}

#[test]
fn white_space_around_the_header_is_what_the_reference_accepts() {
    let plain = fixture("safetensors/state_dict.safetensors");
    let length = u64::from_le_bytes(*plain.first_chunk().unwrap()) as usize;
    let (header, data) = (str::from_utf8(&plain[8..8 + length]).unwrap().trim_end(), &plain[8 + length..]);
    for space in [" ", "\n", "\t\r\n  ", &" ".repeat(4_096)] {
        for padded in
            [format!("{space}{header}"), format!("{header}{space}"), format!("{space}{header}{space}")]
        {
            let bytes = file(&padded, data);
            SafeTensors::deserialize(&bytes).expect("the reference reads it");
            assert_eq!(opened(&bytes, "", "lstm").unwrap().output_size(), 1);
        }
    }
    // What is no white space in JSON is none.
    for space in ["\u{c}", "\u{feff}", "\u{a0}"] {
        let bytes = file(&format!("{space}{header}"), data);
        assert!(SafeTensors::deserialize(&bytes).is_err() && opened(&bytes, "", "lstm").is_err());
    }
}

#[test]
fn an_sru_takes_its_scale_from_the_file() {
    let mut rescaled = 0;
    for path in all("sru") {
        let bytes = fs::read(&path).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let case: serde_json::Value =
            serde_json::from_str(&header.metadata().as_ref().unwrap()["case"]).unwrap();
        let names = [
            ("bidirectional", "bidirectional"),
            ("v1", "v1"),
            ("has_skip_term", "hasSkipTerm"),
            ("use_tanh", "useTanh"),
            ("normalize_after", "normalizeAfter"),
        ];
        let mut given: serde_json::Map<_, _> =
            names.iter().map(|(theirs, ours)| (ours.to_string(), case[theirs].clone())).collect();
        given.insert("type".into(), "sru".into());
        let open = |given| {
            SequenceLayer::from_bytes(&bytes, "param.", &serde_json::from_value(given).unwrap()).unwrap()
        };
        let layer = open(serde_json::Value::Object(given.clone()));
        agrees(&path.to_string_lossy(), &layer, &bytes);
        rescaled += usize::from(case["rescale"] == true);
        // Given, it is as the package has it: the stored scale counts only with `rescale`.
        given.insert("rescale".into(), case["rescale"].clone());
        agrees(&path.to_string_lossy(), &open(serde_json::Value::Object(given)), &bytes);
    }
    assert!(rescaled >= 8, "{rescaled}");
}

#[test]
fn a_bare_state_dict_points_to_the_layer_that_it_looks_like() {
    let refused = |bytes: &[u8]| {
        let error = Model::from_bytes(bytes).unwrap_err();
        assert_eq!(error.code(), "MODEL_CONFIG", "{error}");
        error.to_string()
    };
    for (path, found) in [
        ("safetensors/state_dict.safetensors", r#"Lstm with the prefix """#),
        // Its other tensors have dtypes that no model has.
        ("checkpoints/lstm_neighbours.safetensors", r#"Lstm with the prefix "param.encoder.""#),
        ("checkpoints/gru_cell_within.safetensors", r#"Gru with the prefix "param.encoder.""#),
        ("sru/v2_2l.safetensors", r#"Sru with the prefix "param.""#),
        ("skim/gru_d0_hard.safetensors", r#"Skim with the prefix "param.""#),
    ] {
        let message = refused(&fixture(path));
        assert!(message.contains(found) && message.contains("open a layer by its kind"), "{message}");
    }
    let message = refused(&zeros(&[("conv.weight", "F32", "[1]", 4), ("steps", "I64", "[]", 8)]));
    assert!(message.ends_with(r#""conv.weight", "steps": no layer that is known here"#), "{message}");
}

#[test]
fn a_model_within_another_module_says_which_prefix() {
    let mut checkpoint = support::checkpoint();
    checkpoint.tensors = checkpoint
        .tensors
        .into_iter()
        .map(|(name, tensor)| (format!("module.reader.{name}"), tensor))
        .collect();
    let bytes = checkpoint.to_bytes(|_, _| saccade_rnn::model::Storage::F32).unwrap();
    let error = Model::from_bytes(&bytes).unwrap_err();
    assert_eq!(error.code(), "MODEL_TENSORS");
    assert!(error.to_string().contains(r#"begin with "module.reader.": store them without it"#), "{error}");
}
