//! From crate to browser: cargo compiles, wasm-bindgen writes the JavaScript beside it, wasm-opt and a minifier make
//! both small.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::names::Names;
use crate::order;
use crate::sizes::{self, Sizes};

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

/// What a binary asks of the browser.
struct Machine {
    /// Of the file's name.
    suffix: &'static str,
    /// For the compiler.
    target_features: &'static str,
    /// For wasm-opt, beside [`WASM_FEATURES`].
    options: &'static [&'static str],
}

/// Every browser that has WebGPU, and Node.
const SIMD: Machine = Machine { suffix: "", target_features: "+simd128", options: &[] };
/// One instruction of this kind, and a browser without them refuses the file.
const RELAXED: Machine = Machine {
    suffix: "_relaxed",
    target_features: "+simd128,+relaxed-simd",
    options: &["--enable-relaxed-simd"],
};

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

/// Small, and loads with the offsets that LLVM leaves to additions: pointers are never below 1024, as
/// [`sizes::strip`] makes sure. LLVM has inlined what is worth it, and computed once what is: values that wasm-opt keeps
/// for a second use are spilled by the browser, and no smaller after gzip. Loads say how they are aligned, which no
/// browser makes use of and gzip does not foresee.
const OPTIMISATIONS: [&str; 9] = [
    "--flexible-inline-max-function-size=5",
    "--one-caller-inline-max-function-size=15",
    "--skip-pass=local-cse",
    "-O3",
    "--low-memory-unused",
    "--optimize-added-constants-propagate",
    "-Oz",
    "--dealign",
    "--strip-producers",
];

/// Builds crate `saccade-checks` into `target/checks` under `root`.
///
/// # Errors
/// As [`build`].
pub(crate) fn build_checks(root: &Path) -> Result<()> {
    println!("cargo: compile {} for {TARGET}", CHECKS.package);
    let compiled = compile(root, &CHECKS, "wasm", &SIMD)?;
    let package = target(root).join("checks");
    println!("wasm-bindgen: write the JavaScript into {}", package.display());
    bind(&compiled, &CHECKS, &package)
}

/// Builds crate `saccade-rnn` with feature `web` into `js/pkg` under `root`: for release twice, with and without
/// relaxed SIMD, under one JavaScript. Prints the sizes.
///
/// # Errors
/// Names the step that failed; when a tool is missing, says in one line how to get it. A release that is larger than it
/// may be is an error too.
pub(crate) fn build(root: &Path, release: bool) -> Result<()> {
    let profile = if release { "wasm" } else { "dev" };
    let package = root.join("js").join("pkg");
    println!("cargo: compile saccade-rnn for {TARGET} (profile {profile}, feature web)");
    let compiled = compile(root, &ENGINE, profile, &SIMD)?;
    println!("wasm-bindgen: write the JavaScript and its types into js/pkg");
    bind(&compiled, &ENGINE, &package)?;
    if !release {
        return Ok(());
    }

    println!("cargo and wasm-bindgen: once more, with relaxed SIMD");
    let compiled = compile(root, &ENGINE, profile, &RELAXED)?;
    let relaxed = target(root).join("relaxed");
    bind(&compiled, &ENGINE, &relaxed)?;
    let (script, module) = (format!("{}.js", ENGINE.name), format!("{}_bg.wasm", ENGINE.name));
    let read = |path: PathBuf| fs::read(&path).with_context(|| format!("cannot read {}", path.display()));
    ensure!(
        read(package.join(&script))? == read(relaxed.join(&script))?,
        "the two binaries want different JavaScript; compare {script} in js/pkg and in {}",
        relaxed.display()
    );

    println!("wasm-opt and oxc: make them small");
    let script = package.join(&script);
    minify(root, &script)?;
    let names = Names::of(&read(package.join(&module))?)?;
    let text = names.script(&fs::read_to_string(&script)?)?;
    fs::write(&script, &text).with_context(|| format!("cannot write {}", script.display()))?;
    let shaders: BTreeSet<&str> =
        saccade_shaders::ALL.iter().flat_map(|kernel| kernel.source).copied().collect();
    for (bound, machine) in [(package.join(&module), &SIMD), (relaxed.join(&module), &RELAXED)] {
        let name = format!("{}{}_bg.wasm", ENGINE.name, machine.suffix);
        let path = package.join(&name);
        optimise(root, &bound, &path, machine)?;
        let named = read(path.clone())?;
        if machine.suffix.is_empty() {
            print!("{}", Sizes::of(&named, &shaders)?.table()?);
        }
        let stripped = order::arrange(&sizes::strip(&named, &names)?)?;
        fs::write(&path, &stripped).with_context(|| format!("cannot write {}", path.display()))?;
        let (of_module, of_script) = (sizes::gzip(&stripped)?, sizes::gzip(text.as_bytes())?);
        let total = sizes::check(&stripped, text.as_bytes())?;
        println!(
            "{name}: {} bytes; after gzip -9 {of_module}, and {of_script} of JavaScript: {total}",
            stripped.len()
        );
    }
    Ok(())
}

