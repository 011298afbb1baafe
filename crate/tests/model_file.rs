//! Model files: what is written comes back, what others write is read, what is wrong is named.

use std::collections::BTreeMap;
use std::collections::HashMap;

use proptest::prelude::*;
use saccade_rnn::model::{CONFIG_KEY, Checkpoint, ModelError, Storage, Tensor, open};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

mod support;
use support::{checkpoint, compact, file};

fn tensor(shape: &[usize], values: &[f32]) -> Tensor {
    Tensor::new("test", shape.to_vec(), values.to_vec()).expect("the lengths agree")
}

fn single(tensor: Tensor) -> Checkpoint {
    Checkpoint { tensors: BTreeMap::from([("w".to_owned(), tensor)]), metadata: BTreeMap::new() }
}

/// Writes one tensor and reads it back.
fn round_trip(tensor: &Tensor, storage: Storage) -> Tensor {
    let bytes = single(tensor.clone()).to_bytes(|_, _| storage).expect("the tensor fits its storage");
    let mut read = Checkpoint::from_bytes(&bytes).expect("what was written can be read");
    let tensor = read.take("w", &tensor.shape).expect("under its name, in its shape");
    assert_eq!(read.finish(), Ok(()));
    tensor
}

/// A matrix whose values lie within ±`largest`, some of them zero, and whose rows differ in magnitude.
fn matrix(largest: f32) -> impl Strategy<Value = Tensor> {
    let value = prop_oneof![4 => -1.0..=1.0_f32, 1 => Just(0.0)];
    (0..6_usize, 1..9_usize)
        .prop_flat_map(move |(rows, columns)| {
            (
                prop::collection::vec(value.clone(), rows * columns),
                prop::collection::vec(-40..=0_i32, rows),
                Just(columns),
            )
        })
        .prop_map(move |(values, exponents, columns)| {
            let scaled = values.chunks_exact(columns).zip(&exponents);
            let values: Vec<f32> =
                scaled.flat_map(|(row, &e)| row.iter().map(move |v| v * largest * 2_f32.powi(e))).collect();
            tensor(&[exponents.len(), columns], &values)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn f32_is_exact(matrix in matrix(f32::MAX)) {
        prop_assert_eq!(round_trip(&matrix, Storage::F32), matrix);
    }

    #[test]
    fn f16_keeps_its_bound(matrix in matrix(65_504.0)) {
        let read = round_trip(&matrix, Storage::F16);
        for (a, b) in matrix.values.iter().zip(&read.values) {
            let bound = (a.abs() * 2_f32.powi(-11)).max(2_f32.powi(-25));
            prop_assert!((a - b).abs() <= bound, "{a} came back as {b}");
        }
    }

    #[test]
    fn int8_rows_keep_their_bound(matrix in prop_oneof![matrix(1.0), matrix(f32::MAX), matrix(1e-30)]) {
        let read = round_trip(&matrix, Storage::Int8Rows);
        let columns = matrix.shape[1];
        for (row, back) in matrix.values.chunks_exact(columns).zip(read.values.chunks_exact(columns)) {
            let largest = row.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
            if largest < 127.0 * f32::MIN_POSITIVE {
                prop_assert!(back.iter().all(|&value| value == 0.0));
                continue;
            }
            let scale = f64::from(largest / 127.0);
            for (&a, &b) in row.iter().zip(back) {
                let error = (f64::from(a) - f64::from(b)).abs();
                prop_assert!(error <= scale * (0.5 + 2_f64.powi(-15)), "{a} came back as {b}, scale {scale}");
            }
        }
    }

    #[test]
    fn int8_rows_hold_the_largest_numbers(last in 0..3_u32, sign in prop_oneof![Just(1.0_f32), Just(-1.0)]) {
        let largest = sign * f32::from_bits(f32::MAX.to_bits() - last);
        let back = round_trip(&Tensor::new("m", vec![1, 1], vec![largest]).unwrap(), Storage::Int8Rows).values[0];
        prop_assert!((back / largest - 1.0).abs() < 1e-6, "{largest} came back as {back}");
    }

    /// Stored again, int8 rows lose nothing more than the last bits of the scale.
    #[test]
    fn int8_rows_are_stable(matrix in matrix(1.0)) {
        let once = round_trip(&matrix, Storage::Int8Rows);
        let twice = round_trip(&once, Storage::Int8Rows);
        for (a, b) in once.values.iter().zip(&twice.values) {
            prop_assert!((a - b).abs() <= a.abs() * 1e-6, "{a} came back as {b}");
        }
    }

    /// The reference implementation reads what we write, and we read what it writes.
    #[test]
    fn the_reference_agrees(matrix in matrix(1e3), key in "\\PC{0,8}", text in "\\PC{0,40}") {
        let mut ours = single(matrix.clone());
        ours.tensors.insert("bias".into(), tensor(&[2], &[0.5, -0.5]));
        ours.metadata.insert(key.clone(), text.clone());

        let bytes = ours.to_bytes(|_, _| Storage::F32).expect("valid");
        let (_, header) = SafeTensors::read_metadata(&bytes).expect("the reference reads our header");
        prop_assert_eq!(header.metadata(), &Some(HashMap::from([(key.clone(), text.clone())])));
        let theirs = SafeTensors::deserialize(&bytes).expect("the reference reads our file");
        let view = theirs.tensor("w").expect("by name");
        prop_assert_eq!(view.dtype(), Dtype::F32);
        prop_assert_eq!(view.shape(), &matrix.shape[..]);
        let raw: Vec<u8> = matrix.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        prop_assert_eq!(view.data(), &raw[..]);

        let view = TensorView::new(Dtype::F32, matrix.shape.clone(), &raw).expect("valid");
        let bytes = safetensors::serialize([("w", view)], Some(HashMap::from([(key.clone(), text.clone())])))
            .expect("valid");
        let read = Checkpoint::from_bytes(&bytes).expect("we read its file");
        prop_assert_eq!(&read.tensors["w"], &matrix);
        prop_assert_eq!(&read.metadata[&key], &text);
    }
}

#[test]
fn a_checkpoint_comes_back_whole_and_its_bytes_do_not_vary() {
    let checkpoint = checkpoint();
    let bytes = checkpoint.to_bytes(|_, _| Storage::F32).expect("valid");
    assert_eq!(Checkpoint::from_bytes(&bytes), Ok(checkpoint.clone()));
    assert_eq!(checkpoint.clone().to_bytes(|_, _| Storage::F32), Ok(bytes));
    assert_eq!(Checkpoint::from_bytes(&file("{}", &[])), Ok(Checkpoint::default()));
    let empty = Checkpoint::default().to_bytes(compact).expect("valid");
    assert_eq!(Checkpoint::from_bytes(&empty), Ok(Checkpoint::default()));
}

#[test]
fn compact_storage_is_compact_and_reference_readable() {
    let bytes = checkpoint().to_bytes(compact).expect("valid");
    let theirs = SafeTensors::deserialize(&bytes).expect("the reference reads it");
    let rows = theirs.tensor("encoder.0.weight_ih_l0").expect("by name");
    assert_eq!((rows.dtype(), rows.shape(), rows.data().len()), (Dtype::I8, &[40, 16][..], 640));
    let scale = theirs.tensor("encoder.0.weight_ih_l0.scale").expect("by name");
    assert_eq!((scale.dtype(), scale.shape()), (Dtype::F32, &[40][..]));
    let read = Checkpoint::from_bytes(&bytes).expect("valid");
    assert!(read.tensors.keys().eq(checkpoint().tensors.keys()), "the scales are no tensors of their own");
}

#[test]
fn files_from_python() {
    let read =
        Checkpoint::from_bytes(include_bytes!("fixtures/safetensors/model.safetensors")).expect("valid");
    let expected = [
        ("brain", tensor(&[1, 2], &[-0.75, 256.0])),
        ("double", tensor(&[], &[0.125])),
        ("half", tensor(&[3], &[0.5, -1.5, 65504.0])),
        ("nothing", tensor(&[0, 4], &[])),
        ("rows", tensor(&[2, 3], &[63.5, -63.5, 0.5, 0.5, 0.0, -1.0])),
        ("single", tensor(&[2, 2], &[1.0, -2.5, 0.0, 3.25])),
    ];
    assert_eq!(read.tensors, expected.map(|(name, tensor)| (name.to_owned(), tensor)).into());
    assert_eq!(read.metadata[CONFIG_KEY], r#"{"format": 1, "quote": "\"é\""}"#);
    assert_eq!(read.parameter_count(), 16);

    let bytes = include_bytes!("fixtures/safetensors/state_dict.safetensors");
    let mut read = Checkpoint::from_bytes(bytes).expect("valid");
    assert!(read.metadata.is_empty());
    assert_eq!(read.take("weight_hh_l0", &[4, 1]).map(|t| t.values), Ok(vec![0.0, -0.25, -0.5, -0.75]));
    assert!(matches!(open(bytes), Err(ModelError::NoModel { .. })));
}

#[test]
fn tensors_are_taken_once_and_in_shape() {
    let mut read = single(tensor(&[2, 1], &[1.0, 2.0]));
    let error = read.take("w", &[1, 2]).expect_err("another shape");
    assert_eq!(error.to_string(), "tensor \"w\": expected shape [1, 2], found shape [2, 1]");
    let error = read.finish().expect_err("one is left");
    assert_eq!(error.to_string(), "tensor \"w\" of shape [2, 1] belongs to no part of this network");
    assert_eq!(read.take("w", &[2, 1]), Ok(tensor(&[2, 1], &[1.0, 2.0])));
    let error = read.take("w", &[2, 1]).expect_err("taken");
    assert_eq!(
        (error.to_string().as_str(), error.code()),
        ("tensor \"w\" of shape [2, 1] is missing", "MODEL_TENSORS")
    );
}

/// An entry of a header.
fn entry(name: &str, dtype: &str, shape: &str, begin: u64, end: u64) -> String {
    format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{begin},{end}]}}"#)
}

