//! From crate to browser: cargo compiles, wasm-bindgen writes the JavaScript beside it, wasm-opt optimises.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;
use wasmparser::{DataKind, Operator, Parser, Payload};

use crate::glue;
use crate::plain::plain;
use crate::sizes::{self, Sizes};
use crate::stamp::{empty, make_unless_same};

const TARGET: &str = "wasm32-unknown-unknown";

/// What is compiled for the browser.
pub(crate) struct Library {
    package: &'static str,
    /// The name of every file in the package.
    name: &'static str,
    /// Where it is put that is not published, in the target folder.
    folder: &'static str,
    /// Arguments for cargo.
    arguments: &'static [&'static str],
    /// Whether browsers with relaxed SIMD fetch a binary of their own.
    relaxed: bool,
    /// For wasm-opt, beside [`OPTIMISATIONS`].
    options: &'static [&'static str],
    /// The most bytes that the binary and its JavaScript may take after gzip -9.
    most: usize,
}

/// The engine, which everybody fetches: optimised until nothing becomes smaller, it takes 400 bytes less.
pub(crate) const ENGINE: Library = Library {
    package: "saccade-rnn",
    name: "saccade_rnn",
    folder: "engine",
    arguments: &["--no-default-features", "--features", "web"],
    relaxed: true,
    options: &["--converge"],
    most: 300_000,
};

/// The engine of graphs of a page's own, with gradients and optimisers. Nodes are small and come by the thousand: what records
/// and plans them is not compiled for the least size. (For speed alone, it takes 428,000 bytes.)
pub(crate) const GRAPH: Library = Library {
    package: "saccade-rnn",
    name: "saccade_graph",
    folder: "graph",
    arguments: &[
        "--no-default-features",
        "--features",
        "web,train",
        "--config",
        "profile.wasm.package.saccade-rnn.opt-level=\"s\"",
    ],
    relaxed: true,
    options: &[],
    most: 400_000,
};

/// The engine of taggers, parsers and tree classifiers.
pub(crate) const STRUCTURE: Library = Library {
    package: "saccade-rnn",
    name: "saccade_structure",
    folder: "structure",
    arguments: &["--no-default-features", "--features", "web,graph"],
    relaxed: false,
    options: &[],
    most: 330_000,
};

/// The engine of training runs.
pub(crate) const TRAIN: Library = Library {
    package: "saccade-rnn",
    name: "saccade_train",
    folder: "train",
    arguments: &["--no-default-features", "--features", "web,runs"],
    relaxed: true,
    options: &[],
    most: 475_000,
};

/// The GPU held against the CPU.
const CHECKS: Library = Library {
    package: "saccade-checks",
    name: "saccade_checks",
    folder: "checks",
    arguments: &[],
    relaxed: false,
    options: &[],
    most: usize::MAX,
};

/// How cargo compiles.
struct Profile {
    name: &'static str,
    /// Where cargo puts what it makes for a target.
    folder: &'static str,
    /// For the compiler, beside those of [`flags`].
    flags: &'static [&'static str],
}

const RELEASE: Profile = Profile { name: "wasm", folder: "wasm", flags: &[] };
/// A browser's console shows names, which stay; lines would only make every step slower.
const DEVELOPMENT: Profile =
    Profile { name: "dev", folder: "debug", flags: &["-Cdebuginfo=0", "-Cstrip=debuginfo"] };

/// For the compiler: SIMD as every browser has it that has WebGPU, and relaxed SIMD, which [`plain`] does without.
const TARGET_FEATURES: &str = "-Ctarget-feature=+simd128,+relaxed-simd";

