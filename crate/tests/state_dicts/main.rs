//! No `state_dict` opens as something that PyTorch's own loader would not take it for.
//!
//! `oracle` is that loader's rule, held here against what PyTorch reports (`fixtures/state_dicts.json`); `property` what our
//! layers must then report.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use proptest::prelude::*;

mod oracle;
mod property;

use oracle::{Layer, Report, Shapes};
use property::Case;

#[derive(serde::Deserialize)]
struct Record {
    kind: String,
    sizes: serde_json::Map<String, serde_json::Value>,
    given: Shapes,
    report: Report,
}

#[test]
fn pytorch_ours_and_the_oracle_report_alike() {
    let records: Vec<Record> = serde_json::from_str(include_str!("../fixtures/state_dicts.json")).unwrap();
    let (mut whole, count) = (0, records.len());
    for Record { kind, sizes, given, report } in records {
        let case = Case { layer: Layer { kind, sizes }, prefix: "", given, dtype: None };
        assert_eq!(case.expected(), report, "{case:?}: PyTorch's report");
        case.check();
        whole += usize::from(report == Report::default());
    }
    assert!(count >= 48 && whole >= 8 && count - whole >= 24, "{whole} of {count} are whole");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_state_dict_is_reported_as_pytorch_reports_it(choices in prop::collection::vec(any::<u16>(), 64)) {
        let mut choices = choices.into_iter();
        Case::new(|n| usize::from(choices.next().unwrap_or(0)) % n).check();
    }
}
