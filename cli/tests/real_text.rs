//! Text and its readers against the public data sets. Each test prints "skipped: no data" where the folder (the
//! environment's `SACCADE_DATA`, or `shared/data` beside the workspace) is missing. The figures that the tests
//! bound are printed: run with `--nocapture` to see them.

use std::collections::HashMap;
use std::path::PathBuf;

use saccade_cli::data::{self, Example, Format, remove_texts_of};
use saccade_rnn::text::{Tokenizer, TokenizerKind, Vocabulary};

/// The data folder, or `None` after saying so.
fn data() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("SACCADE_DATA").map_or_else(beside, PathBuf::from);
    if !folder.is_dir() {
        println!("skipped: no data");
        return None;
    }
    Some(folder)
}

fn words(text: &str) -> Vec<String> {
    Tokenizer::treebank().tokenize(text).into_iter().map(|token| token.text).collect()
}

fn vocabulary(examples: &[Example]) -> Vocabulary {
    Vocabulary::build(examples.iter().flat_map(|example| example.words(&Tokenizer::treebank())), 1, None)
}

/// The share of tokens, in per cent, that the vocabulary does not hold.
fn unknown<'t>(vocabulary: &Vocabulary, tokens: impl Iterator<Item = &'t String>) -> f64 {
    let (mut all, mut missing) = (0.0, 0.0);
    for token in tokens {
        all += 1.0;
        missing += if vocabulary.contains(token) { 0.0 } else { 1.0 };
    }
    100.0 * missing / all
}

/// Writes tokens the way people write sentences.
fn detokenise(tokens: &[&str]) -> String {
    let mut out = String::new();
    let mut glue = true;
    for &token in tokens {
        let attaches =
            matches!(token, "." | "," | ":" | ";" | "?" | "!" | "..." | "%" | "''" | "'" | "-rrb-" | "n't")
                || token.starts_with('\'') && matches!(token, "'s" | "'re" | "'ve" | "'ll" | "'d" | "'m");
        if !glue && !attaches {
            out.push(' ');
        }
        out.push_str(match token {
            "``" | "''" => "\"",
            "`" => "'",
            "-lrb-" => "(",
            "-rrb-" => ")",
            "--" => "—",
            token => token,
        });
        glue = matches!(token, "``" | "`" | "-lrb-" | "$" | "#");
    }
    out.replace("\\/", "/").replace("\\*", "*").replace("can not", "cannot")
}

#[test]
fn tokenised_sentences_come_back_unchanged() {
    let Some(data) = data() else { return };
    let mut lines = 0;
    for set in ["binary", "fine"] {
        for part in ["train", "dev", "test"] {
            for example in Format::Lines.read(data.join(format!("sst/stsa.{set}.{part}"))).unwrap() {
                assert_eq!(words(&example.text), example.text.split(' ').collect::<Vec<_>>());
                lines += 1;
            }
        }
    }
    assert_eq!(lines, 6_920 + 872 + 1_821 + 8_544 + 1_101 + 2_210);
}

#[test]
fn raw_sentences_get_the_tokens_of_the_treebank() {
    let Some(data) = data() else { return };
    let known = vocabulary(&Format::Lines.read(data.join("sst/stsa.binary.train")).unwrap());
    let dev = Format::Lines.read(data.join("sst/stsa.binary.dev")).unwrap();
    let (mut same, mut tokenised, mut raw) = (0, Vec::new(), Vec::new());
    let mut differences = HashMap::<String, u32>::new();
    for example in &dev {
        let original: Vec<_> = example.text.split(' ').collect();
        let again = words(&detokenise(&original));
        if again == original {
            same += 1;
        }
        for word in again.iter().filter(|word| !original.contains(&word.as_str())) {
            *differences.entry(word.clone()).or_default() += 1;
        }
        tokenised.extend(original.into_iter().map(str::to_owned));
        raw.extend(again);
    }
    let before = unknown(&known, tokenised.iter());
    let after = unknown(&known, raw.iter());
    let share = 100.0 * f64::from(same) / dev.len() as f64;
    println!("SST-2 dev written as prose: {share:.1} % of sentences get their own tokens again");
    println!(
        "words unknown to SST-2 train: {before:.2} % as tokenised, {after:.2} % from prose; new: {differences:?}"
    );
    assert!(share > 97.0);
    assert!(after < before + 0.1);
}

