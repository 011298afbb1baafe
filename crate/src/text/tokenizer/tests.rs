use proptest::prelude::*;

use super::*;

fn words(text: &str) -> Vec<String> {
    Tokenizer::treebank().tokenize(text).into_iter().map(|token| token.text).collect()
}

/// The tokens of raw text, written with spaces between them, are `expected`; and they are a fixed point.
#[track_caller]
fn reads(text: &str, expected: &str) {
    assert_eq!(words(text).join(" "), expected, "{text:?}");
    assert_eq!(words(expected).join(" "), expected, "{expected:?} is tokenised already");
}

#[test]
fn clitics_are_parted() {
    reads("I don't think it's what they'd've said", "i do n't think it 's what they 'd 've said");
    reads("We CAN'T, won’t and cannot.", "we ca n't , wo n't and can not .");
    reads("The actors' and the film's", "the actors ' and the film 's");
    reads("the U.S.'s 5's", "the u.s. 's 5 's");
}

#[test]
fn elisions_keep_their_apostrophe() {
    reads("Rock 'n' roll 'em, good ol' boys o'clock", "rock 'n' roll 'em , good ol' boys o'clock");
    reads("'Tis a '70s-style '80s film 'til dawn", "'tis a '70s-style '80s film 'til dawn");
}

