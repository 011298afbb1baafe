//! Where in a file the layers are.

use std::collections::BTreeSet;
use std::fmt;

use super::ModelError;
use super::error::excerpt;
use super::header::Header;
use super::state_dict::StateDict;

/// How the tensor ends that every layer of some kind has.
const ENDINGS: [&str; 5] = ["weight_ih_l0", "weight_ih", "rnn_lst.0.weight_c", DECISION, TAIL];
const DECISION: &str = "decision.weight";
const TAIL: &str = "tail.0.0.weight";
/// The kind of `nn.AdaptiveLogSoftmaxWithLoss`.
pub(super) const ADAPTIVE_SOFTMAX: &str = "AdaptiveSoftmax";
/// What `nn.DataParallel` and `torch.compile` put before the names of what they wrap.
const WRAPPERS: [&str; 2] = ["module.", "_orig_mod."];
/// How the names of a layer's own tensors begin.
const OWN: [&str; 9] =
    ["weight_", "bias_", "rnn_lst.", "input_to_hidden.", "big.", "small.", "decision.", "head.", "tail."];
/// An Elman network, an LSTM or a GRU, of which the shapes do not tell which.
const UNCLEAR: &str = "a recurrent layer";
/// The most layers that a message lists.
const MOST_LISTED: usize = 8;

/// A layer that a file seems to have.
#[derive(Debug, PartialEq)]
pub(super) struct Place {
    prefix: String,
    /// Its name.
    kind: &'static str,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} with the prefix {:?}", self.kind, excerpt(&self.prefix))
    }
}

/// All layers that a file seems to have.
pub(super) fn places(header: &Header) -> Vec<Place> {
    let all = StateDict::under(header, "");
    let has = |prefix: &str, name: &str| all.shape(&format!("{prefix}{name}")).is_some();
    let of_layer = |name: &str| {
        let ending = ENDINGS.iter().find(|ending| name.ends_with(**ending))?;
        let prefix = &name[..name.len() - ending.len()];
        let is_scope = prefix.is_empty() || prefix.ends_with('.');
        // A Skim layer's cells are parts of it, and without them a decision is another's.
        let skim = prefix.strip_suffix("big.").or_else(|| prefix.strip_suffix("small."));
        let is_part = skim.is_some_and(|skim| has(skim, DECISION));
        let is_whole = *ending != DECISION || has(prefix, "big.weight_ih") || has(prefix, "big.weight_hh");
        (is_scope && is_whole && !is_part).then(|| prefix.to_owned())
    };
    let mut prefixes = BTreeSet::new();
    prefixes.extend(all.names().filter_map(of_layer));
    let place = |prefix: String| Place { kind: kind(&StateDict::under(header, &prefix)), prefix };
    prefixes.into_iter().map(place).collect()
}

