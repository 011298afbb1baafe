use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

use saccade_rnn::text::Tokenizer;

use super::*;

/// Reads `bytes` as a file of `format`.
fn read(format: Format, bytes: impl AsRef<[u8]>) -> Result<Vec<Example>, DataError> {
    in_file(bytes, |path| format.read(path))
}

/// What `read` makes of a file that holds `bytes`.
fn in_file<T>(bytes: impl AsRef<[u8]>, read: impl FnOnce(&Path) -> T) -> T {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("saccade-data-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let path = std::env::temp_dir().join(name);
    fs::write(&path, bytes).unwrap();
    let result = read(&path);
    fs::remove_file(&path).unwrap();
    result
}

/// What an error says after the folder and name of the file.
fn complaint(format: Format, bytes: impl AsRef<[u8]>) -> String {
    let message = read(format, bytes).unwrap_err().to_string();
    message.split_once(':').expect("a message begins with the file").1.to_owned()
}

fn pairs(examples: &[Example]) -> Vec<(&str, &str)> {
    examples.iter().map(|example| (example.label.as_str(), example.text.as_str())).collect()
}

#[test]
fn lines_are_split_at_ascii_spaces_only() {
    let examples = read(Format::Lines, "\u{feff}1 a 2\u{a0}1\\/2 film \r\n\n0  dull\tx \n5\n").unwrap();
    assert_eq!(pairs(&examples), [("1", "a 2\u{a0}1\\/2 film"), ("0", "dull\tx"), ("5", "")]);
    assert_eq!(examples.iter().map(|example| example.line).collect::<Vec<_>>(), [1, 3, 4]);
    assert_eq!(examples[0].words(&Tokenizer::treebank()), ["a", "2\u{a0}1\\/2", "film"]);
}

#[test]
fn lines_fall_back_to_latin1_as_a_whole() {
    let examples = read(Format::Lines, b"1 caf\xe9 \x85 .\n0 caf\xc3\xa9\n").unwrap();
    assert_eq!(pairs(&examples), [("1", "café \u{85} ."), ("0", "cafÃ©")]);
    assert_eq!(examples[0].words(&Tokenizer::spaces()), ["café", "\u{85}", "."]);
}

#[test]
fn lines_have_no_byte_order_mark_in_latin1_either() {
    let examples = read(Format::Lines, b"\xef\xbb\xbf1 caf\xe9\n1 a\n").unwrap();
    assert_eq!(pairs(&examples), [("1", "café"), ("1", "a")]);
}

#[test]
fn lines_in_utf16_are_refused() {
    let utf16 = |bytes_of: fn(u16) -> [u8; 2], text: &str| -> Vec<u8> {
        text.encode_utf16().flat_map(bytes_of).collect()
    };
    for text in ["\u{feff}1 good\n", "1 good\n", "\u{feff}映画\n"] {
        for bytes in [utf16(u16::to_le_bytes, text), utf16(u16::to_be_bytes, text)] {
            assert_eq!(complaint(Format::Lines, bytes), "1: is UTF-16, or no text: save the file as UTF-8");
        }
    }
    assert_eq!(complaint(Format::Lines, "1 a\n1 \0b\n"), "2: is UTF-16, or no text: save the file as UTF-8");
}

#[test]
fn reviews_are_raw_text() {
    let examples = read(Format::ImdbTsv, "pos\t7\t9\tIt's good.<br /><br />See it!\n").unwrap();
    assert_eq!(pairs(&examples), [("pos", "It's good.<br /><br />See it!")]);
    assert_eq!(examples[0].words(&Tokenizer::treebank()), ["it", "'s", "good", ".", "see", "it", "!"]);
}

#[test]
fn news_is_read_in_both_shapes() {
    let official = read(Format::AgCsv, "\"4\",\"A title\",\"Some \"\"quoted\"\" text\"\n").unwrap();
    assert_eq!(pairs(&official), [("4", "A title . Some \"quoted\" text")]);
    let noisy =
        read(Format::AgCsv, "label,gt,text,group\n0,3,\"A title . Text,\nmore\",1\n3,0,x,0\n").unwrap();
    assert_eq!(pairs(&noisy), [("4", "A title . Text, more"), ("1", "x")]);
    assert_eq!(noisy[1].line, 4);
}

#[test]
fn every_node_of_a_tree_is_an_example() {
    let examples =
        read(Format::SstTrees, "(3 (2 (3 Good) (2 -LRB-)) (1 n't))\n(2 (4 Fine) (2 .))\n").unwrap();
    assert_eq!(pairs(&examples), [("1", "good"), ("0", "n't"), ("1", "good -lrb- n't"), ("1", "fine")]);
    assert_eq!(examples.iter().map(|example| example.phrase).collect::<Vec<_>>(), [true, true, false, true]);
    let deep = "(3 ".repeat(100_000) + "x" + &")".repeat(100_000);
    assert_eq!(read(Format::SstTrees, deep).unwrap().len(), 100_000);
}

#[test]
fn bad_lines_are_named() {
    assert_eq!(complaint(Format::Lines, "1 a\n b\n"), "2: begins with a space where its label should be");
    for tab in ["1 a\n0\tb c\n", "1 a\n0\tb\n"] {
        assert_eq!(complaint(Format::Lines, tab), "2: has a tab where a space ends its label", "{tab:?}");
    }
    assert_eq!(
        complaint(Format::ImdbTsv, "pos\t1\tx\n"),
        "1: has 3 tab-separated fields, not label, id, rating and text"
    );
    assert_eq!(complaint(Format::ImdbTsv, "meh\t1\t5\tx\n"), "1: the label \"meh\" is none of neg, pos");
    assert_eq!(
        complaint(Format::ImdbTsv, b"pos\t1\t5\tx\npos\t1\t5\t\xff\n"),
        "2: is not UTF-8: byte 18 of the file begins no character"
    );
    assert_eq!(complaint(Format::AgCsv, "1,a,b\n7,a,b\n"), "2: the label \"7\" is none of 1, 2, 3, 4");
    assert_eq!(
        complaint(Format::AgCsv, "1,a\n"),
        "1: has 2 comma-separated fields, not class, title and description"
    );
    for blank in ["1,a,b\n\n\n7,a,b\n", "1,a,b\r\n\r\n\r\n7,a,b\r\n", "\n\n1,a,\n7,a,b"] {
        assert_eq!(complaint(Format::AgCsv, blank), "4: the label \"7\" is none of 1, 2, 3, 4", "{blank:?}");
    }
    for open in ["1,a,b\n\n2,c,\"d\n1,e,f\n", "1,a,\"b\n\"\n2,c,\"d\n1,e,\"\"f", "\n\n2,a,\"b\"\""] {
        assert_eq!(
            complaint(Format::AgCsv, open),
            "3: begins a record whose last quote is never closed",
            "{open:?}"
        );
    }
    assert_eq!(
        read(Format::AgCsv, "2,a,b \"c\"\"\n2,a,\"b\"").unwrap().len(),
        2,
        "quotes that close, or are text"
    );
    assert_eq!(
        complaint(Format::AgCsv, "label,gt,text,group\n0,4,a,0\n"),
        "2: the label \"4\" is none of 0, 1, 2, 3"
    );
    for (tree, problem) in [
        ("(3 (2 a)", "ends before its tree does"),
        (")(3 a)", "closes a bracket that is not open"),
        ("(3 a) (2 b)", "goes on after the end of its tree"),
        ("(3 (2 ))", "has a node without words"),
        ("(3", "ends inside a node"),
        ("good", "is not a tree in brackets"),
        ("(5 good)", "the label \"5\" is none of 0, 1, 2, 3, 4"),
    ] {
        assert_eq!(complaint(Format::SstTrees, tree), format!("1: {problem}"), "{tree}");
    }
}

#[test]
fn fixations_are_read_sentence_by_sentence() {
    let head = "sst_split\tnote\tword_index\tword\tfix_prob\n";
    let table = format!("{head}dev\t-\t0\tBright\t1.0\r\ndev\t-\t1\tidea.\t0.25\n\ntest\t-\t0\tNo\t0\n");
    let word = |word: &str, share| Fixated { word: word.to_owned(), share };
    let sentence = |split: &str, words| ReadSentence { split: split.to_owned(), words };
    assert_eq!(
        in_file(table, |path| read_fixations(path)).unwrap(),
        [
            sentence("dev", vec![word("Bright", 1.0), word("idea.", 0.25)]),
            sentence("test", vec![word("No", 0.0)])
        ]
    );
    for (table, problem) in [
        (String::new(), "1: has no names of columns"),
        ("sst_split\tword_index\tword\n".into(), "1: names no column fix_prob"),
        (format!("{head}dev\t-\t0\tBright\n"), "2: has 4 tab-separated fields, not 5"),
        (format!("{head}dev\t-\t0\tBright\t1.5\n"), "2: has a fix_prob that is no share from 0 to 1"),
        (format!("{head}dev\t-\t0\tBright\tNaN\n"), "2: has a fix_prob that is no share from 0 to 1"),
        (format!("{head}dev\t-\t1\tidea\t1\n"), "2: has the word \"1\" of a sentence out of order"),
        (
            format!("{head}dev\t-\t0\tBright\t1\ntest\t-\t1\tidea\t1\n"),
            "3: has the word \"1\" of a sentence out of order",
        ),
    ] {
        let message = in_file(&table, |path| read_fixations(path)).unwrap_err().to_string();
        assert!(message.ends_with(&format!(":{problem}")), "{message}");
    }
}

#[test]
fn missing_files_and_folders_are_named() {
    let folder = std::env::temp_dir().join("saccade-no-such-folder");
    let path = folder.join("sst").join("train");
    let error = Format::Lines.read(&path).unwrap_err();
    assert!(
        matches!(&error, DataError::Missing { folder: Some(missing), .. } if *missing == folder),
        "{error:?}"
    );
    let message = error.to_string();
    assert!(message.starts_with(path.to_str().unwrap()) && !message.contains("--data"), "{message}");
    let error = Format::Lines.read(std::env::temp_dir().join("saccade-no-such-file")).unwrap_err();
    assert!(matches!(error, DataError::Missing { folder: None, .. }), "{error:?}");
    assert!(matches!(Format::Lines.read(std::env::temp_dir()), Err(DataError::Io { .. })));
}

#[test]
fn formats_have_names() {
    for format in Format::ALL {
        assert_eq!(format.to_string().parse(), Ok(format));
        assert_eq!(serde_json::to_string(&format).unwrap(), format!("\"{format}\""));
    }
    let error = "csv".parse::<Format>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "no format is called \"csv\"; there are lines, imdb-tsv, ag-csv, sst-trees"
    );
}
