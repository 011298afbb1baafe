//! What takes the room in the browser's engine: a table by crate and floor, and the bound that the build keeps to.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use anyhow::{Result, ensure};
use flate2::{Compression, write::GzEncoder};
use wasmparser::{DataKind, KnownCustom, Name, Operator, Parser, Payload};

use crate::names::Names;

/// Bytes after gzip -9 that one binary and its JavaScript may take together.
const MOST: usize = 192_000;

/// Bytes after gzip -9.
pub(crate) fn gzip(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

/// Checks that a binary and its JavaScript are small enough.
///
/// # Errors
/// If they take more than [`MOST`].
pub(crate) fn check(module: &[u8], script: &[u8]) -> Result<usize> {
    let total = gzip(module)? + gzip(script)?;
    ensure!(
        total <= MOST,
        "the engine takes {total} bytes after gzip -9, {MOST} are what it may: the table says where they are"
    );
    Ok(total)
}

/// The bytes of a module by where they come from.
#[derive(Default)]
pub(crate) struct Sizes(BTreeMap<String, Vec<u8>>);

impl Sizes {
    /// Takes a module apart. Functions go by the names that its name section gives them: what was inlined counts where
    /// it ended up, what is generic where it was written. `shaders` are the pieces to look for in the data.
    ///
    /// # Errors
    /// If it is no module.
    pub(crate) fn of(module: &[u8], shaders: &BTreeSet<&str>) -> Result<Self> {
        let mut sizes = Self::default();
        let (mut names, mut imported, mut bodies) = (BTreeMap::new(), 0, Vec::new());
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::CodeSectionEntry(body) => bodies.push(&module[body.range()]),
                Payload::DataSection(data) => {
                    for segment in data {
                        sizes.add_data(segment?.data, shaders);
                    }
                }
                Payload::ImportSection(imports) => {
                    let range = imports.range();
                    for import in imports.into_imports() {
                        imported += u32::from(matches!(import?.ty, wasmparser::TypeRef::Func(_)));
                    }
                    sizes.add("(imports)", &module[range]);
                }
                Payload::CustomSection(section) => {
                    let KnownCustom::Name(section) = section.as_known() else { continue };
                    for subsection in section {
                        if let Name::Function(functions) = subsection? {
                            for naming in functions {
                                let naming = naming?;
                                names.insert(naming.index, naming.name);
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        for (number, body) in (imported..).zip(bodies) {
            sizes.add(&group(names.get(&number).copied().unwrap_or_default()), body);
        }
        Ok(sizes)
    }

    fn add(&mut self, group: &str, bytes: &[u8]) {
        self.0.entry(group.to_owned()).or_default().extend_from_slice(bytes);
    }

    /// What of a data segment is a shader's.
    fn add_data(&mut self, data: &[u8], shaders: &BTreeSet<&str>) {
        let mut rest = vec![true; data.len()];
        for piece in shaders.iter().map(|piece| piece.as_bytes()) {
            if let Some(at) = data.windows(piece.len().max(1)).position(|window| window == piece) {
                rest[at..at + piece.len()].fill(false);
            }
        }
        let of = |kept: bool| -> Vec<u8> {
            data.iter().zip(&rest).filter(|(_, rest)| **rest == kept).map(|(byte, _)| *byte).collect()
        };
        self.add("(shaders)", &of(false));
        self.add("(data)", &of(true));
    }

    /// The table, the largest first.
    ///
    /// # Errors
    /// None that memory gives no cause for.
    pub(crate) fn table(&self) -> Result<String> {
        /// Groups below this are added up.
        const LEAST: usize = 1500;
        let mut rows: Vec<(usize, usize, &str)> = Vec::new();
        let mut small = Vec::new();
        for (group, bytes) in &self.0 {
            if bytes.len() < LEAST {
                small.extend_from_slice(bytes);
            } else {
                rows.push((bytes.len(), gzip(bytes)?, group));
            }
        }
        rows.sort_unstable_by(|a, b| b.cmp(a));
        rows.push((small.len(), gzip(&small)?, "(all others)"));
        let mut table = format!("{:>9} {:>9}  {}\n", "bytes", "gzip -9", "code of, or (kind)");
        for (bytes, packed, group) in rows {
            table += &format!("{bytes:>9} {packed:>9}  {group}\n");
        }
        Ok(table)
    }
}

/// The crate of a function, of our own the module as well.
fn group(symbol: &str) -> String {
    let name = format!("{:#}", rustc_demangle::demangle(symbol));
    // `<&mut a::B as c::D>::e` belongs to a.
    let begin = name.trim_start_matches(['<', '&', '*', '(', '[']);
    let begin = ["mut ", "dyn ", "const "].iter().fold(begin, |name, word| name.trim_start_matches(word));
    let end = begin.find(['<', '>', ' ', '[', '(', '{']).unwrap_or(begin.len());
    let mut path = begin[..end].split("::").filter(|part| !part.is_empty());
    let krate = path.next().unwrap_or_default();
    match (krate, path.next()) {
        _ if begin.len() == end && !begin.contains("::") => "(exports and intrinsics)".to_owned(),
        ("saccade_rnn", Some("device")) => {
            format!("saccade_rnn::device::{}", path.next().unwrap_or_default())
        }
        ("saccade_rnn" | "core" | "alloc" | "std", Some(module)) => format!("{krate}::{module}"),
        // Methods of what the language has, and what is written for every `T`.
        ("str" | "char" | "bool" | "f32" | "f64" | "u32" | "u64" | "usize" | "i32" | "i64" | "T" | "", _) => {
            "(primitives)".to_owned()
        }
        _ => krate.to_owned(),
    }
}

/// The module without names and other sections that nothing runs, its imports called as `names` has them.
///
/// # Errors
/// If it is no module or imports what has no name, or if its data begins below 1024, where `wasm-opt --low-memory-unused` takes for granted that
/// nothing is.
pub(crate) fn strip(module: &[u8], names: &Names) -> Result<Vec<u8>> {
    const HEAD: usize = 8;
    let mut stripped = module[..HEAD.min(module.len())].to_vec();
    let mut end = HEAD;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        if let Payload::DataSection(data) = &payload {
            for segment in data.clone() {
                let DataKind::Active { offset_expr, .. } = segment?.kind else { continue };
                let first = offset_expr.get_operators_reader().read()?;
                ensure!(
                    matches!(first, Operator::I32Const { value: 1024.. }),
                    "the data begins at {first:?}, below what --low-memory-unused leaves alone"
                );
            }
        }
        // A section's range leaves out its number and its length, which stand between it and the one before.
        if let Some((number, range)) = payload.as_section() {
            match payload {
                Payload::ImportSection(_) => stripped.extend(names.section(module)?),
                _ if number != 0 => stripped.extend_from_slice(&module[end..range.end]),
                _ => {}
            }
            end = range.end;
        }
    }
    Ok(stripped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_go_by_crate_and_floor() {
        for (symbol, expected) in [
            ("_ZN11saccade_rnn6device3gpu7kernels7forward17h715d40c8eb20d829E", "saccade_rnn::device::gpu"),
            ("_ZN11saccade_rnn5graph14Graph$LT$D$GT$5flush17h6767a8f7bb5c676bE", "saccade_rnn::graph"),
            (
                "_ZN77_$LT$saccade_rnn..device..gpu..Gpu$u20$as$u20$saccade_rnn..device..Device$GT$6gather17h2559967863b69aafE",
                "saccade_rnn::device::gpu",
            ),
            (
                "_ZN98_$LT$$RF$mut$u20$serde_json..de..Deserializer$LT$R$GT$$u20$as$u20$serde_core..de..Deserializer$GT$15deserialize_any17hdf74a50ac1c544bdE",
                "serde_json",
            ),
            ("_ZN4core3ptr42drop_in_place$LT$alloc..string..String$GT$17h1234567890abcdefE", "core::ptr"),
            ("_RNvMs3_NtCs5cOc02OMXlo_5alloc3stre12to_lowercase", "(primitives)"),
            ("model_load", "(exports and intrinsics)"),
        ] {
            assert_eq!(group(symbol), expected);
        }
    }

    #[test]
    fn data_is_told_apart() -> Result<()> {
        let mut sizes = Sizes::default();
        sizes.add_data(b"..fn main() {}!", &BTreeSet::from(["fn main() {}", "fn other() {}"]));
        assert_eq!((&sizes.0["(shaders)"][..], &sizes.0["(data)"][..]), (&b"fn main() {}"[..], &b"..!"[..]));
        assert!(sizes.table()?.contains("(all others)"));
        Ok(())
    }

    #[test]
    fn what_is_too_large_is_refused() {
        // A generator's bytes: nothing that gzip could shorten.
        let many: Vec<u8> = std::iter::successors(Some(1_u64), |x| {
            Some(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1))
        })
        .map(|x| (x >> 33) as u8)
        .take(MOST)
        .collect();
        assert!(check(&many, &[]).is_err());
        assert!(check(&[], b"export {}").is_ok());
    }

    #[test]
    fn names_are_stripped_and_low_data_is_refused() -> Result<()> {
        let head = *b"\0asm\x01\0\0\0";
        let memory = [5, 3, 1, 0, 1];
        let custom = [0, 5, 4, b'n', b'a', b'm', b'e'];
        let at = |low: u8, high: u8| [11, 8, 1, 0, 0x41, low, high, 0x0b, 1, 7];
        let module = [&head[..], &memory, &custom, &at(0x80, 0x08), &custom].concat();
        let names = Names::of(&module)?;
        assert_eq!(strip(&module, &names)?, [&head[..], &memory, &at(0x80, 0x08)].concat());
        assert!(strip(&[&head[..], &memory, &at(0xff, 0x07)].concat(), &names).is_err());
        Ok(())
    }
}