#[test]
fn quotation_marks_open_and_close() {
    reads(r#"He said "no" ("never")."#, "he said `` no '' -lrb- `` never '' -rrb- .");
    reads("“Well”—‘well’ «bien»", "`` well '' -- ` well ' `` bien ''");
    reads("it´s \u{91}so\u{92} \u{93}bad\u{94} \u{96} really", "it 's ` so ' `` bad '' -- really");
    reads("a 'great' idea, 'indeed'.", "a ` great ' idea , ` indeed ' .");
    reads(r#"a " b " c"#, "a `` b '' c");
    reads(r#"it ends.<br /><br />"It begins""#, "it ends . `` it begins ''");
}

#[test]
fn full_stops_belong_to_abbreviations_only() {
    reads("Mr. Lee left L.A. at 9.50.", "mr. lee left l.a. at 9.50 .");
    reads("J.R.R. T. and I.", "j.r.r. t. and i .");
    reads("I said no. Revolution no. 9", "i said no . revolution no. 9");
    reads("It was good.The end...really....", "it was good . the end ... really ...");
    reads("see example.com, the U.S.-led team…", "see example.com , the u.s.-led team ...");
}

#[test]
fn abbreviations_with_full_stops_inside_stay_whole() {
    reads("a Ph.D. in maths, a PH.D., a Ph.D", "a ph.d. in maths , a ph.d. , a ph.d");
    reads("Ph.D.-level work for Ph.D.s. Jane, Ph.D.", "ph.d.-level work for ph.d.s . jane , ph.d.");
    reads("an Ed.D. (or Psy.D.), an LL.B.'s", "an ed.d. -lrb- or psy.d. -rrb- , an ll.b. 's");
    reads("M.Sc., B.Tech. and D.Phil. degrees", "m.sc. , b.tech. and d.phil. degrees");
    reads(
        "U.S. e.g. this, i.e. that, at 5 a.m. J.R.R. left",
        "u.s. e.g. this , i.e. that , at 5 a.m. j.r.r. left",
    );
    // Sentences that end without a space after them are none.
    reads("the Ph.Dave, graph.D and a paragraph.Done", "the ph . dave , graph . d and a paragraph . done");
    let cased = Tokenizer::new(TokenizerKind::Treebank, false);
    let tokens: Vec<_> = cased.tokenize("A Ph.D.").into_iter().map(|token| token.text).collect();
    assert_eq!(tokens, ["A", "Ph.D."]);
}

/// Soft hyphen, zero-width space, byte-order mark, word joiner, marks of direction.
const IGNORED: [&str; 7] = ["\u{ad}", "\u{200b}", "\u{feff}", "\u{2060}", "\u{200e}", "\u{202b}", "\u{180e}"];

#[test]
fn characters_that_say_nothing_change_no_word() {
    for ignored in IGNORED {
        for text in
            ["|good| film|", "won|der|ful", "do|n’|t |\"|so|\"", "|Mr|.| U|.S|. no|. 9", "<|b|r />(|a)"]
        {
            let (with, without) = (text.replace('|', ignored), text.replace('|', ""));
            for tokenizer in [Tokenizer::treebank(), Tokenizer::spaces()] {
                let forms =
                    |text: &str| tokenizer.tokenize(text).into_iter().map(|t| t.text).collect::<Vec<_>>();
                assert_eq!(forms(&with), forms(&without), "{with:?}");
            }
        }
        assert!(Tokenizer::treebank().tokenize(ignored).is_empty());
    }
    // The joiners tell words apart in Persian, and hold emoji together.
    reads("می\u{200c}خواهم 👩\u{200d}🚀", "می\u{200c}خواهم 👩\u{200d}🚀");
}

#[test]
fn spans_are_those_of_the_text_with_what_says_nothing() {
    let text = "\u{feff}A won\u{ad}der\u{ad}\u{200b} \u{200b}👍\u{200b}.";
    let tokens = Tokenizer::treebank().tokenize(text);
    let spans: Vec<_> =
        tokens.iter().map(|t| (t.text.as_str(), &text[t.span.bytes.clone()], t.span.utf16.clone())).collect();
    assert_eq!(
        spans,
        [("a", "A", 1..2), ("wonder", "won\u{ad}der", 3..10), ("👍", "👍", 14..16), (".", ".", 17..18)]
    );
}

#[test]
fn punctuation_and_numbers() {
    reads(
        "1,000 people,please: 10:30; $9.50, US$5 or 100%!",
        "1,000 people , please : 10:30 ; $ 9.50 , us $ 5 or 100 % !",
    );
    reads("What?! No!!! Really?!?", "what ?! no ! ! ! really ?!?");
    reads("well-made - a must--see, 1990–95 — yes", "well-made - a must -- see , 1990-95 -- yes");
    reads("-3 -good anti-", "-3 - good anti-");
    reads("and/or *this* f**k [a] {b}", r"and\/or \* this \* f\*\*k -lsb- a -rsb- -lcb- b -rcb-");
    reads("8/10 / 2\u{a0}1/2 great\u{a0}film", "8\\/10 \\/ 2\u{a0}1\\/2 great film");
}

#[test]
fn line_breaks_separate_and_other_markup_is_text() {
    reads("one<br />two<BR>three<br/>four", "one two three four");
    reads("<b>bold</b> <brr> <br", r"< b > bold < \/ b > < brr > < br");
}

/// Texts with rare Unicode and their tokens, which the package for JavaScript is held against as well.
#[test]
fn every_build_has_the_same_tables() {
    #[derive(serde::Deserialize)]
    struct Case {
        text: String,
        tokens: Vec<(String, usize, usize)>,
    }
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../../../tests/fixtures/unicode.json")).unwrap();
    for Case { text, tokens } in cases {
        let found = Tokenizer::treebank().tokenize(&text).into_iter();
        let found: Vec<_> = found.map(|t| (t.text, t.span.utf16.start, t.span.utf16.end)).collect();
        assert_eq!(found, tokens, "{text:?}");
    }
}

#[test]
fn any_unicode_survives() {
    reads("so good👍🏽👩‍👩‍👧 yes", "so good 👍🏽👩‍👩‍👧 yes");
    reads("שלום, عالم!", "שלום , عالم !");
    reads(
        "nul\0byte \u{fffd} zero\u{200c}width cafe\u{301}'s",
        "nul\0byte \u{fffd} zero\u{200c}width cafe\u{301} 's",
    );
    reads("İ. ǅ ſ'S Ϲ.𝕆", "i̇ . ǆ ſ 's ϲ.𝕆");
    reads(" \t\n\u{3000}", "");
    reads("", "");
}

#[test]
fn case_is_kept_on_request() {
    let cased = Tokenizer::new(TokenizerKind::Treebank, false);
    let tokens: Vec<_> = cased.tokenize("(He CAN'T)").into_iter().map(|token| token.text).collect();
    assert_eq!(tokens, ["-LRB-", "He", "CA", "N'T", "-RRB-"]);
}

#[test]
fn spans_index_the_original_in_bytes_and_utf16() {
    let text = "👍 (“Größe”)";
    let tokens = Tokenizer::treebank().tokenize(text);
    let spans: Vec<_> =
        tokens.iter().map(|t| (t.text.as_str(), &text[t.span.bytes.clone()], t.span.utf16.clone())).collect();
    assert_eq!(
        spans,
        [
            ("👍", "👍", 0..2),
            ("-lrb-", "(", 3..4),
            ("``", "“", 4..5),
            ("größe", "Größe", 5..10),
            ("''", "”", 10..11),
            ("-rrb-", ")", 11..12)
        ]
    );
}

#[test]
fn spaces_cut_at_spaces_and_line_feeds_only() {
    let tokens = Tokenizer::spaces().tokenize("  It's 2\u{a0}1\\/2\tor\u{85} so. ");
    let found: Vec<_> = tokens.iter().map(|t| (t.text.as_str(), t.span.bytes.clone())).collect();
    assert_eq!(found, [("It's", 2..6), ("2\u{a0}1\\/2\tor\u{85}", 7..19), ("so.", 20..23)]);
}

#[test]
fn lines_end_alike_on_every_system() {
    let (unix, windows) =
        ("The cat\nsat. \n\nIt's\u{ad} a\rb\n", "The cat\r\nsat. \r\n\r\nIt's\u{ad} a\rb\r\n");
    let kinds =
        [TokenizerKind::Spaces, TokenizerKind::Characters, TokenizerKind::Treebank, TokenizerKind::Universal];
    for kind in kinds {
        for ends in [None, Some(Ends::Line), Some(Ends::Paragraph), Some(Ends::Document)] {
            let [lf, crlf] = [unix, windows].map(|text| {
                let tokens = Tokenizer::new(kind, false).with_ends(ends).tokenize(text);
                tokens
                    .into_iter()
                    .map(|token| (token.text, text[token.span.bytes].replace('\r', "")))
                    .collect::<Vec<_>>()
            });
            assert_eq!(lf, crlf, "{kind:?} {ends:?}");
            let words = |token: &(String, String)| token.0.contains("cat");
            assert!(kind == TokenizerKind::Characters || lf.iter().any(words), "{lf:?}");
        }
    }
    // A line may be wrapped in the middle of what a tokenizer without ends, or with ends of paragraphs, reads.
    for ends in [None, Some(Ends::Paragraph)] {
        let tokens = Tokenizer::spaces().with_ends(ends).tokenize("a b\r\nc\nd\r");
        let found: Vec<_> =
            tokens.iter().map(|token| (token.text.as_str(), token.span.bytes.clone())).collect();
        assert_eq!(found, [("a", 0..1), ("b", 2..3), ("c", 5..6), ("d\r", 7..9)]);
    }
}

#[test]
fn long_texts_take_linear_time() {
    // Quadratic time would not end within the patience of any test runner.
    for unit in [
        "a'", "'s", ".", "a.", "*", "/", "\\", "<br ", "?!", "-", "\"", "no. ", "👍", "n't", "1,", "\u{a0}",
        "\r\n",
    ] {
        let text = unit.repeat(1_000_000 / unit.len());
        let tokens = Tokenizer::treebank().tokenize(&text);
        assert!(tokens.len() <= text.len());
    }
    assert_eq!(Tokenizer::treebank().tokenize(&"a".repeat(10_000_000)).len(), 1);
    assert_eq!(Tokenizer::treebank().tokenize(&"word ".repeat(100_000)).len(), 100_000);
}

#[test]
fn settings_are_stored_by_name() {
    for (tokenizer, json) in [
        (Tokenizer::treebank(), r#"{"kind":"treebank","lowercase":true}"#),
        (Tokenizer::spaces(), r#"{"kind":"spaces","lowercase":false}"#),
    ] {
        assert_eq!(serde_json::to_string(&tokenizer).unwrap(), json);
        assert_eq!(serde_json::from_str::<Tokenizer>(json).unwrap(), tokenizer);
    }
    assert!(serde_json::from_str::<Tokenizer>(r#"{"kind":"words","lowercase":false}"#).is_err());
}

/// Strings rich in what the rules look at, beside arbitrary ones.
fn texts() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a", "I", "no", "it", "mr", "U", "s", "n", "t", "'", "’", "‘", "\"", "``", "''", "`", "“", "”", ".",
        "..", "…", ",", ":", ";", "!", "?", "-", "--", "–", "—", "\u{2011}", "/", "\\", "\\/", "*", "\\*",
        "(", ")", "-lrb-", "<", "<br", "<br />", ">", "$", "%", "#", "&", "1", "9", "'s", "n't", "cannot",
        "'em", "'n'", "ol'", "'70s", "İ", "Σ", "ſ", "K", "Ⱥ", "\u{301}", "\u{200d}", "\u{fe0f}", "👍", "🅰",
        "£", "«", "Ph", "D", "\u{ad}", "\u{200b}", "\u{feff}", "\u{a0}", "\u{85}", "\0", " ", "  ", "\n",
        "\r", "ש", "´", "\u{91}", "\u{96}",
    ]);
    prop_oneof![
        3 => prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn spans_are_ordered_and_agree(text in texts(), kind in 0..3_usize, lowercase: bool) {
        let kinds = [TokenizerKind::Treebank, TokenizerKind::Spaces, TokenizerKind::Universal];
        let (kind, treebank) = (kinds[kind], kind == 0);
        let mut last = 0;
        for token in Tokenizer::new(kind, lowercase).tokenize(&text) {
            let (bytes, utf16) = (token.span.bytes, token.span.utf16);
            prop_assert!(last <= bytes.start && bytes.start < bytes.end);
            last = bytes.end;
            let source = text.get(bytes.clone()).expect("a span lies on character boundaries");
            prop_assert_eq!(utf16.start, text[..bytes.start].encode_utf16().count());
            prop_assert_eq!(utf16.end - utf16.start, source.encode_utf16().count());
            let source: String = source.chars().filter(|&c| !is_ignored(c)).collect();
            let rewritten = |c: char| "()[]{}\"`'’‘´\u{91}\u{96}“”„«»*/.…-‐‑‒–—―".contains(c);
            if !treebank || !source.contains(rewritten) {
                prop_assert_eq!(token.text, if lowercase { source.to_lowercase() } else { source });
            }
        }
    }

    #[test]
    fn tokenised_text_is_a_fixed_point(text in texts(), lowercase: bool) {
        let tokenizer = Tokenizer::new(TokenizerKind::Treebank, lowercase);
        let once: Vec<_> = tokenizer.tokenize(&text).into_iter().map(|token| token.text).collect();
        let again: Vec<_> = tokenizer.tokenize(&once.join(" ")).into_iter().map(|token| token.text).collect();
        prop_assert_eq!(once, again);
    }

    #[test]
    fn nothing_but_separators_is_left_out(text in texts()) {
        let mut rest = text.clone();
        for token in Tokenizer::treebank().tokenize(&text).iter().rev() {
            rest.replace_range(token.span.bytes.clone(), " ");
        }
        let rest = rest.to_lowercase().replace("<br", " ").replace(['/', '>'], " ");
        prop_assert!(rest.chars().all(|c| c.is_whitespace() || is_ignored(c)), "{rest:?}");
    }
}

#[test]
fn lines_and_paragraphs_end_in_a_token() {
    let tokens = |kind, ends, text: &str| -> Vec<String> {
        let tokens = Tokenizer::new(kind, true).with_ends(ends).tokenize(text);
        for token in &tokens {
            let source = &text[token.span.bytes.clone()];
            assert_eq!(token.text == END, source.trim().is_empty() && source.contains('\n'), "{token:?}");
            let units = text[..token.span.bytes.end].encode_utf16().count();
            assert_eq!(units, token.span.utf16.end);
        }
        tokens.into_iter().map(|token| token.text).collect()
    };
    let text = "\n\n\"It é\nends.\n \n\u{feff}\"It begins\n\n";
    let paragraphs = tokens(TokenizerKind::Treebank, Some(Ends::Paragraph), text);
    // A quotation mark that is free on both sides opens anew in a paragraph.
    assert_eq!(paragraphs.join(" "), "`` it é ends . <eos> `` it begins <eos>");
    let lines = tokens(TokenizerKind::Spaces, Some(Ends::Line), "a B\n\nc ");
    assert_eq!(lines, ["a", "b", END, END, "c"]);
    for ends in [None, Some(Ends::Document)] {
        assert!(!tokens(TokenizerKind::Treebank, ends, text).contains(&END.to_owned()));
    }
    assert!(tokens(TokenizerKind::Treebank, Some(Ends::Paragraph), " \n\n ").is_empty());
}

#[test]
fn every_character_is_a_token() {
    let characters = |lowercase, text| -> Vec<String> {
        let tokens = Tokenizer::new(TokenizerKind::Characters, lowercase).tokenize(text);
        tokens.into_iter().map(|token| token.text).collect()
    };
    assert_eq!(characters(false, "A é\n\u{feff}\u{1f600}").concat(), "A é\n\u{1f600}");
    assert_eq!(characters(false, "e\u{301}"), ["e", "\u{301}"]);
    assert_eq!(characters(true, "İA"), ["i\u{307}", "a"]);
    assert!(characters(true, "").is_empty());
}

/// The tokens of raw text by the convention of Universal Dependencies are `expected`.
#[track_caller]
fn cuts(text: &str, expected: &str) {
    let tokens = Tokenizer::new(TokenizerKind::Universal, false).tokenize(text);
    assert_eq!(
        tokens.into_iter().map(|token| token.text).collect::<Vec<_>>().join(" "),
        expected,
        "{text:?}"
    );
}

#[test]
fn universal_words_keep_their_form_and_lose_their_clitics() {
    cuts("I don't think it's what they'd've SAID", "I do n't think it 's what they 'd 've SAID");
    cuts("We CAN'T, won’t (cannot) & dont.", "We CA N'T , wo n’t ( can not ) & do nt .");
    cuts("I'm gonna let 'em “go” -- 'now'!", "I 'm gon na let 'em “ go ” -- ' now ' !");
    cuts("O'Neil's dogs' o'clock", "O'Neil 's dogs ' o'clock");
}

#[test]
fn universal_hyphens_and_slashes_join_few_words() {
    cuts(
        "a 15-year-old, e-mail and/or anti-war re-runs",
        "a 15 - year - old , e-mail and / or anti-war re-runs",
    );
    cuts(
        "call 713-853-3989 or 555-1234 on 9/11/2001, 5-10",
        "call 713-853-3989 or 555-1234 on 9/11/2001 , 5 - 10",
    );
}

#[test]
fn universal_numbers_signs_and_addresses() {
    cuts(
        "Mr. Lee paid $1,000.50 (5%) at 5:30pm in the U.S.",
        "Mr. Lee paid $ 1,000.50 ( 5 % ) at 5:30 pm in the U.S.",
    );
    cuts("What?!! No... :-) yes!!! a=b", "What ?!! No ... :-) yes !!! a = b");
    cuts("see http://a.org/x-y?z=1, or (me@b.co.uk).", "see http://a.org/x-y?z=1 , or ( me@b.co.uk ) .");
    cuts("🙂👍🏽 naïve—café", "🙂👍🏽 naïve — café");
}

#[test]
fn universal_tokens_of_one_very_long_word_take_linear_time() {
    for part in ["a-", "1-", "'s", "a's", "z1", "1z", ".1", "a@", "www.", ":(", "a/", "''", "1,"] {
        let text = format!("1{}", part.repeat(100_000));
        assert!(!Tokenizer::new(TokenizerKind::Universal, true).tokenize(&text).is_empty());
    }
}
