//! No file can make the reader panic or hold more memory than it promises.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use saccade_rnn::model::{CONFIG_KEY, Checkpoint, MEMORY_BASE, MEMORY_FACTOR, ModelError, Storage, open};

mod support;
use support::{checkpoint, compact, file, language_model, parser, tagger, tree_classifier};

/// Counts the bytes that the current thread holds. A block that grows is counted twice while it moves.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST_HELD: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator, as its contract asks.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.get() + layout.size() as isize;
        HELD.set(held);
        MOST_HELD.set(MOST_HELD.get().max(held));
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - layout.size() as isize);
        // SAFETY: the caller keeps `dealloc`'s contract; the block came from `System`.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Opens a file and checks what holds for every file: the memory, and what a result promises.
fn open_within_bounds(bytes: &[u8]) -> Result<(), ModelError> {
    let before = HELD.get();
    MOST_HELD.set(before);
    let result = open(bytes);
    let held = (MOST_HELD.get() - before) as usize;
    let bound = MEMORY_FACTOR * bytes.len() + MEMORY_BASE;
    assert!(held <= bound, "{held} bytes held for a file of {}: the bound is {bound}", bytes.len());
    match result {
        Ok((config, checkpoint)) => {
            config.validate().expect("what was opened is valid");
            for tensor in checkpoint.tensors.values() {
                assert_eq!(tensor.shape.iter().product::<usize>(), tensor.values.len());
                assert!(tensor.values.iter().all(|value| value.is_finite()));
            }
            let again = checkpoint.to_bytes(|_, _| Storage::F32).expect("what was opened can be written");
            assert_eq!(Checkpoint::from_bytes(&again).as_ref(), Ok(&checkpoint));
            Ok(())
        }
        Err(error) => {
            assert!(error.to_string().len() < 4_000, "a message as long as the file");
            assert!(error.code().starts_with("MODEL_"));
            Err(error)
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let checkpoint = checkpoint();
    let written = |storage| checkpoint.to_bytes(|_, _| storage).expect("the checkpoint is valid");
    vec![
        checkpoint.to_bytes(compact).expect("the checkpoint is valid"),
        written(Storage::F16),
        written(Storage::F32),
        include_bytes!("fixtures/safetensors/model.safetensors").to_vec(),
        include_bytes!("fixtures/safetensors/state_dict.safetensors").to_vec(),
        language_model().to_bytes(compact).expect("the model is valid"),
        tagger(true).to_bytes(compact).expect("the model is valid"),
        parser().to_bytes(compact).expect("the model is valid"),
        tree_classifier(false).to_bytes(compact).expect("the model is valid"),
    ]
}

/// One thing that damages a file.
#[derive(Clone, Debug)]
enum Mutation {
    Flip(Index, u8),
    Truncate(Index),
    Insert(Index, Vec<u8>),
    Remove(Index, Index),
    /// Puts bytes of one seed into the file.
    Splice(Index, Index, Index, Index),
    HeaderLength(u64),
    /// Replaces the n-th number in the header, and keeps the header's length right.
    Number(Index, &'static str),
    /// Replaces the n-th string in the header, and keeps the header's length right.
    Text(Index, &'static str),
}

const NUMBERS: [&str; 16] = [
    "0",
    "1",
    "2",
    "-1",
    "255",
    "65535",
    "65537",
    "2147483648",
    "4294967295",
    "4294967296",
    "2305843009213693951",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "1e400",
    "0.5",
];
const TEXTS: [&str; 20] = [
    "F32",
    "F64",
    "F16",
    "BF16",
    "I8",
    "I64",
    "BOOL",
    "F4",
    "shape",
    "dtype",
    "data_offsets",
    "__metadata__",
    "saccade",
    "head.bias",
    "head.bias.scale",
    "embedding.weight",
    "embedding.weight.scale",
    "",
    "\\u0000",
    "<unk>",
];

fn mutation() -> impl Strategy<Value = Mutation> {
    let index = any::<Index>;
    prop_oneof![
        (index(), 0..8_u8).prop_map(|(place, bit)| Mutation::Flip(place, bit)),
        index().prop_map(Mutation::Truncate),
        (index(), prop::collection::vec(any::<u8>(), 1..64))
            .prop_map(|(place, bytes)| Mutation::Insert(place, bytes)),
        (index(), index()).prop_map(|(place, end)| Mutation::Remove(place, end)),
        (index(), index(), index(), index())
            .prop_map(|(seed, from, to, at)| Mutation::Splice(seed, from, to, at)),
        prop_oneof![0..2_000_u64, any::<u64>()].prop_map(Mutation::HeaderLength),
        (index(), select(&NUMBERS[..])).prop_map(|(place, number)| Mutation::Number(place, number)),
        (index(), select(&TEXTS[..])).prop_map(|(place, text)| Mutation::Text(place, text)),
    ]
}

fn ordered(a: Index, b: Index, length: usize) -> (usize, usize) {
    let (a, b) = (a.index(length + 1), b.index(length + 1));
    (a.min(b), a.max(b))
}

/// The header's text and the data, if the file is whole enough to have them.
fn split(bytes: &[u8]) -> Option<(String, Vec<u8>)> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (text, data) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    Some((String::from_utf8(text.to_vec()).ok()?, data.to_vec()))
}

/// The n-th run of characters that satisfy `inside`, counted round.
fn run(text: &str, n: Index, inside: impl Fn(char) -> bool) -> Option<(usize, usize)> {
    let mut runs = Vec::new();
    let mut begin = None;
    for (place, character) in text.char_indices() {
        match (begin, inside(character)) {
            (None, true) => begin = Some(place),
            (Some(start), false) => {
                runs.push((start, place));
                begin = None;
            }
            _ => {}
        }
    }
    (!runs.is_empty()).then(|| runs[n.index(runs.len())])
}

fn replace(bytes: &mut Vec<u8>, n: Index, replacement: &str, inside: impl Fn(char) -> bool) {
    if let Some((mut text, data)) = split(bytes)
        && let Some((begin, end)) = run(&text, n, inside)
    {
        text.replace_range(begin..end, replacement);
        *bytes = file(&text, &data);
    }
}

fn apply(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], mutation: &Mutation) {
    match mutation {
        Mutation::Flip(place, bit) if !bytes.is_empty() => {
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
        }
        Mutation::Flip(..) => {}
        Mutation::Truncate(place) => bytes.truncate(place.index(bytes.len() + 1)),
        Mutation::Insert(place, new) => {
            let place = place.index(bytes.len() + 1);
            bytes.splice(place..place, new.iter().copied());
        }
        Mutation::Remove(begin, end) => {
            let (begin, end) = ordered(*begin, *end, bytes.len());
            bytes.drain(begin..end);
        }
        Mutation::Splice(seed, from, to, at) => {
            let seed = seed.get(seeds);
            let (from, to) = ordered(*from, *to, seed.len());
            let at = at.index(bytes.len() + 1);
            let end = (at + to - from).min(bytes.len());
            bytes.splice(at..end, seed[from..to].iter().copied());
        }
        Mutation::HeaderLength(length) => {
            bytes.iter_mut().zip(length.to_le_bytes()).for_each(|(byte, new)| *byte = new);
        }
        Mutation::Number(n, number) => replace(bytes, *n, number, |c| c.is_ascii_digit()),
        Mutation::Text(n, text) => {
            replace(bytes, *n, text, |c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files(seed in any::<Index>(), mutations in prop::collection::vec(mutation(), 1..5)) {
        let seeds = seeds();
        let mut bytes = seed.get(&seeds).clone();
        mutations.iter().for_each(|mutation| apply(&mut bytes, &seeds, mutation));
        // Whether it opens does not matter: `open_within_bounds` asserts what must hold either way.
        let _ = open_within_bounds(&bytes);
    }

    #[test]
    fn bytes_without_sense(bytes in prop::collection::vec(any::<u8>(), 0..512), length in 0..600_u64) {
        prop_assert!(open_within_bounds(&bytes).is_err());
        let begun = [&length.to_le_bytes()[..], b"{", &bytes].concat();
        prop_assert!(open_within_bounds(&begun).is_err());
    }
}

#[test]
fn the_seeds_are_what_they_should_be() {
    let opened: Vec<bool> = seeds().iter().map(|seed| open_within_bounds(seed).is_ok()).collect();
    assert_eq!(opened, [true, true, true, false, false, true, true, true, true]);
}

#[test]
fn every_truncation_is_refused() {
    let whole = &seeds()[0];
    for length in 0..whole.len() {
        let error = open_within_bounds(&whole[..length]).expect_err("a part is not the whole");
        assert_eq!(error.code(), "MODEL_TRUNCATED", "{error}");
    }
}

/// A file whose config has `fields` in place of the named ones; one without a value is left out.
fn with_config(fields: &[(&str, String)]) -> Vec<u8> {
    let mut parts = vec![
        ("format", "1".to_owned()),
        ("task", "\"classify\"".to_owned()),
        ("tokenizer", r#"{"kind":"spaces","lowercase":false}"#.to_owned()),
        ("vocabulary", r#"["<unk>"]"#.to_owned()),
        ("labels", r#"["yes"]"#.to_owned()),
        ("embedding_size", "1".to_owned()),
        ("encoder", r#"[{"type":"lstm","hidden_size":1,"bidirectional":false}]"#.to_owned()),
        ("pool", "\"last\"".to_owned()),
    ];
    for (name, value) in fields {
        parts.retain(|(part, _)| part != name);
        if !value.is_empty() {
            parts.push((name, value.clone()));
        }
    }
    let body: Vec<String> = parts.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
    let json = format!("{{{}}}", body.join(","));
    let text = serde_json::to_string(&json).expect("a string is JSON");
    file(&format!(r#"{{"__metadata__":{{"{CONFIG_KEY}":{text}}}}}"#), &[])
}

/// Files that make the most of every byte: lists of the shortest items.
#[test]
fn dense_files() {
    // One more than a power of two, with the item that `list` adds: a list that grows by doubling is largest then.
    const COUNT: usize = 1 << 16;
    let list = |item: &str| format!("[{}{item}]", format!("{item},").repeat(COUNT));
    let numbered = |item: &dyn Fn(usize) -> String| (0..COUNT).map(item).collect::<Vec<_>>().join(",");
    let digits = |i: usize| {
        char::from_u32(0x100 + i as u32 + if i > 0xd6ff { 0x800 } else { 0 }).expect("no surrogate")
    };
    let files = [
        ("words that are empty", with_config(&[("vocabulary", list("\"\""))])),
        (
            "words that differ",
            with_config(&[(
                "vocabulary",
                format!("[\"<unk>\",{}]", numbered(&|i| format!("\"{}\"", digits(i)))),
            )]),
        ),
        ("labels", with_config(&[("labels", format!("[{}]", numbered(&|i| format!("\"{}\"", digits(i)))))])),
        (
            "labels of a task",
            with_config(&[
                ("format", "2".to_owned()),
                ("labels", String::new()),
                ("pool", String::new()),
                (
                    "task",
                    format!(
                        r#"{{"classify":{{"pool":"last","labels":[{}]}}}}"#,
                        numbered(&|i| format!("\"{}\"", digits(i)))
                    ),
                ),
            ]),
        ),
        (
            "letters of a tagger",
            with_config(&[
                ("format", "2".to_owned()),
                ("labels", String::new()),
                ("pool", String::new()),
                (
                    "task",
                    format!(
                        r#"{{"tag":{{"labels":["a"],"characters":{{"embedding_size":1,"hidden_size":1,"alphabet":["<unk>",{}]}}}}}}"#,
                        numbered(&|i| format!("\"{}\"", digits(i)))
                    ),
                ),
            ]),
        ),
        (
            "relations of a parser",
            with_config(&[
                ("format", "2".to_owned()),
                ("labels", String::new()),
                ("pool", String::new()),
                (
                    "task",
                    format!(
                        r#"{{"parse":{{"tag":{{"labels":["a"]}},"tag_size":1,"hidden_size":1,"layers":[],"relations":[{}]}}}}"#,
                        numbered(&|i| format!("\"{}\"", digits(i)))
                    ),
                ),
            ]),
        ),
        ("an encoder of nothing", with_config(&[("encoder", list("0"))])),
        (
            "an encoder that is buffered",
            with_config(&[("encoder", format!(r#"[{{"x":[{}0]}}]"#, "0,".repeat(4_080)))]),
        ),
        (
            "figures",
            with_config(&[(
                "training",
                format!(r#"{{"figures":{{{}}}}}"#, numbered(&|i| format!("\"{}\":0", digits(i)))),
            )]),
        ),
        ("unknown fields", with_config(&[("more", list("[]"))])),
        (
            "tensors",
            file(
                &format!(
                    "{{{}}}",
                    numbered(&|i| format!(
                        r#""{}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#,
                        digits(i)
                    )),
                ),
                &[],
            ),
        ),
        ("tensors of bytes", {
            let entries = numbered(&|i| {
                let c = digits(i);
                format!(
                    r#""{c}":{{"dtype":"I8","shape":[1,1],"data_offsets":[{},{}]}},"{c}.scale":{{"dtype":"F32","shape":[1],"data_offsets":[{},{}]}}"#,
                    5 * i,
                    5 * i + 1,
                    5 * i + 1,
                    5 * i + 5,
                )
            });
            file(&format!("{{{entries}}}"), &vec![0; 5 * COUNT])
        }),
        (
            "dimensions",
            file(&format!(r#"{{"a":{{"dtype":"F32","shape":{},"data_offsets":[0,0]}}}}"#, list("0")), &[]),
        ),
        (
            "metadata",
            file(
                &format!(r#"{{"__metadata__":{{{}}}}}"#, numbered(&|i| format!("\"{}\":\"\"", digits(i)))),
                &[],
            ),
        ),
        (
            "one long name",
            file(
                &format!(r#"{{"{}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}}}"#, "n".repeat(COUNT)),
                &[],
            ),
        ),
        (
            "one long dtype",
            file(
                &format!(r#"{{"a":{{"dtype":"{}","shape":[0],"data_offsets":[0,0]}}}}"#, "\\n".repeat(COUNT)),
                &[],
            ),
        ),
        ("one long field", file(&format!(r#"{{"a":{{"{}":0}}}}"#, "\\u00e9".repeat(COUNT)), &[])),
        ("nesting", file(&format!(r#"{{"a":{}"#, "[".repeat(COUNT)), &[])),
        ("nesting in the config", with_config(&[("encoder", "[".repeat(COUNT))])),
        ("bytes", {
            let header = format!(
                r#"{{"a":{{"dtype":"I8","shape":[1,{COUNT}],"data_offsets":[0,{COUNT}]}},"a.scale":{{"dtype":"F32","shape":[1],"data_offsets":[{COUNT},{}]}}}}"#,
                COUNT + 4,
            );
            file(&header, &vec![0; COUNT + 4])
        }),
    ];
    for (what, bytes) in files {
        let before = HELD.get();
        MOST_HELD.set(before);
        let error = open_within_bounds(&bytes).expect_err(what);
        let held = MOST_HELD.get() - before;
        println!(
            "{what}: {} bytes, {:.1} held for each: {error}",
            bytes.len(),
            held as f64 / bytes.len() as f64
        );
    }
}
