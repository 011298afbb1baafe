//! From crate to browser: cargo compiles, wasm-bindgen writes the JavaScript beside it, wasm-opt makes it small.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use flate2::{Compression, write::GzEncoder};
use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";

/// What is compiled for the browser.
struct Library {
    package: &'static str,
    /// The name of the library, and of every file in the package.
    name: &'static str,
    /// Arguments for cargo.
    features: &'static [&'static str],
}

/// The engine, as published.
const ENGINE: Library = Library {
    package: "saccade-rnn",
    name: "saccade_rnn",
    features: &["--no-default-features", "--features", "web"],
};

/// The GPU held against the CPU.
const CHECKS: Library = Library { package: "saccade-checks", name: "saccade_checks", features: &[] };

/// What rustc's wasm32 baseline and `.cargo/config.toml` let the compiler use, and no more: a proposal that is
/// enabled here but not there could put instructions into the file that an older browser refuses.
const WASM_FEATURES: [&str; 7] = [
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Builds crate `saccade-checks` into `target/checks` under `root`.
///
/// # Errors
/// As [`build`].
pub(crate) fn build_checks(root: &Path) -> Result<()> {
    println!("cargo: compile {} for {TARGET}", CHECKS.package);
    let compiled = compile(root, &CHECKS, "wasm")?;
    let package = target(root).join("checks");
    println!("wasm-bindgen: write the JavaScript into {}", package.display());
    bind(&compiled, &CHECKS, &package)
}

/// Builds crate `saccade-rnn` with feature `web` into `js/pkg` under `root` and prints the sizes.
///
/// # Errors
/// Names the step that failed; when a tool is missing, says in one line how to get it.
pub(crate) fn build(root: &Path, release: bool) -> Result<()> {
    let profile = if release { "wasm" } else { "dev" };
    let package = root.join("js").join("pkg");

    println!("cargo: compile saccade-rnn for {TARGET} (profile {profile}, feature web)");
    let compiled = compile(root, &ENGINE, profile)?;

    println!("wasm-bindgen: write the JavaScript and its types into js/pkg");
    bind(&compiled, &ENGINE, &package)?;

    let module = package.join(format!("{}_bg.wasm", ENGINE.name));
    if release {
        println!("wasm-opt: -O3");
        optimise(root, &module)?;
    }
    print_sizes(&package)
}

/// Runs cargo; returns the path of the `.wasm` file it made.
fn compile(root: &Path, library: &Library, profile: &str) -> Result<PathBuf> {
    // Cargo names itself to the programs it runs; that is the toolchain of `rust-toolchain.toml`.
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        // The crate type is asked for here and not in the manifest, where every native build would link it as well.
        .args(["rustc", "--package", library.package, "--lib", "--crate-type", "cdylib"])
        .args(library.features)
        .args(["--target", TARGET, "--profile", profile])
        .status()
        .context("cargo did not start; get it from https://rustup.rs")?;
    ensure!(status.success(), "cargo could not compile for {TARGET} (missing? `rustup target add {TARGET}`)");

    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(target(root).join(TARGET).join(folder).join(format!("{}.wasm", library.name)))
}

/// Where cargo puts what it makes.
fn target(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |given| root.join(given))
}

/// Writes the module's bindings for `<script type="module">`, emptying the folder first.
fn bind(compiled: &Path, library: &Library, package: &Path) -> Result<()> {
    if package.exists() {
        fs::remove_dir_all(package).with_context(|| format!("cannot empty {}", package.display()))?;
    }
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(compiled)
        .out_name(library.name)
        // `init()` without an argument then finds the wasm beside the JavaScript, as bundlers expect it.
        .omit_default_module_path(false)
        .web(true)
        .and_then(|bindgen| bindgen.typescript(true).remove_producers_section(true).generate(package))
        .with_context(|| format!("wasm-bindgen could not process {}", compiled.display()))
}

/// Rewrites `module` in place with npm's `wasm-opt`.
fn optimise(root: &Path, module: &Path) -> Result<()> {
    let script = root.join("node_modules").join("binaryen").join("bin").join("wasm-opt");
    if !script.exists() {
        bail!("wasm-opt is missing; get it with `npm ci`");
    }
    // Through node, since Windows runs no file by its first line.
    let status = Command::new("node")
        .arg(script)
        .arg(module)
        .args(["-O3", "--strip-debug", "--strip-producers"])
        .args(WASM_FEATURES)
        .arg("-o")
        .arg(module)
        .status()
        .context("node did not start; get it from https://nodejs.org")?;
    ensure!(status.success(), "wasm-opt failed on {}", module.display());
    Ok(())
}

/// Prints what a browser downloads of the package, in bytes, raw and after gzip -9.
fn print_sizes(package: &Path) -> Result<()> {
    let name = ENGINE.name;
    for name in [format!("{name}_bg.wasm"), format!("{name}.js")] {
        let path = package.join(&name);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&bytes)?;
        println!("{name:<24} {:>9} bytes, {:>9} after gzip -9", bytes.len(), gzip.finish()?.len());
    }
    Ok(())
}
