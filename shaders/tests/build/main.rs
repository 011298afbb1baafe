//! The build of this package: what it makes of shaders that a test writes, and of those that are here.

#[path = "../../build/declare.rs"]
mod declare;
#[path = "../../build/expand.rs"]
#[allow(dead_code, reason = "titles stand in the table that the build writes")]
mod expand;
#[path = "../../build/modules.rs"]
mod modules;
#[path = "../../build/reflect.rs"]
#[allow(dead_code, reason = "the table shows what was reflected")]
mod reflect;

mod declarations;
mod mistakes;
mod twins;

use std::path::Path;

/// What the build makes of one kernel.
struct Built {
    /// Name and source of every variant.
    variants: Vec<(String, String)>,
    /// The Rust modules of what the kernel declares.
    modules: String,
}

/// Expands and reflects every variant of `kernel.wgsl`; the first mistake.
fn build(kernel: &str, shared: &[(&str, &str)]) -> Result<Built, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &Path, text: &str| std::fs::write(path, text).expect("a file");
    std::fs::create_dir(folder.path().join("shared")).expect("a folder");
    write(&folder.path().join("kernel.wgsl"), kernel);
    for (name, text) in shared {
        write(&folder.path().join("shared").join(name), text);
    }
    let (mut variants, mut modules) = (Vec::new(), modules::Modules::default());
    for path in expand::wgsl_files(folder.path())? {
        let file = expand::File::read(folder.path(), &path)?;
        for variant in file.variants() {
            let expanded = file.expand(&variant)?;
            let reflected = reflect::kernel(&expanded)?;
            reflected.declarations.into_iter().for_each(|declaration| modules.add(&variant, declaration));
            let pieces: String = expanded.pieces().into_iter().map(|(_, piece)| piece).collect();
            assert_eq!(pieces, expanded.text());
            variants.push((file.name_of(&variant), expanded.text()));
        }
    }
    Ok(Built { variants, modules: modules.source() })
}

/// A kernel's entry point.
fn main_of(body: &str) -> String {
    format!("@compute @workgroup_size(64)\nfn main(@builtin(local_invocation_index) i: u32) {{\n{body}\n}}\n")
}