/// What rustc's wasm32 baseline and [`TARGET_FEATURES`] let the compiler use, and no more: a proposal that is enabled here
/// but not there could put instructions into the file that an older browser refuses.
const WASM_FEATURES: [&str; 8] = [
    "--enable-simd",
    "--enable-relaxed-simd",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// The tile of a product (`kernels/src/packed.rs`) takes as many registers as there are, if its sums are added to in the
/// order in which they are written down; LLVM would rather have all factors loaded first.
const IN_ORDER: &str = "-Cllvm-args=-pre-RA-sched=source";

/// Loads with the offsets that LLVM leaves to additions: pointers are never below 1024, as [`check_low_memory`] makes
/// sure.
const OPTIMISATIONS: [&str; 2] = ["-O3", "--low-memory-unused"];

/// Nothing that runs.
const STRIP: [&str; 3] = ["--strip-debug", "--strip-producers", "--strip-target-features"];

/// Builds crate `saccade-checks` into `target/checks` under `root`.
///
/// # Errors
/// Names the step that failed; when a tool is missing, says in one line how to get it.
pub(crate) fn build_checks(root: &Path) -> Result<()> {
    build(root, &CHECKS, &RELEASE)
}

/// Builds a library into its folder under `root`: quickly, and fast enough to be used.
///
/// # Errors
/// Those of [`build_checks`].
pub(crate) fn build_quickly(root: &Path, library: &Library) -> Result<()> {
    build(root, library, &DEVELOPMENT)
}

/// Builds a library into its folder, unless it is there already.
fn build(root: &Path, library: &Library, profile: &Profile) -> Result<()> {
    let begun = SystemTime::now();
    let compiled = compile(root, library, profile)?;
    let package = target(root).join(library.folder);
    let inputs = [&itself()?[..], &read(&compiled)?];
    let made = make_unless_same(&package, begun, &inputs, || {
        let module = bind(&compiled, library, &package)?;
        write_twins(&read(&module)?, library, &package)?;
        Ok(())
    })?;
    let what = if made { "made by wasm-bindgen" } else { "nothing has changed" };
    println!("{}: {what}", package.display());
    Ok(())
}

/// Builds crate `saccade-rnn` with feature `web` into `js/pkg` under `root`, as published: with and without relaxed SIMD,
/// under one JavaScript; with features `train` and `runs` likewise; with feature `graph` beside them. Prints the sizes.
///
/// # Errors
/// Names the step that failed; when a tool is missing, says in one line how to get it. A binary that is larger than it
/// may be is an error too.
pub(crate) fn build_package(root: &Path) -> Result<()> {
    let begun = SystemTime::now();
    let libraries = [&ENGINE, &GRAPH, &STRUCTURE, &TRAIN];
    let mut inputs =
        vec![itself()?, fs::read(root.join("node_modules/binaryen/package.json")).unwrap_or_default()];
    let mut compiled = Vec::new();
    for library in libraries {
        let module = compile(root, library, &RELEASE)?;
        inputs.push(read(&module)?);
        compiled.push((module, library));
    }
    let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
    let package = root.join("js").join("pkg");
    let made = make_unless_same(&package, begun, &inputs, || {
        let publish = |(module, library): &(PathBuf, &Library)| publish(root, module, library, &package);
        // One keeps one processor at work, the engine's as long as all others'.
        thread::scope(|scope| {
            let engine = scope.spawn(|| publish(&compiled[0]));
            let others = compiled[1..].iter().map(publish).collect::<Result<String>>();
            let engine = engine.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            print!("{}{}", engine?, others?);
            Ok(())
        })
    })?;
    if !made {
        println!("js/pkg: nothing has changed");
    }
    Ok(())
}

/// Adds the binaries of a library to `package`, and their JavaScript. Returns how large they are.
fn publish(root: &Path, compiled: &Path, library: &Library, package: &Path) -> Result<String> {
    let bound = target(root).join("bound").join(library.name);
    empty(&bound)?;
    let module = bind(compiled, library, &bound)?;
    let script = bound.join(format!("{}.js", library.name));
    minify(root, &script)?;
    let (optimised, symbols) = (bound.join("optimised.wasm"), bound.join("symbols"));
    println!("wasm-opt: optimise {}", library.name);
    optimise(root, &module, &optimised, &symbols, library.options)?;
    let optimised = read(&optimised)?;
    check_low_memory(&optimised)?;

    let twins = write_twins(&optimised, library, package)?;
    for end in [".js", ".d.ts", "_bg.wasm.d.ts"] {
        let name = format!("{}{end}", library.name);
        let to = package.join(&name);
        fs::copy(bound.join(name), &to).with_context(|| format!("cannot write {}", to.display()))?;
    }
    let symbols = String::from_utf8(read(&symbols)?)?;
    let shaders: BTreeSet<&str> =
        saccade_shaders::ALL.iter().flat_map(|kernel| kernel.source).copied().collect();
    let mut report = Sizes::of(&optimised, &symbols, &shaders)?.table()?;
    let script = read(&script)?;
    for (name, module) in twins {
        match sizes::check(&name, &module, &script, library.most) {
            Ok(line) => report += &(line + "\n"),
            // The table is what is needed then.
            Err(error) => {
                print!("{report}");
                return Err(error);
            }
        }
    }
    Ok(report)
}

/// Writes a module that has relaxed SIMD as the binaries for browsers with and without it. Returns their names and bytes.
fn write_twins(module: &[u8], library: &Library, package: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut twins = vec![(format!("{}_bg.wasm", library.name), plain(module)?)];
    if library.relaxed {
        twins.push((format!("{}_relaxed_bg.wasm", library.name), module.to_vec()));
    }
    for (name, module) in &twins {
        let to = package.join(name);
        fs::write(&to, module).with_context(|| format!("cannot write {}", to.display()))?;
    }
    Ok(twins)
}

/// Runs cargo; returns the path of the `.wasm` file it made: a copy, since cargo gives the same name to what it makes of a
/// package with other features.
fn compile(root: &Path, library: &Library, profile: &Profile) -> Result<PathBuf> {
    println!("cargo: compile {} for {TARGET} (profile {})", library.name, profile.name);
    // Cargo names itself to the programs it runs; that is the toolchain of `rust-toolchain.toml`.
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let folder = target(root);
    let status = Command::new(cargo)
        .current_dir(root)
        // The crate type is asked for here and not in the manifest, where every native build would link it as well.
        .args(["rustc", "--package", library.package, "--lib", "--crate-type", "cdylib"])
        .args(library.arguments)
        .args(["--target", TARGET, "--profile", profile.name, "--target-dir"])
        .arg(&folder)
        // In the place of those of `.cargo/config.toml`.
        .env("CARGO_ENCODED_RUSTFLAGS", flags(profile))
        .status()
        .context("cargo did not start; get it from https://rustup.rs")?;
    ensure!(status.success(), "cargo could not compile for {TARGET} (missing? `rustup target add {TARGET}`)");
    let made = folder.join(TARGET).join(profile.folder);
    let (from, to) =
        (format!("{}.wasm", library.package.replace('-', "_")), format!("{}.bound.wasm", library.name));
    let to = made.join(to);
    fs::copy(made.join(from), &to).with_context(|| format!("cannot write {}", to.display()))?;
    Ok(to)
}

/// Arguments for rustc, as cargo takes them. The paths in messages of panics are cut to begin at a package, and so name
/// nobody's folders.
fn flags(profile: &Profile) -> String {
    let mut flags = vec![TARGET_FEATURES.to_owned(), IN_ORDER.to_owned()];
    flags.extend(profile.flags.iter().map(|&flag| flag.to_owned()));
    let cargo_home =
        env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let registries = cargo_home.and_then(|home| fs::read_dir(home.join("registry").join("src")).ok());
    for registry in registries.into_iter().flatten().flatten() {
        flags.push(format!("--remap-path-prefix={}=", registry.path().display()));
    }
    flags.join("\u{1f}")
}

/// Where cargo puts what it makes.
fn target(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |given| root.join(given))
}

