//! The Rust modules of what shaders declare: one a file, named like it, those of `shared/` in `shared`.
//!
//! Variants may declare a thing differently. Then it stands in the module of each word that settles it: `COLUMNS` of
//! `matmul.wgsl`, variants `c64 c32 c8`, is `matmul::c64::COLUMNS` and so on. What only several words together settle has
//! no place.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::declare::Declaration;

/// A variant's words, and the source of a declaration in it.
type Versions = Vec<(Vec<String>, String)>;

/// Declarations of all kernels, by file and name.
#[derive(Default)]
pub(crate) struct Modules {
    files: BTreeMap<String, BTreeMap<String, Versions>>,
}

impl Modules {
    /// Adds what a variant declares.
    pub(crate) fn add(&mut self, variant: &[String], declaration: Declaration) {
        let Declaration { file, name, source } = declaration;
        self.files.entry(file).or_default().entry(name).or_default().push((variant.to_vec(), source));
    }

    /// The Rust source of all modules.
    pub(crate) fn source(&self) -> String {
        let (mut own, mut shared) = (String::new(), String::new());
        for (file, declarations) in &self.files {
            let (name, into) = match file.strip_prefix("shared/") {
                Some(name) => (name, &mut shared),
                None => (&file[..], &mut own),
            };
            let title = format!("Declarations of `shaders/{file}`.");
            write_module(into, name.trim_end_matches(".wgsl"), &title, &file_module(declarations));
        }
        write_module(&mut own, "shared", "Declarations that several kernels share.", &shared);
        own
    }
}

/// What all variants agree on, then the modules of the words that settle the rest.
fn file_module(declarations: &BTreeMap<String, Versions>) -> String {
    let mut source = String::new();
    let mut words: BTreeMap<&str, String> = BTreeMap::new();
    for versions in declarations.values() {
        if let Some(version) = only(versions.iter().map(|(_, version)| version)) {
            source.push_str(version);
            continue;
        }
        for word in versions.iter().flat_map(|(variant, _)| variant).collect::<BTreeSet<_>>() {
            let taken = versions.iter().filter(|(variant, _)| variant.contains(word));
            if let Some(version) = only(taken.map(|(_, version)| version)) {
                words.entry(word).or_default().push_str(version);
            }
        }
    }
    for (word, declarations) in words {
        write_module(&mut source, word, &format!("Declarations of variants with `{word}`."), &declarations);
    }
    source
}

/// The version that all agree on, if they do.
fn only<'a>(mut versions: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let first = versions.next()?;
    versions.all(|version| version == first).then_some(first)
}

fn write_module(into: &mut String, name: &str, title: &str, source: &str) {
    // Writing to a `String` cannot fail.
    let _ = write!(
        into,
        "/// {title}\n#[allow(missing_docs, reason = \"a comment of a shader may stand above several fields\")]\n\
         pub mod {name} {{\n{source}}}\n"
    );
}