#[track_caller]
fn refused(bytes: &[u8], code: &str, message: &str) {
    let error = Checkpoint::from_bytes(bytes).expect_err("a malformed file");
    assert!(error.to_string().contains(message), "{error}\ndoes not say: {message}");
    assert_eq!(error.code(), code, "{error}");
}

#[test]
fn malformed_containers() {
    let zeros = |entries: &[String], length| file(&format!("{{{}}}", entries.join(",")), &vec![0; length]);
    let (cut, invalid) = ("MODEL_TRUNCATED", "MODEL_INVALID");

    refused(b"", cut, "an empty file");
    refused(b"\x10\x02\0\0\0\0\0", cut, "the header's length needs 8 bytes, 7 are there");
    refused(&100_u64.to_le_bytes(), cut, "the header needs 100 bytes, 0 are there");
    refused(&u64::MAX.to_le_bytes(), invalid, "18446744073709551615 bytes long");
    refused(b"<!doctype html><title>404</title>", invalid, "but an HTML or XML document");
    refused(b"PK\x03\x04\x14\0\0\0archive/data.pkl", invalid, "but a zip archive");
    refused(&file("", &[]), invalid, "EOF while parsing");
    refused(&file("[]", &[]), invalid, "does not begin with `{`");
    refused(&file("{", &[]), invalid, "EOF");
    refused(&file("{} {}", &[]), invalid, "trailing characters");
    refused(&file("{}", &[0]), invalid, "1 bytes follow the last tensor");
    refused(&[&8_u64.to_le_bytes()[..], b"{\"\xff\":{}}"].concat(), invalid, "invalid unicode");

    refused(&file(r#"{"w":null}"#, &[]), invalid, "tensor \"w\"");
    refused(&file(r#"{"w":{}}"#, &[]), invalid, "missing field `dtype`");
    refused(&zeros(&[entry("w", "F32", "[-1]", 0, 4)], 4), invalid, "tensor \"w\": invalid value");
    refused(&zeros(&[entry("w", "F32", "[1.0]", 0, 4)], 4), invalid, "tensor \"w\": invalid type");
    refused(&zeros(&[entry("w", "F32", "[\"1\"]", 0, 4)], 4), invalid, "tensor \"w\": invalid type");
    refused(&zeros(&[entry("w", "F32", "null", 0, 4)], 4), invalid, "at most 64 dimensions");
    let deep = format!("[{}1]", "1,".repeat(64));
    refused(&zeros(&[entry("w", "F32", &deep, 0, 4)], 4), invalid, "at most 64 dimensions");
    let extra = r#"{"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0],"x":1}}"#;
    refused(&file(extra, &[]), invalid, "unknown field `x`");
    let three = r#"{"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0,0]}}"#;
    refused(&file(three, &[]), invalid, "tensor \"w\"");

    refused(&zeros(&[entry("", "F32", "[0]", 0, 0)], 0), invalid, "a tensor has no name");
    refused(&zeros(&[entry("a\\nb", "F32", "[0]", 0, 0)], 0), invalid, "a control character");
    refused(&zeros(&[entry(&"n".repeat(257), "F32", "[0]", 0, 0)], 0), invalid, "longer than 256 bytes");
    refused(
        &zeros(&[entry("w", "F32", "[1]", 0, 4), entry("w", "F32", "[1]", 0, 4)], 4),
        invalid,
        "\"w\" appears twice",
    );

    refused(&file(r#"{"__metadata__":{"a":1}}"#, &[]), invalid, "expected a string");
    refused(&file(r#"{"__metadata__":{"a":null}}"#, &[]), invalid, "expected a string");
    refused(&file(r#"{"__metadata__":"text"}"#, &[]), invalid, "__metadata__ to be a map of strings");
    refused(&file(r#"{"__metadata__":{"a":"","a":""}}"#, &[]), invalid, "metadata key \"a\" appears twice");
    refused(
        &file(r#"{"__metadata__":{},"__metadata__":{}}"#, &[]),
        invalid,
        "\"__metadata__\" appears twice",
    );

    let gap = [entry("a", "F32", "[1]", 0, 4), entry("b", "F32", "[1]", 8, 12)];
    refused(&zeros(&gap, 12), invalid, "tensor \"b\": expected data from byte 4");
    let overlap = [entry("a", "F32", "[2]", 0, 8), entry("b", "F32", "[2]", 4, 12)];
    refused(&zeros(&overlap, 12), invalid, "tensor \"b\": expected data from byte 8");
    refused(&zeros(&[entry("a", "F32", "[1]", 4, 8)], 8), invalid, "tensor \"a\": expected data from byte 0");
    refused(
        &zeros(&[entry("a", "F32", "[0]", 0, 0), entry("b", "F32", "[1]", 4, 0)], 4),
        invalid,
        "tensor \"b\"",
    );
    refused(
        &zeros(&[entry("a", "F32", "[2]", 0, 8)], 7),
        cut,
        "the tensors' data needs 8 bytes, 7 are there",
    );
    refused(&zeros(&[entry("a", "F32", "[2]", 0, 8)], 9), invalid, "1 bytes follow the last tensor");
    refused(
        &zeros(&[entry("a", "F32", "[3]", 0, 8)], 8),
        invalid,
        "expected 12 bytes for F32 of shape [3], found 8 bytes",
    );
    refused(
        &zeros(&[entry("a", "F16", "[]", 0, 4)], 4),
        invalid,
        "expected 2 bytes for F16 of shape [], found 4 bytes",
    );
    let huge = entry("a", "F32", "[4611686018427387904,4]", 0, 0);
    refused(&zeros(&[huge], 0), invalid, "more bytes than can be counted");
    let wraps = entry("a", "F32", "[4611686018427387904]", 0, 0);
    refused(&zeros(&[wraps], 0), invalid, "more bytes than can be counted");
}

/// Extents that each look right, and together reach the last byte that a u64 can count.
#[test]
fn extents_that_sum_to_the_largest_integer() {
    const EACH: u64 = (1 << 61) - 1;
    let mut entries: Vec<_> =
        (0..8).map(|i| entry(&i.to_string(), "U8", &format!("[{EACH}]"), i * EACH, (i + 1) * EACH)).collect();
    entries.push(entry("8", "U8", "[7]", 8 * EACH, u64::MAX));
    refused(
        &file(&format!("{{{}}}", entries.join(",")), &[]),
        "MODEL_TRUNCATED",
        "18446744073709551615 bytes, 0 are there",
    );
}

#[test]
fn malformed_tensors() {
    let one = |dtype: &str, shape: &str, data: &[u8]| {
        file(&format!("{{{}}}", entry("w", dtype, shape, 0, data.len() as u64)), data)
    };
    for dtype in ["I64", "I32", "U8", "BOOL", "F8_E4M3", "nonsense"] {
        refused(
            &one(dtype, "[1]", &[0; 8]),
            "MODEL_UNSUPPORTED",
            &format!("tensor \"w\" has dtype \"{dtype}\""),
        );
    }
    let invalid = "MODEL_INVALID";
    let pair = |value: f32| [1.0_f32.to_le_bytes(), value.to_le_bytes()].concat();
    refused(
        &one("F32", "[2]", &pair(f32::NAN)),
        invalid,
        "tensor \"w\", value 1: expected a finite f32, found NaN",
    );
    refused(
        &one("F32", "[2]", &pair(f32::NEG_INFINITY)),
        invalid,
        "value 1: expected a finite f32, found -inf",
    );
    refused(&one("F16", "[2]", &[0, 0x3c, 0, 0x7c]), invalid, "value 1: expected a finite f32, found inf");
    refused(
        &one("BF16", "[2]", &[0x80, 0x3f, 0xc0, 0x7f]),
        invalid,
        "value 1: expected a finite f32, found NaN",
    );
    refused(
        &one("F64", "[1]", &1e300_f64.to_le_bytes()),
        invalid,
        "value 0: expected a finite f32, found inf",
    );

    let rows = |codes: &str, scales: &str, data: &[u8]| {
        let codes = entry("w", "I8", codes, 0, 4);
        file(&format!("{{{codes},{}}}", entry("w.scale", "F32", scales, 4, data.len() as u64)), data)
    };
    let data = |a: f32, b: f32| [&[127, 1, 0, 128][..], &a.to_le_bytes(), &b.to_le_bytes()].concat();
    let read = Checkpoint::from_bytes(&rows("[2,2]", "[2]", &data(1.0, 0.5))).expect("valid");
    assert_eq!(read.tensors["w"].values, [127.0, 1.0, 0.0, -64.0]);
    refused(
        &one("I8", "[2,2]", &[0; 4]),
        invalid,
        "tensor \"w\": expected row scales in a tensor \"w.scale\"",
    );
    refused(&rows("[4]", "[2]", &data(1.0, 1.0)), invalid, "expected an I8 matrix, found shape [4]");
    refused(&rows("[1,4]", "[2]", &data(1.0, 1.0)), invalid, "row scales of shape [1], found shape [2]");
    refused(&rows("[2,2]", "[2,1]", &data(1.0, 1.0)), invalid, "row scales of shape [2], found shape [2, 1]");
    refused(&rows("[2,3]", "[2]", &data(1.0, 1.0)), invalid, "expected 6 bytes for I8");
    refused(
        &rows("[2,2]", "[2]", &data(1.0, -1.0)),
        invalid,
        "\"w.scale\", value 1: expected a scale that is not negative",
    );
    refused(
        &rows("[2,2]", "[2]", &data(f32::NAN, 1.0)),
        invalid,
        "tensor \"w.scale\", value 0: expected a finite f32",
    );
    refused(
        &rows("[2,2]", "[2]", &data(1.0, f32::MAX)),
        invalid,
        "tensor \"w\", value 3: expected a finite f32, found -inf",
    );
}

#[test]
fn what_could_not_be_read_is_not_written() {
    let refused = |checkpoint: Checkpoint, storage, message: &str| {
        let error = checkpoint.to_bytes(|_, _| storage).expect_err("cannot be written");
        assert!(error.to_string().contains(message), "{error}\ndoes not say: {message}");
    };
    let named = |name: &str| Checkpoint {
        tensors: BTreeMap::from([(name.to_owned(), tensor(&[1, 1], &[1.0]))]),
        ..Checkpoint::default()
    };
    refused(named(""), Storage::F32, "a tensor has no name");
    refused(named("__metadata__"), Storage::F32, "is not a name for a tensor");
    refused(named(&"n".repeat(253)), Storage::Int8Rows, "is longer than 256 bytes");
    let lengths = Tensor { shape: vec![3], values: vec![1.0] };
    refused(single(lengths), Storage::F32, "as many values as the shape [3] has, found 1 values");
    for storage in [Storage::F32, Storage::F16, Storage::Int8Rows] {
        refused(
            single(tensor(&[1, 2], &[1.0, f32::NAN])),
            storage,
            "tensor \"w\", value 1: expected a finite f32",
        );
    }
    refused(single(tensor(&[1], &[65_505.0])), Storage::F16, "value 0: expected at most 65504");
    refused(single(tensor(&[1], &[1.0])), Storage::Int8Rows, "expected a matrix");
    refused(single(tensor(&[1 << 60, 0], &[])), Storage::Int8Rows, "expected a matrix");
    let mut many = named("w");
    many.metadata = (0..1_025).map(|i| (i.to_string(), String::new())).collect();
    refused(many, Storage::F32, "more than 1024 metadata entries");
    let mut twice = named("w");
    twice.tensors.insert("w.scale".into(), tensor(&[1, 1], &[1.0]));
    let error = twice.to_bytes(compact).expect_err("two tensors of one name");
    assert!(error.to_string().contains("the name of its row scales"), "{error}");
}