/// This program, on which everything depends that it makes.
fn itself() -> Result<Vec<u8>> {
    read(&env::current_exe().context("cannot tell where this program is")?)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Writes the module and its bindings for `<script type="module">` into `folder`. Returns where the module is.
fn bind(compiled: &Path, library: &Library, folder: &Path) -> Result<PathBuf> {
    let mut bindgen = Bindgen::new();
    let mut bound = bindgen
        .input_path(compiled)
        .out_name(library.name)
        // `init()` without an argument then finds the wasm beside the JavaScript, as bundlers expect it.
        .omit_default_module_path(false)
        // A panic leaves the instance unusable; the package then makes another.
        .reset_state_function(true)
        .web(true)
        .and_then(|bindgen| bindgen.typescript(true).remove_producers_section(true).generate_output())
        .with_context(|| format!("wasm-bindgen could not process {}", compiled.display()))?;
    let names = glue::without_hashes(bound.wasm().imports.iter().map(|import| &import.name));
    for import in bound.wasm_mut().imports.iter_mut() {
        if let Some(name) = names.get(&import.name) {
            import.name.clone_from(name);
        }
    }
    bound.emit(folder).with_context(|| format!("cannot write {}", folder.display()))?;
    let change = |extension: &str, change: &dyn Fn(&str) -> Result<String>| {
        let path = folder.join(format!("{}.{extension}", library.name));
        let text = String::from_utf8(read(&path)?)?;
        fs::write(&path, change(&text)?).with_context(|| format!("cannot write {}", path.display()))
    };
    change("js", &|script| Ok(glue::renamed(&glue::gpu_anywhere(&glue::contained(script)?)?, &names)))?;
    change("d.ts", &|types| Ok(glue::declared(types)))?;
    Ok(folder.join(format!("{}_bg.wasm", library.name)))
}

/// Has npm's `terser` write a script anew: people read the types beside it, the code is downloaded.
fn minify(root: &Path, script: &Path) -> Result<()> {
    let terser = root.join("node_modules").join("terser").join("bin").join("terser");
    if !terser.exists() {
        bail!("terser is missing; get it with `npm ci`");
    }
    let status = Command::new("node")
        .args([&terser, script])
        .args(["--module", "--compress", "--mangle", "--comments", "false", "--output"])
        .arg(script)
        .status()
        .context("node did not start; get it from https://nodejs.org")?;
    ensure!(status.success(), "terser failed on {}", script.display());
    Ok(())
}

/// Writes what npm's `wasm-opt` makes of a module, and the names of its functions, which it leaves out.
fn optimise(root: &Path, module: &Path, out: &Path, symbols: &Path, options: &[&str]) -> Result<()> {
    let script = root.join("node_modules").join("binaryen").join("bin").join("wasm-opt");
    if !script.exists() {
        bail!("wasm-opt is missing; get it with `npm ci`");
    }
    // Through node, since Windows runs no file by its first line.
    let status = Command::new("node")
        .arg(script)
        .arg(module)
        .args(WASM_FEATURES)
        .args(options)
        .args(OPTIMISATIONS)
        .arg(format!("--symbolmap={}", symbols.display()))
        .args(STRIP)
        .arg("-o")
        .arg(out)
        .status()
        .context("node did not start; get it from https://nodejs.org")?;
    ensure!(status.success(), "wasm-opt failed on {}", module.display());
    Ok(())
}

/// Checks that the data of a module begins where `wasm-opt --low-memory-unused` takes for granted that it does.
///
/// # Errors
/// If it begins below 1024.
fn check_low_memory(module: &[u8]) -> Result<()> {
    for payload in Parser::new(0).parse_all(module) {
        let Payload::DataSection(data) = payload? else { continue };
        for segment in data {
            let DataKind::Active { offset_expr, .. } = segment?.kind else { continue };
            let first = offset_expr.get_operators_reader().read()?;
            ensure!(
                matches!(first, Operator::I32Const { value: 1024.. }),
                "the data begins at {first:?}, below what --low-memory-unused leaves alone"
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_data_is_refused() {
        let at = |low: u8, high: u8| {
            let data = [11, 8, 1, 0, 0x41, low, high, 0x0b, 1, 7];
            [&b"\0asm\x01\0\0\0"[..], &[5, 3, 1, 0, 1], &data].concat()
        };
        assert!(check_low_memory(&at(0x80, 0x08)).is_ok());
        assert!(check_low_memory(&at(0xff, 0x07)).is_err());
    }
}