/// The kind of layer that tensors are.
fn kind(tensors: &StateDict<'_>) -> &'static str {
    let has = |name| tensors.shape(name).is_some();
    if has("rnn_lst.0.weight_c") {
        return "Sru";
    }
    if has(DECISION) {
        return "Skim";
    }
    if has(TAIL) {
        return ADAPTIVE_SOFTMAX;
    }
    if has("weight_hr_l0") {
        return "Lstm";
    }
    match (tensors.shape("weight_ih_l0"), tensors.shape("weight_hh_l0")) {
        (Some(&[rows, _]), Some(&[same, columns])) if rows == same => match rows.checked_div(columns) {
            Some(1) if rows == columns => "Elman",
            Some(3) if rows == 3 * columns => "Gru",
            Some(4) if rows == 4 * columns => "Lstm",
            _ => UNCLEAR,
        },
        _ => UNCLEAR,
    }
}

/// The prefix of the layer of a kind: the one given, or what wraps the layer behind it; where none is given, that of the
/// only such layer.
pub(super) fn find(header: &Header, given: &str, wanted: &str) -> Result<String, ModelError> {
    let places = places(header);
    let is_there = |place: &&Place| {
        let rest = place.prefix.strip_prefix(given);
        given.is_empty() || rest.is_some_and(|rest| wraps(rest.strip_prefix('.').unwrap_or(rest)))
    };
    let may_be = |place: &Place| place.kind == UNCLEAR && matches!(wanted, "Elman" | "Lstm" | "Gru");
    let is_wanted = |place: &&Place| place.kind == wanted || may_be(place);
    let mut fitting = places.iter().filter(is_there).filter(is_wanted);
    let why = match (fitting.next(), fitting.next()) {
        (Some(place), None) => return Ok(place.prefix.clone()),
        (Some(place), Some(_)) if !given.is_empty() && same(&place.prefix, given) => {
            return Ok(place.prefix.clone());
        }
        (Some(_), Some(_)) => format!("several layers may be the {wanted}"),
        (None, _) => {
            let own = |name: &str| OWN.iter().any(|begin| name.starts_with(begin));
            // A layer without the tensor that tells it.
            if !places.iter().any(|place| is_there(&place))
                && StateDict::under(header, given).names().any(own)
            {
                return Ok(given.to_owned());
            }
            let under = if given.is_empty() { String::new() } else { format!(" with the prefix {given:?}") };
            format!("there is no {wanted}{under}")
        }
    };
    Err(ModelError::NoLayer { why, found: listed(header, &places) })
}

/// Whether two prefixes are one, whose last dot may be left off.
fn same(a: &str, b: &str) -> bool {
    a.trim_end_matches('.') == b.trim_end_matches('.')
}

/// Whether a prefix is that of a wrapped module, or none.
fn wraps(mut prefix: &str) -> bool {
    while let Some(inner) = WRAPPERS.iter().find_map(|wrapper| prefix.strip_prefix(wrapper)) {
        prefix = inner;
    }
    prefix.is_empty()
}

/// The layers of a file in words, and what to do with them.
pub(super) fn found(header: &Header) -> String {
    listed(header, &places(header))
}

fn listed(header: &Header, places: &[Place]) -> String {
    if header.entries.is_empty() {
        return "no tensors".into();
    }
    let (mut list, rest, remedy): (Vec<String>, _, _) = if places.is_empty() {
        let names = header.entries.keys().take(MOST_LISTED).map(|name| format!("{:?}", excerpt(name)));
        (names.collect(), header.entries.len(), "no layer that is known here")
    } else {
        let layers = places.iter().take(MOST_LISTED).map(Place::to_string);
        (layers.collect(), places.len(), "open a layer by its kind and prefix")
    };
    if rest > list.len() {
        list.push(format!("{} more", rest - list.len()));
    }
    format!("{}: {remedy}", list.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Shapes = Vec<(String, Vec<usize>)>;

    /// A layer's two matrices under a prefix.
    fn layer(prefix: &str, gates: usize) -> Shapes {
        let matrix = |name| (format!("{prefix}{name}"), vec![gates * 2, 2]);
        vec![matrix("weight_ih_l0"), matrix("weight_hh_l0")]
    }

    fn skim(prefix: &str) -> Shapes {
        let matrix = |name, rows| (format!("{prefix}{name}"), vec![rows, 2]);
        vec![matrix("big.weight_ih", 8), matrix("big.weight_hh", 8), matrix("decision.weight", 2)]
    }

    fn search(shapes: &[Shapes], given: &str, wanted: &str) -> Result<String, String> {
        let shapes = shapes.concat();
        let shapes: Vec<_> = shapes.iter().map(|(name, shape)| (name.as_str(), &shape[..])).collect();
        find(&Header::of(&shapes), given, wanted).map_err(|error| error.to_string())
    }

    #[test]
    fn the_only_layer_of_its_kind_is_found_by_itself() {
        for prefix in ["", "encoder.", "module.", "_orig_mod.", "model.encoder.rnns.0.module."] {
            let file = [layer(prefix, 4), layer("other.", 3), skim("skim.")];
            assert_eq!(search(&file, "", "Lstm").as_deref(), Ok(prefix));
            assert_eq!(search(&file, prefix, "Lstm").as_deref(), Ok(prefix));
            assert_eq!(search(&file, "", "Gru").as_deref(), Ok("other."));
            assert_eq!(search(&file, "", "Skim").as_deref(), Ok("skim."));
            assert_eq!(
                search(&file[..2], "", "Elman").as_deref().map_err(|e| e.contains("no Elman")),
                Err(true)
            );
        }
    }

    #[test]
    fn a_prefix_may_leave_off_what_wraps_the_layer() {
        let file = [layer("encoder._orig_mod.module.", 4), layer("decoder.", 4), layer("decoder.module.", 4)];
        for given in ["encoder", "encoder.", "encoder._orig_mod.", "encoder._orig_mod.module."] {
            assert_eq!(search(&file, given, "Lstm").as_deref(), Ok("encoder._orig_mod.module."));
        }
        // Of two, the one whose prefix it is.
        for given in ["decoder", "decoder."] {
            assert_eq!(search(&file, given, "Lstm").as_deref(), Ok("decoder."));
        }
        assert!(search(&file, "enc", "Lstm").is_err() && search(&file, "encoder.rnn.", "Lstm").is_err());
    }

    #[test]
    fn where_none_or_several_are_the_prefixes_are_listed() {
        let two = [layer("encoder.", 4), layer("decoder.", 4), layer("tagger.", 3)];
        let all = "Lstm with the prefix \"decoder.\", Lstm with the prefix \"encoder.\", Gru with the prefix \"tagger.\"";
        for (given, wanted, why) in [
            ("", "Lstm", "several layers may be the Lstm; the file has"),
            ("", "Elman", "there is no Elman; the file has"),
            ("coder.", "Lstm", "there is no Lstm with the prefix \"coder.\"; the file has"),
            // An LSTM opened as a GRU.
            ("encoder.", "Gru", "there is no Gru with the prefix \"encoder.\"; the file has"),
        ] {
            let error = search(&two, given, wanted).unwrap_err();
            assert_eq!(error, format!("{why} {all}: open a layer by its kind and prefix"));
        }
        let many: Vec<Shapes> = (10..30).map(|i| layer(&format!("{i}."), 4)).collect();
        let error = search(&many, "", "Lstm").unwrap_err();
        assert!(error.contains("\"17.\", 12 more: open"), "{error}");
        let none = [vec![("conv.weight".to_owned(), vec![3, 3])]];
        let error = search(&none, "", "Lstm").unwrap_err();
        assert_eq!(error, "there is no Lstm; the file has \"conv.weight\": no layer that is known here");
        assert_eq!(search(&[], "", "Lstm").unwrap_err(), "there is no Lstm; the file has no tensors");
    }

    #[test]
    fn a_layer_without_its_first_tensor_is_left_to_the_report_of_what_is_missing() {
        let rest = [layer("encoder.", 4)[1..].to_vec()];
        assert_eq!(search(&rest, "encoder.", "Lstm").as_deref(), Ok("encoder."));
        assert!(search(&rest, "", "Lstm").is_err());
    }
}