#[test]
fn raw_reviews_are_mostly_known_words() {
    let Some(data) = data() else { return };
    let train = Format::ImdbTsv.read(data.join("imdb/train.tsv")).unwrap();
    let test = Format::ImdbTsv.read(data.join("imdb/test.tsv")).unwrap();
    assert_eq!((train.len(), test.len()), (25_000, 25_000));
    let sst = vocabulary(&Format::Lines.read(data.join("sst/stsa.binary.train")).unwrap());
    let tokens = |examples: &[Example]| -> Vec<String> {
        examples.iter().step_by(10).flat_map(|example| example.words(&Tokenizer::treebank())).collect()
    };
    let (train_tokens, test_tokens) = (tokens(&train), tokens(&test));
    let imdb = Vocabulary::build(&train_tokens, 2, None);
    let spaces = Tokenizer::new(TokenizerKind::Spaces, true);
    let uncut: Vec<_> =
        test.iter().step_by(10).flat_map(|e| spaces.tokenize(&e.text)).map(|t| t.text).collect();
    println!(
        "a tenth of IMDb: {} and {} tokens, {} words seen twice",
        train_tokens.len(),
        test_tokens.len(),
        imdb.len()
    );
    let by_sst = unknown(&sst, test_tokens.iter());
    let by_imdb = unknown(&imdb, test_tokens.iter());
    let cut_at_spaces = unknown(&sst, uncut.iter());
    println!(
        "unknown of test: to SST-2 train {by_sst:.2} % ({cut_at_spaces:.2} % if cut at spaces); to IMDb train {by_imdb:.2} %"
    );
    assert!(by_sst < 8.0 && by_imdb < 5.0);
    assert!(!test_tokens.iter().any(|token| token == "br"));
}

#[test]
fn leaves_of_the_trees_are_the_sentences() {
    let Some(data) = data() else { return };
    for part in ["train", "dev", "test"] {
        let trees = Format::SstTrees.read(data.join(format!("sst/trees/{part}.txt"))).unwrap();
        let sentences = Format::Lines.read(data.join(format!("sst/stsa.binary.{part}"))).unwrap();
        let sorted = |examples: &mut dyn Iterator<Item = &Example>| {
            let mut pairs: Vec<_> = examples.map(|e| (e.text.clone(), e.label.clone())).collect();
            pairs.sort_unstable();
            pairs
        };
        let roots = sorted(&mut trees.iter().filter(|example| !example.phrase));
        assert_eq!(roots, sorted(&mut sentences.iter()), "{part}");
        println!("{part}: {} examples of {} sentences", trees.len(), roots.len());
        // What makes `no.` an abbreviation follows it, and may lie outside a phrase.
        let changed = trees.iter().filter(|tree| words(&tree.text).join(" ") != tree.text);
        assert!(changed.into_iter().all(|tree| tree.phrase && tree.text.ends_with("no.")));
    }
}

#[test]
fn latin1_files_are_read_whole() {
    let Some(data) = data() else { return };
    for (file, count, labels) in [
        ("mr/rt-polarity.all", 10_662, 2),
        ("subj/subj.all", 10_000, 2),
        ("trec/TREC.train.all", 5_452, 6),
        ("trec/TREC.test.all", 500, 6),
    ] {
        let examples = Format::Lines.read(data.join(file)).unwrap();
        assert_eq!(examples.len(), count, "{file}");
        assert_eq!(data::labels(&examples).len(), labels, "{file}");
    }
}

#[test]
fn news_is_read_without_its_damage() {
    let Some(data) = data() else { return };
    let mut train = Format::AgCsv.read(data.join("ag_news/train-10k.csv")).unwrap();
    let test = Format::AgCsv.read(data.join("ag_news/test.csv")).unwrap();
    assert_eq!((train.len(), test.len()), (10_000, 7_600));
    for label in ["1", "2", "3", "4"] {
        assert_eq!(test.iter().filter(|example| example.label == label).count(), 1_900, "class {label}");
    }
    let left = |part: &str| test.iter().filter(|example| example.text.contains(part)).count();
    assert_eq!((left("#39;"), left("quot;"), left("\\"), left("</")), (0, 0, 0, 0));
    assert_eq!(remove_texts_of(&mut train, &test), 2);
    let unknown = unknown(
        &vocabulary(&train),
        test.iter().flat_map(|e| e.words(&Tokenizer::treebank())).collect::<Vec<_>>().iter(),
    );
    println!("AG News test: {unknown:.2} % of tokens unknown to the 10,000 of training");
    assert!(unknown < 6.0);
}

#[test]
fn reviews_in_both_sets_are_found() {
    let Some(data) = data() else { return };
    let mut train = Format::ImdbTsv.read(data.join("imdb/train.tsv")).unwrap();
    let test = Format::ImdbTsv.read(data.join("imdb/test.tsv")).unwrap();
    let removed = remove_texts_of(&mut train, &test);
    println!("IMDb: {removed} training reviews occur in the test set");
    assert!(removed >= 123 && train.len() + removed == 25_000);
}
