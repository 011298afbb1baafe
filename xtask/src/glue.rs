//! What the build changes in the JavaScript that wasm-bindgen writes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};

/// The bindings, in which every function that the module hands out, to be called by a promise or by the GPU, is run by
/// whoever asked to: a trap in it would otherwise be nobody's to catch, and end Node.
pub(crate) fn contained(script: &str) -> Result<String> {
    let handed_out = "    return real;\n";
    ensure!(script.contains(handed_out), "wasm-bindgen hands out functions in another way: see `contained`");
    let script = script.replace(handed_out, "    return contained(real);\n");
    Ok(format!(
        "{script}
let contain = (work) => work();
export function containClosures(run) {{
    contain = run;
}}
function contained(real) {{
    const run = contain;
    return Object.assign((...args) => run(() => real(...args)), {{ _wbg_cb_unref: real._wbg_cb_unref }});
}}
"
    ))
}

/// The bindings, with a GPU wherever `navigator.gpu` is there: wgpu looks for it in pages and in browsers' workers alone, by
/// the globals that tell them, and a runtime may have neither.
pub(crate) fn gpu_anywhere(script: &str) -> Result<String> {
    let page = "const ret = arg0.Window;\n";
    ensure!(script.contains(page), "wgpu looks for a page in another way: see `gpu_anywhere`");
    // Only whether it is undefined is asked; the navigator is then that of the global object.
    Ok(script.replace(page, "const ret = arg0.Window ?? arg0.navigator?.gpu;\n"))
}

/// The types of the bindings, with that of what [`contained`] adds.
pub(crate) fn declared(types: &str) -> String {
    format!(
        "{types}
/** Has every function that the module hands out from now on run by `run`. */
export function containClosures(run: (work: () => unknown) => unknown): void;
"
    )
}

/// Short names for those of imports that end in a hash, as wasm-bindgen writes them to link what several crates import.
/// A hash stands in the module and in the JavaScript, where no compression finds anything in it.
pub(crate) fn without_hashes<'a>(names: impl Iterator<Item = &'a String>) -> BTreeMap<String, String> {
    let names: BTreeSet<&String> = names.collect();
    let mut count = BTreeMap::new();
    let short = names.into_iter().filter_map(|name| {
        let (stem, hash) = name.rsplit_once('_')?;
        let is_hash = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let stem = stem.strip_prefix("__wbg_").or_else(|| stem.strip_prefix("__wbindgen_"))?;
        let same = count.entry(stem).and_modify(|count| *count += 1).or_insert(1);
        is_hash.then(|| (name.clone(), format!("{stem}_{same}")))
    });
    short.collect()
}

/// A script in which identifiers have other names.
pub(crate) fn renamed(script: &str, names: &BTreeMap<String, String>) -> String {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let words = script.split_inclusive(|c| !is_part(c)).map(|word| {
        let name = word.trim_end_matches(|c| !is_part(c));
        names.get(name).map_or_else(|| word.to_owned(), |short| format!("{short}{}", &word[name.len()..]))
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hands_out_functions_is_contained() {
        let script = contained("function makeMutClosure() {\n    return real;\n}\n").unwrap();
        assert!(
            script.contains("return contained(real);") && script.contains("export function containClosures")
        );
        assert!(contained("function makeClosure() {}").is_err());
    }

    #[test]
    fn a_gpu_is_found_where_there_is_no_page() {
        let script = gpu_anywhere("function(arg0) {\n const ret = arg0.Window;\n return ret;\n}\n").unwrap();
        assert!(script.contains("arg0.Window ?? arg0.navigator?.gpu;"));
        assert!(gpu_anywhere("function(arg0) {}").is_err());
    }

    #[test]
    fn imports_lose_their_hashes() {
        let names = ["__wbg_new_0123456789abcdef", "__wbg_new_fedcba9876543210", "__wbindgen_init_table"];
        let short = without_hashes(names.map(String::from).iter());
        let expected = [("__wbg_new_0123456789abcdef", "new_1"), ("__wbg_new_fedcba9876543210", "new_2")];
        assert_eq!(short, expected.map(|(name, short)| (name.to_owned(), short.to_owned())).into());
        let script = "{ __wbg_new_fedcba9876543210: function() { init(__wbindgen_init_table) } }";
        assert_eq!(renamed(script, &short), "{ new_2: function() { init(__wbindgen_init_table) } }");
    }
}
