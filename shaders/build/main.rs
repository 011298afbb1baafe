//! Expands, checks and reflects every kernel of this folder into `kernels.rs`.

mod declare;
mod expand;
mod modules;
mod reflect;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("kernels.rs");
    println!("cargo::rerun-if-changed=.");
    let written = table(&root).and_then(|table| std::fs::write(&out, table).map_err(|e| e.to_string()));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Rust source of what the shaders declare, of the statics of all kernels, and of the list of them.
///
/// Variants share most of their source, so each piece of it is a constant of its own: the linker keeps the pieces of
/// the kernels that are used, once.
fn table(root: &Path) -> Result<String, String> {
    let (mut statics, mut names) = (String::new(), Vec::new());
    let mut modules = modules::Modules::default();
    let mut constants = BTreeMap::new();
    for path in expand::wgsl_files(root)? {
        let file = expand::File::read(root, &path)?;
        for variant in file.variants() {
            let expanded = file.expand(&variant)?;
            let kernel = reflect::kernel(&expanded)?;
            let name = file.name_of(&variant);
            let static_name = name.to_uppercase();
            let mut source = Vec::new();
            for (place, piece) in expanded.pieces() {
                let number = constants.len();
                let (constant, same) = constants.entry(place.clone()).or_insert_with(|| {
                    let _ = writeln!(statics, "const PIECE_{number}: &str = {piece:?};");
                    (format!("PIECE_{number}"), piece.clone())
                });
                if *same != piece {
                    return Err(format!("{place}: a piece that differs between variants"));
                }
                source.push(constant.clone());
            }
            let reflect::Reflected { declarations, bindings, workgroup_size, workgroup_memory, overrides } =
                kernel;
            declarations.into_iter().for_each(|declaration| modules.add(&variant, declaration));
            // Writing to a `String` cannot fail.
            let _ = write!(
                statics,
                "/// `{}`\npub static {static_name}: Kernel = Kernel {{ name: {name:?}, source: &[{}], \
                 bindings: &[{}], workgroup_size: {workgroup_size:?}, workgroup_memory: {workgroup_memory}, \
                 overrides: &{overrides:?} }};\n",
                file.title(),
                source.join(", "),
                bindings.join(", "),
            );
            names.push(static_name);
        }
    }
    let functions = functions(root)?;
    let list = names.iter().map(|name| format!("&{name}")).collect::<Vec<_>>().join(", ");
    let modules = modules.source();
    Ok(format!(
        "{modules}{functions}{statics}\n/// Every kernel and variant.\npub static ALL: &[&Kernel] = &[{list}];\n"
    ))
}

/// Rust source of the functions that generated kernels have: files of `shared/`, without comments and indentation.
fn functions(root: &Path) -> Result<String, String> {
    let mut source = String::from(
        "/// Functions for kernels that are generated when they are needed. They must stand in this order.\npub mod functions {\n",
    );
    for (name, of) in [
        ("grid", "Numbers of workgroups."),
        ("math", "Bounded transcendental functions."),
        ("exp_log", "The exponential function and the logarithm of every number."),
    ] {
        let text =
            expand::File::read(root, &root.join("shared").join(format!("{name}.wgsl")))?.expand(&[])?.text();
        // Writing to a `String` cannot fail.
        let _ = writeln!(source, "/// {of}\npub const {}: &str = {text:?};", name.to_uppercase());
    }
    source.push_str("}\n");
    Ok(source)
}
