//! Held against serde_json, which reads everything that this reads.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::from_str;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Read,
    Skim,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Record {
    name: String,
    count: usize,
    share: Option<f32>,
    sign: i64,
    kind: Kind,
    pair: (u64, u64),
    force: BTreeMap<usize, Kind>,
    inner: Vec<Record>,
}

#[test]
fn a_record_is_read() {
    let text = r#" {"name":"\"\u00e9\ud83d\ude00\n/", "count": 7 ,"share":0.25,"sign":-3,"kind":"skim","pair":[1,2],
        "force":{"3":"skim","12":"read"},"inner":[{},{"share":null}]} "#;
    let record: Record = from_str(text).expect("it is one");
    assert_eq!(record, serde_json::from_str(text).expect("it is one"));
    assert_eq!((record.name.as_str(), record.force[&3] == Kind::Skim), ("\"é😀\n/", true));
}

#[test]
fn numbers_are_what_they_say() {
    for text in
        ["0", "-0", "1", "18446744073709551615", "-9223372036854775808", "0.5", "1e3", "-1.5E-3", "1e22"]
    {
        assert_eq!(from_str::<f64>(text).ok(), text.parse().ok(), "{text}");
    }
    for (text, value) in
        [("123456789012345678901234567890", 123456789012345678901234567890.0), ("1e300", 1e300)]
    {
        let read = from_str::<f64>(text).expect("a number");
        assert!((read / value - 1.0_f64).abs() < 1e-14, "{text}: {read}");
    }
    assert_eq!(from_str::<f64>("0.000000000000000000000000000000001e33").ok(), Some(1.0));
    assert_eq!(from_str::<f64>("1e-999").ok(), Some(0.0));
    assert_eq!(from_str::<f64>("0e99999999999").ok(), Some(0.0));
    assert_eq!(from_str::<u64>("18446744073709551615").ok(), Some(u64::MAX));
    assert_eq!(from_str::<i64>("-9223372036854775808").ok(), Some(i64::MIN));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let refused = |text: &str, message: &str| {
        let error = from_str::<Record>(text).expect_err(message).to_string();
        assert_eq!(error, message, "{text}");
    };
    refused("", "EOF where a value goes on at byte 0");
    refused("{", "EOF where a value goes on at byte 1");
    refused("{} 1", "trailing characters at byte 3");
    refused("[1]", "invalid type: an array, expected struct Record at byte 1");
    refused(r#"{"count":-1}"#, "invalid value: integer `-1`, expected usize at byte 11");
    refused(r#"{"count":1.0}"#, "invalid type: a number that is no integer, expected usize at byte 12");
    refused(r#"{"share":1e999}"#, "number out of range at byte 14");
    refused(r#"{"count":01}"#, "a number that begins with 0 at byte 11");
    refused(r#"{"name":nil}"#, "expected `null` at byte 8");
    refused(r#"{"name":"a"#, "EOF in a string at byte 10");
    refused("{\"name\":\"a\nb\"}", "control character in a string at byte 10");
    refused(r#"{"name":"\ud83d\u0041"}"#, "lone surrogate in a string at byte 21");
    refused(r#"{"name":"\x"}"#, "invalid escape at byte 11");
    refused(r#"{"count":1,}"#, "trailing comma at byte 11");
    refused(r#"{"count" 1}"#, "expected `:` at byte 9");
    refused(
        r#"{"counts":1}"#,
        "unknown field `counts`, expected one of `name`, `count`, `share`, `sign`, `kind`, `pair`, `force`, `inner` at byte 10",
    );
    refused(r#"{"kind":"x"}"#, "unknown variant `x`, expected `read` or `skim` at byte 11");
    refused(r#"{"pair":[1]}"#, "invalid length 1, expected a tuple of size 2 at byte 10");
    refused(r#"{"pair":[1,2,3]}"#, "expected `]` at byte 12");
    let deep = "[".repeat(1 << 20);
    let error = from_str::<Value>(&deep).expect_err("it is too deep").to_string();
    assert_eq!(error, "too many values within values at byte 65");
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,6}|[\"\\\\\n\u{1}é]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("\\PC{0,3}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_read(value in json(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        prop_assert_eq!(from_str::<Value>(&text.expect("it can be written")).ok(), Some(value));
    }

    #[test]
    fn floats_are_within_two_roundings(value in prop::num::f64::NORMAL) {
        let text = serde_json::to_string(&value).expect("it can be written");
        let read = from_str::<f64>(&text).expect("a number");
        let bound = if (1e-5..1e16).contains(&value.abs()) { 2.0 } else { 32.0 };
        prop_assert!((read / value - 1.0).abs() <= bound * f64::EPSILON, "{text}: {read}");
    }

    #[test]
    fn nothing_else_is_read(text in "[\\[\\]{}:,\"\\\\0-9a-funlrtse+.\\- ]{0,24}") {
        let (ours, theirs) = (from_str::<Value>(&text), serde_json::from_str::<Value>(&text));
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{}: {:?} {:?}", text, ours, theirs);
    }
}
