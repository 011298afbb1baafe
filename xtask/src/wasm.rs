//! From crate to browser: cargo compiles, wasm-bindgen writes the JavaScript beside it, wasm-opt optimises.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;
use wasmparser::{DataKind, Operator, Parser, Payload};

use crate::glue;
use crate::sizes::{self, Sizes};
use crate::stamp::{empty, make_unless_same};

const TARGET: &str = "wasm32-unknown-unknown";

/// What is compiled for the browser.
struct Library {
    package: &'static str,
    /// The name of every file in the package.
    name: &'static str,
    /// Arguments for cargo.
    arguments: &'static [&'static str],
    /// For wasm-opt, beside [`OPTIMISATIONS`].
    options: &'static [&'static str],
    /// The most bytes that the binary and its JavaScript may take after gzip -9.
    most: usize,
}

/// The engine, which everybody fetches: optimised until nothing becomes smaller, it takes 400 bytes less.
const ENGINE: Library = Library {
    package: "saccade-rnn",
    name: "saccade_rnn",
    arguments: &["--no-default-features", "--features", "web"],
    options: &["--converge"],
    most: 300_000,
};

/// The engine of graphs of a page's own, with gradients and optimisers. Nodes are small and come by the thousand: what records
/// and plans them is not compiled for the least size. (For speed alone, it takes 428,000 bytes.)
const GRAPH: Library = Library {
    package: "saccade-rnn",
    name: "saccade_graph",
    arguments: &[
        "--no-default-features",
        "--features",
        "web,train",
        "--config",
        "profile.wasm.package.saccade-rnn.opt-level=\"s\"",
    ],
    options: &[],
    most: 400_000,
};

/// The engine of taggers, parsers and tree classifiers.
const STRUCTURE: Library = Library {
    package: "saccade-rnn",
    name: "saccade_structure",
    arguments: &["--no-default-features", "--features", "web,graph"],
    options: &[],
    most: 330_000,
};

/// The engine of training runs.
const TRAIN: Library = Library {
    package: "saccade-rnn",
    name: "saccade_train",
    arguments: &["--no-default-features", "--features", "web,runs"],
    options: &[],
    most: 490_000,
};

/// The GPU held against the CPU.
const CHECKS: Library = Library {
    package: "saccade-checks",
    name: "saccade_checks",
    arguments: &[],
    options: &[],
    most: usize::MAX,
};

/// What a binary asks of the browser.
struct Machine {
    /// Of the published file's name.
    suffix: &'static str,
    /// Where cargo puts what it makes, in its target folder. Each machine has a place of its own, since the library's
    /// file has the same name for all.
    folder: &'static str,
    /// For the compiler.
    target_features: &'static str,
    /// For wasm-opt, beside [`WASM_FEATURES`].
    options: &'static [&'static str],
}

