use super::*;

fn read_text(text: &str) -> Result<Vec<Sentence>, DataError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.conllu");
    std::fs::write(&path, text).unwrap();
    read(&path)
}

/// A word of a sentence: id, form, tag, head and MISC.
fn row(id: &str, form: &str, tag: &str, head: &str, misc: &str) -> String {
    format!("{id}\t{form}\t_\t{tag}\t_\t_\t{head}\tdep\t_\t{misc}\n")
}

#[test]
fn words_have_tags_heads_and_spans_of_the_text() {
    let text = [
        "# sent_id = 1\n# text = Don’t (gonna) naïve ok!\n".to_owned(),
        row("1-2", "Don’t", "_", "_", "_"),
        row("1", "Do", "AUX", "4", "_"),
        row("2", "n’t", "PART", "1", "_"),
        row("3", "(", "PUNCT", "4", "SpaceAfter=No"),
        row("4-5", "gonna", "_", "_", "SpaceAfter=No"),
        row("4", "going", "VERB", "0", "_"),
        row("5", "to", "PART", "4", "_"),
        row("6", ")", "PUNCT", "4", "_"),
        row("6.1", "seen", "VERB", "_", "_"),
        row("7", "naïve", "ADJ", "8", "A=b|SpaceAfter=No|C=d").replace("|SpaceAfter=No", ""),
        row("8", "ok", "ADJ", "4", "SpaceAfter=No"),
        row("9", "!", "PUNCT", "4", "_"),
        "\n\n# another\n".to_owned(),
        row("1", "End", "NOUN", "0", "_"),
    ];
    let sentences = read_text(&text.concat()).unwrap();
    let [first, second] = &sentences[..] else { panic!("two sentences: {sentences:?}") };
    assert_eq!((&first.text[..], first.line), ("Don’t (gonna) naïve ok!", 3));
    let words: Vec<_> =
        first.words.iter().map(|word| (&first.text[word.span.clone()], &word.tag[..])).collect();
    let expected = [
        ("Do", "AUX"),
        ("n’t", "PART"),
        ("(", "PUNCT"),
        ("gonna", "VERB"),
        ("gonna", "PART"),
        (")", "PUNCT"),
        ("naïve", "ADJ"),
        ("ok", "ADJ"),
        ("!", "PUNCT"),
    ];
    assert_eq!(words, expected);
    assert_eq!(
        first.words.iter().map(|word| word.head).collect::<Vec<_>>(),
        [4, 1, 4, 0, 4, 4, 8, 4, 4].map(Some)
    );
    assert_eq!((&second.text[..], second.words[0].span.clone()), ("End", 0..3));
    assert_eq!(second.words[0].relation, "dep");
}

#[test]
fn white_space_is_where_the_text_has_it() {
    let text = [
        "# text = a\u{a0} b  cé d\n".to_owned(),
        row("1", "a", "X", "0", "_"),
        row("2", "b", "X", "1", "_"),
        row("3", "cé", "X", "1", "SpaceAfter=No"),
        row("4", "d", "X", "1", "_"),
    ];
    let sentence = read_text(&text.concat()).unwrap().remove(0);
    let words: Vec<_> = sentence.words.iter().map(|word| &sentence.text[word.span.clone()]).collect();
    assert_eq!(words, ["a", "b", "cé", "d"]);
}

/// A sentence whose words have these heads.
fn tree(heads: &[usize]) -> Sentence {
    let word = |&head: &usize| Word {
        form: "w".into(),
        tag: "X".into(),
        head: Some(head),
        relation: "dep".into(),
        span: 0..0,
        line: 1,
    };
    Sentence { words: heads.iter().map(word).collect(), ..Sentence::default() }
}

#[test]
fn heads_that_go_round_make_no_tree() {
    assert!(tree(&[2, 0, 2, 3]).is_tree() && tree(&[0]).is_tree() && tree(&[2, 3, 0]).is_tree());
    for heads in [&[2, 1, 0][..], &[0, 3, 4, 2], &[2, 3, 1], &[0, 0]] {
        assert!(!tree(heads).is_tree(), "{heads:?}");
    }
    let mut headless = tree(&[2, 0, 2]);
    headless.words[0].head = None;
    assert!(!headless.is_tree());
}

#[test]
fn trees_whose_arcs_cross_are_told() {
    assert!(tree(&[2, 0, 2, 3]).is_projective());
    assert!(tree(&[0]).is_projective());
    // 1 depends on 3, 2 on 4.
    assert!(!tree(&[3, 4, 0, 3]).is_projective());
    // The root's arc, from 0 to 2, is crossed by that from 1 to 3.
    assert!(!tree(&[3, 0, 2]).is_projective());
}

#[test]
fn mistakes_are_named_by_their_lines() {
    let good = row("1", "a", "X", "0", "_");
    let cases = [
        ("1\ta\t_\tX\n".to_owned(), ":1: has 4 columns between tabs, expected 10"),
        (good.clone() + &row("3", "b", "X", "1", "_"), ":2: the word's number is \"3\", expected 2"),
        (good.clone() + &row("2", "b", "X", "x", "_"), ":2: \"x\" is no number of a head"),
        (good.clone() + &row("2", "b", "X", "3", "_"), ":2: word 2 has the head 3; there are 2 words"),
        (
            row("1", "a", "X", "2", "_")
                + &row("2", "b", "X", "0", "_")
                + &row("3", "c", "X", "9", "_")
                + "\n",
            ":3: word 3",
        ),
        (row("1", "a", "X", "1", "_") + "\n", ":1: word 1 has the head 1"),
        (row("1-1", "a", "_", "_", "_"), ":1: the words 1-1 of a multiword token"),
        (row("1-x", "a", "_", "_", "_"), ":1: \"1-x\" is no range of words"),
        (row("0.x", "a", "_", "_", "_"), ":1: \"0.x\" is no number of a node"),
        (row("1-3", "ab", "_", "_", "_") + &good + "\n", ":2: the sentence ends before word 3"),
        (row("1", "", "X", "0", "_"), ":1: has a word without a form"),
        ("# a\n# text = b\n".to_owned() + &good + "\n", ":2: `# text` is not what the words spell: \"a\""),
        ("# nothing\n".to_owned(), ":1: the file holds no sentence"),
    ];
    for (text, message) in cases {
        let error = read_text(&text).expect_err(message).to_string();
        assert!(error.contains(message), "{error}\ndoes not say: {message}");
    }
    assert!(matches!(read("absent.conllu"), Err(DataError::Missing { .. })));
}
