//! What takes the room in the browser's engine: a table by crate and floor, and the bound that the build keeps to.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use anyhow::{Result, ensure};
use flate2::{Compression, write::GzEncoder};
use wasmparser::{Parser, Payload};

/// Bytes after gzip -9.
fn gzip(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

/// Checks that a binary, by its `name`, and its JavaScript are small enough; returns a line that says how small.
///
/// # Errors
/// If they take more than `most`.
pub(crate) fn check(name: &str, module: &[u8], script: &[u8], most: usize) -> Result<String> {
    let (of_module, of_script) = (gzip(module)?, gzip(script)?);
    let total = of_module + of_script;
    ensure!(
        total <= most,
        "{name} takes {total} bytes after gzip -9 and may take {most}: the table says where they are"
    );
    let bytes = module.len();
    Ok(format!("{name}: {bytes} bytes; after gzip -9 {of_module}, and {of_script} of JavaScript: {total}"))
}

/// The bytes of a module by where they come from.
#[derive(Default)]
pub(crate) struct Sizes(BTreeMap<String, Vec<u8>>);

impl Sizes {
    /// Takes a module apart. Functions go by the names of `symbols`, wasm-opt's map of lines `number:name`: what was
    /// inlined counts where it ended up, what is generic where it was written. `shaders` are the pieces to look for in
    /// the data.
    ///
    /// # Errors
    /// If the module cannot be read.
    pub(crate) fn of(module: &[u8], symbols: &str, shaders: &BTreeSet<&str>) -> Result<Self> {
        let names: BTreeMap<u32, &str> = symbols
            .lines()
            .filter_map(|line| line.split_once(':'))
            .filter_map(|(number, name)| Some((number.parse().ok()?, name)))
            .collect();
        let mut sizes = Self::default();
        let (mut imported, mut bodies) = (0, Vec::new());
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
    fn functions_are_counted_under_their_names() -> Result<()> {
        // Two functions without arguments; the first is empty, the second returns.
        let module =
            b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x03\x02\0\0\x0a\x08\x02\x02\0\x0b\x03\0\x0f\x0b";
        let sizes = Sizes::of(module, "0:core::fmt::write\n1:wgpu::a::b\n", &BTreeSet::new())?;
        assert_eq!((&sizes.0["core::fmt"][..], &sizes.0["wgpu"][..]), (&b"\0\x0b"[..], &b"\0\x0f\x0b"[..]));
        Ok(())
    }

    #[test]
    fn what_is_too_large_is_refused() {
        // A generator's bytes: nothing that gzip could shorten.
        let many: Vec<u8> = std::iter::successors(Some(1_u64), |x| {
            Some(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1))
        })
        .map(|x| (x >> 33) as u8)
        .take(300_000)
        .collect();
        let error = check("a.wasm", &many, &[], 300_000).unwrap_err().to_string();
        assert!(error.starts_with("a.wasm takes 3"), "{error}");
        assert!(check("a.wasm", &[], b"export {}", 300_000).is_ok());
    }
}