/// Runs cargo; returns the path of the `.wasm` file it made.
fn compile(root: &Path, library: &Library, profile: &str, machine: &Machine) -> Result<PathBuf> {
    // Cargo names itself to the programs it runs; that is the toolchain of `rust-toolchain.toml`.
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        // The crate type is asked for here and not in the manifest, where every native build would link it as well.
        .args(["rustc", "--package", library.package, "--lib", "--crate-type", "cdylib"])
        .args(library.features)
        .args(["--target", TARGET, "--profile", profile])
        // In the place of those of `.cargo/config.toml`. What runs while compiling is compiled once for all machines.
        .env("CARGO_ENCODED_RUSTFLAGS", flags(machine))
        .status()
        .context("cargo did not start; get it from https://rustup.rs")?;
    ensure!(status.success(), "cargo could not compile for {TARGET} (missing? `rustup target add {TARGET}`)");

    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(target(root).join(TARGET).join(folder).join(format!("{}.wasm", library.name)))
}

/// Arguments for rustc, as cargo takes them. The paths in messages of panics are cut to begin at a package; the stack,
/// which lies before all data, is half of what is usual, so that addresses of data take a byte less.
fn flags(machine: &Machine) -> String {
    let stack = 1 << 19;
    let mut flags = vec![
        format!("-Ctarget-feature={}", machine.target_features),
        format!("-Clink-arg=-zstack-size={stack}"),
        IN_ORDER.into(),
    ];
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
        // A panic leaves the instance unusable; the package then makes another.
        .reset_state_function(true)
        .web(true)
        .and_then(|bindgen| bindgen.typescript(true).remove_producers_section(true).generate(package))
        .with_context(|| format!("wasm-bindgen could not process {}", compiled.display()))
}

/// Writes what npm's `wasm-opt` makes of a module; functions keep their names.
fn optimise(root: &Path, module: &Path, out: &Path, machine: &Machine) -> Result<()> {
    let script = root.join("node_modules").join("binaryen").join("bin").join("wasm-opt");
    if !script.exists() {
        bail!("wasm-opt is missing; get it with `npm ci`");
    }
    // Through node, since Windows runs no file by its first line.
    let mut node = Command::new("node");
    node.arg(script).arg(module).arg("-g").args(WASM_FEATURES).args(machine.options).args(OPTIMISATIONS);
    let status =
        node.arg("-o").arg(out).status().context("node did not start; get it from https://nodejs.org")?;
    ensure!(status.success(), "wasm-opt failed on {}", module.display());
    Ok(())
}

/// Rewrites a script in place with the minifier that comes with npm's vite.
fn minify(root: &Path, script: &Path) -> Result<()> {
    const PROGRAM: &str = r#"
        import { readFileSync, writeFileSync } from "node:fs";
        import { minifySync } from "vite";
        const [path] = process.argv.slice(1);
        const { code, errors } = minifySync(path, readFileSync(path, "utf8"), { module: true });
        if (errors.length > 0) throw new Error(errors[0].message);
        writeFileSync(path, code);
    "#;
    let status = Command::new("node")
        .current_dir(root)
        .args(["--input-type=module", "--eval", PROGRAM, "--"])
        .arg(script)
        .status()
        .context("node did not start; get it from https://nodejs.org")?;
    ensure!(status.success(), "the minifier failed on {}; is vite there? (`npm ci`)", script.display());
    Ok(())
}
