//! Short names for what a binary imports. wasm-bindgen gives every import a name of some forty characters that ends in
//! a hash, in the binary and in the JavaScript, and nobody but these two reads it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use anyhow::{Context, Result};
use wasm_encoder::{EntityType, ImportSection};
use wasmparser::{Import, Parser, Payload};

/// What a module imports, as the JavaScript calls it, and shorter.
pub(crate) struct Names(Vec<(String, String)>);

impl Names {
    /// Of the imports of a module: by their order in the alphabet, so that two modules that import the same agree.
    ///
    /// # Errors
    /// If it is no module.
    pub(crate) fn of(module: &[u8]) -> Result<Self> {
        let mut names = BTreeSet::new();
        for import in imports(module)? {
            names.extend([import.module, import.name]);
        }
        Ok(Self(names.into_iter().zip(0..).map(|(name, number)| (name.to_owned(), short(number))).collect()))
    }

    fn get(&self, name: &str) -> Result<&str> {
        let at = self.0.binary_search_by_key(&name, |(long, _)| long);
        let at = at.ok().with_context(|| format!("the two binaries differ in the import {name}"))?;
        Ok(&self.0[at].1)
    }

    /// The module's section of imports with the short names.
    ///
    /// # Errors
    /// If the module imports what has no name here.
    pub(crate) fn section(&self, module: &[u8]) -> Result<Vec<u8>> {
        let mut section = ImportSection::new();
        for import in imports(module)? {
            let kind: EntityType = import.ty.try_into()?;
            section.import(self.get(import.module)?, self.get(import.name)?, kind);
        }
        let mut bytes = Vec::new();
        wasm_encoder::Section::append_to(&section, &mut bytes);
        Ok(bytes)
    }

    /// The JavaScript with the short names.
    ///
    /// # Errors
    /// If a name does not stand in it once, as the key of a property.
    pub(crate) fn script(&self, script: &str) -> Result<String> {
        let mut script = Cow::Borrowed(script);
        for (long, short) in &self.0 {
            let keys = [format!("\"{long}\":"), format!("{long}:")];
            let key = keys.iter().find(|key| script.matches(*key).count() == 1);
            let key = key.with_context(|| format!("{long} is no property in the JavaScript, or several"))?;
            script = script.replace(key, &format!("{short}:")).into();
        }
        Ok(script.into_owned())
    }
}

fn imports(module: &[u8]) -> Result<Vec<Import<'_>>> {
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(section) = payload? {
            return Ok(section.into_imports().collect::<Result<_, _>>()?);
        }
    }
    Ok(Vec::new())
}

/// A name for a property: letters, the shortest first.
fn short(number: usize) -> String {
    const LETTERS: usize = 26;
    let last = char::from(b'a' + (number % LETTERS) as u8);
    let before = number / LETTERS;
    if before == 0 { last.into() } else { format!("{}{last}", short(before - 1)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(names: &[&str]) -> Vec<u8> {
        let mut types = wasm_encoder::TypeSection::new();
        types.ty().function([], []);
        let mut section = ImportSection::new();
        for name in names {
            section.import("./glue.js", name, EntityType::Function(0));
        }
        let mut module = wasm_encoder::Module::new();
        module.section(&types).section(&section);
        module.finish()
    }

    #[test]
    fn both_sides_agree() -> Result<()> {
        let names = Names::of(&module(&["__wbg_then_1f", "__wbg_call_2e"]))?;
        let script = r#"({"./glue.js":{__wbg_call_2e:f,__wbg_then_1f:g}})"#;
        assert_eq!(names.script(script)?, "({a:{b:f,c:g}})");
        // Another order, as the other binary may have it.
        let section = names.section(&module(&["__wbg_call_2e", "__wbg_then_1f"]))?;
        assert_eq!(section, [2, 13, 2, 1, b'a', 1, b'b', 0, 0, 1, b'a', 1, b'c', 0, 0]);
        Ok(())
    }

    #[test]
    fn what_does_not_fit_is_refused() -> Result<()> {
        let names = Names::of(&module(&["__wbg_call_2e"]))?;
        assert!(names.section(&module(&["__wbg_then_1f"])).is_err());
        assert!(names.script(r#"({"./glue.js":{}})"#).is_err());
        Ok(())
    }

    #[test]
    fn short_names_are_distinct() {
        let names: BTreeSet<String> = (0..1000).map(short).collect();
        assert_eq!(names.len(), 1000);
        assert_eq!([short(25), short(26), short(27), short(702)], ["z", "aa", "ab", "aaa"]);
    }
}