/// Every browser that has WebGPU, and Node.
const SIMD: Machine = Machine { suffix: "", folder: "", target_features: "+simd128", options: &[] };
/// One instruction of this kind, and a browser without them refuses the file.
const RELAXED: Machine = Machine {
    suffix: "_relaxed",
    folder: "relaxed",
    target_features: "+simd128,+relaxed-simd",
    options: &["--enable-relaxed-simd"],
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

/// What rustc's wasm32 baseline and [`SIMD`] let the compiler use, and no more: a proposal that is enabled here but not
/// there could put instructions into the file that an older browser refuses.
const WASM_FEATURES: [&str; 7] = [
    "--enable-simd",
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
    let compiled = compile(root, &CHECKS, &RELEASE, &SIMD)?;
    bind_unless_same(&compiled, &CHECKS, &target(root).join("checks"))
}

/// Builds crate `saccade-rnn` with feature `web` for one machine into `target/engine`, or `target/engine-relaxed`, under
/// `root`: quickly, and fast enough to be used.
///
/// # Errors
/// Names the step that failed; when a tool is missing, says in one line how to get it.
pub(crate) fn build_engine(root: &Path, relaxed: bool) -> Result<()> {
    let (machine, name) = if relaxed { (&RELAXED, "engine-relaxed") } else { (&SIMD, "engine") };
    let compiled = compile(root, &ENGINE, &DEVELOPMENT, machine)?;
    bind_unless_same(&compiled, &ENGINE, &target(root).join(name))
}

/// Builds crate `saccade-rnn` with features `web` and `train` into `target/graph` under `root`, quickly.
///
/// # Errors
/// Those of [`build_engine`].
pub(crate) fn build_graph(root: &Path) -> Result<()> {
    let compiled = compile(root, &GRAPH, &DEVELOPMENT, &SIMD)?;
    bind_unless_same(&compiled, &GRAPH, &target(root).join("graph"))
}

/// Builds crate `saccade-rnn` with features `web` and `graph` into `target/structure` under `root`, quickly.
///
/// # Errors
/// Those of [`build_engine`].
pub(crate) fn build_structure(root: &Path) -> Result<()> {
    let compiled = compile(root, &STRUCTURE, &DEVELOPMENT, &SIMD)?;
    bind_unless_same(&compiled, &STRUCTURE, &target(root).join("structure"))
}

/// Builds crate `saccade-rnn` with features `web` and `runs` into `target/train` under `root`, quickly.
///
/// # Errors
/// Those of [`build_engine`].
pub(crate) fn build_train(root: &Path) -> Result<()> {
    let compiled = compile(root, &TRAIN, &DEVELOPMENT, &SIMD)?;
    bind_unless_same(&compiled, &TRAIN, &target(root).join("train"))
}

/// Builds crate `saccade-rnn` with feature `web` into `js/pkg` under `root`, as published: with and without relaxed SIMD,
/// under one JavaScript; with features `train` and `runs` likewise; with feature `graph` beside them. Prints the sizes.
///
/// # Errors
/// Names the step that failed; when a tool is missing, says in one line how to get it. A binary that is larger than it
/// may be is an error too.
pub(crate) fn build_package(root: &Path) -> Result<()> {
    let release = |library, machine| compile(root, library, &RELEASE, machine);
    // A binary keeps one processor at work, and each machine has a target folder of its own: two at a time.
    let (plain, relaxed) = thread::scope(|scope| {
        let relaxed = scope.spawn(|| [&ENGINE, &GRAPH, &TRAIN].map(|library| release(library, &RELAXED)));
        let plain = [&ENGINE, &GRAPH, &STRUCTURE, &TRAIN].map(|library| release(library, &SIMD));
        (plain, relaxed.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let ([simd, graph, structure, train], [relaxed, graph_relaxed, train_relaxed]) = (plain, relaxed);
    let binaryen = fs::read(root.join("node_modules/binaryen/package.json")).unwrap_or_default();
    let all = [
        (&simd?, &ENGINE, &SIMD),
        (&relaxed?, &ENGINE, &RELAXED),
        (&graph?, &GRAPH, &SIMD),
        (&graph_relaxed?, &GRAPH, &RELAXED),
        (&structure?, &STRUCTURE, &SIMD),
        (&train?, &TRAIN, &SIMD),
        (&train_relaxed?, &TRAIN, &RELAXED),
    ];
    let mut inputs = vec![itself()?, binaryen];
    for (compiled, ..) in all {
        inputs.push(read(compiled)?);
    }
    let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
    let package = root.join("js").join("pkg");
    let made = make_unless_same(&package, &inputs, || {
        let bound = target(root).join("bound");
        for (compiled, library, machine) in all {
            publish(root, compiled, library, machine, &bound, &package)?;
        }
        Ok(())
    })?;
    if !made {
        println!("js/pkg: nothing has changed");
    }
    Ok(())
}

/// Adds one of the binaries to `package`, and its JavaScript, which all of a library must share. `bound` is a folder to work in, which
/// is emptied.
fn publish(
    root: &Path,
    compiled: &Path,
    library: &Library,
    machine: &Machine,
    bound: &Path,
    package: &Path,
) -> Result<()> {
    empty(bound)?;
    bind(compiled, library, bound)?;
    minify(root, &bound.join(format!("{}.js", library.name)))?;
    let module = format!("{}_bg.wasm", library.name);
    for entry in fs::read_dir(bound).with_context(|| format!("cannot read {}", bound.display()))? {
        let name = entry?.file_name();
        if name == *module {
            continue;
        }
        let text = read(&bound.join(&name))?;
        let to = package.join(&name);
        ensure!(
            !to.exists() || read(&to)? == text,
            "the binaries want different JavaScript; compare {} and {}",
            to.display(),
            bound.join(&name).display()
        );
        fs::write(&to, text).with_context(|| format!("cannot write {}", to.display()))?;
    }

    let name = format!("{}{}_bg.wasm", library.name, machine.suffix);
    println!("wasm-opt: optimise {name}");
    let out = package.join(&name);
    let symbols = bound.join("symbols");
    let options = [library.options, machine.options].concat();
    optimise(root, &bound.join(&module), &out, &symbols, &options)?;
    let optimised = read(&out)?;
    check_low_memory(&optimised)?;
    let shaders: BTreeSet<&str> =
        saccade_shaders::ALL.iter().flat_map(|kernel| kernel.source).copied().collect();
    let symbols = String::from_utf8(read(&symbols)?)?;
    // The other's hardly differs.
    if machine.suffix.is_empty() {
        print!("{}", Sizes::of(&optimised, &symbols, &shaders)?.table()?);
    }
    let script = read(&package.join(format!("{}.js", library.name)))?;
    println!("{name}: {}", sizes::check(&optimised, &script, library.most)?);
    Ok(())
}

/// Runs cargo; returns the path of the `.wasm` file it made: a copy, since cargo gives the same name to what it makes of a
/// package with other features.
fn compile(root: &Path, library: &Library, profile: &Profile, machine: &Machine) -> Result<PathBuf> {
    println!(
        "cargo: compile {} for {TARGET} (profile {}, {})",
        library.package, profile.name, machine.target_features
    );
    // Cargo names itself to the programs it runs; that is the toolchain of `rust-toolchain.toml`.
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let folder = target(root).join(machine.folder);
    let status = Command::new(cargo)
        .current_dir(root)
        // The crate type is asked for here and not in the manifest, where every native build would link it as well.
        .args(["rustc", "--package", library.package, "--lib", "--crate-type", "cdylib"])
        .args(library.arguments)
        .args(["--target", TARGET, "--profile", profile.name, "--target-dir"])
        .arg(&folder)
        // In the place of those of `.cargo/config.toml`. What runs while compiling is compiled once for all machines.
        .env("CARGO_ENCODED_RUSTFLAGS", flags(profile, machine))
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
fn flags(profile: &Profile, machine: &Machine) -> String {
    let mut flags = vec![format!("-Ctarget-feature={}", machine.target_features), IN_ORDER.into()];
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

/// Fills `package` by [`bind`], unless it was made of the same.
fn bind_unless_same(compiled: &Path, library: &Library, package: &Path) -> Result<()> {
    let inputs = [&itself()?[..], &read(compiled)?];
    let made = make_unless_same(package, &inputs, || bind(compiled, library, package))?;
    let what = if made { "made by wasm-bindgen" } else { "nothing has changed" };
    println!("{}: {what}", package.display());
    Ok(())
}

/// Writes the module and its bindings for `<script type="module">`.
fn bind(compiled: &Path, library: &Library, package: &Path) -> Result<()> {
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
    bound.emit(package).with_context(|| format!("cannot write {}", package.display()))?;
    let change = |extension: &str, change: &dyn Fn(&str) -> Result<String>| {
        let path = package.join(format!("{}.{extension}", library.name));
        let text = String::from_utf8(read(&path)?)?;
        fs::write(&path, change(&text)?).with_context(|| format!("cannot write {}", path.display()))
    };
    change("js", &|script| Ok(glue::renamed(&glue::gpu_anywhere(&glue::contained(script)?)?, &names)))?;
    change("d.ts", &|types| Ok(glue::declared(types)))
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
