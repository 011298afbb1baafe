//! Build steps that need code: `cargo xtask --help`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod glue;
mod plain;
mod sizes;
mod stamp;
mod wasm;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build steps of Saccade that need code")]
struct Arguments {
    #[command(subcommand)]
    step: Step,
}

#[derive(Subcommand)]
enum Step {
    /// Build the engine for browsers with and without relaxed SIMD, quickly, into target/engine.
    Wasm {
        /// With gradients and optimisers, into target/graph.
        #[arg(long)]
        graph: bool,
        /// With taggers, parsers and tree classifiers, into target/structure.
        #[arg(long, conflicts_with = "graph")]
        structure: bool,
        /// With training runs, into target/train.
        #[arg(long, conflicts_with_all = ["graph", "structure"])]
        train: bool,
        /// As published: all binaries, optimised, into js/pkg; then their sizes.
        #[arg(long, conflicts_with_all = ["graph", "structure", "train"])]
        release: bool,
    },
    /// Build the checks of the GPU against the CPU for a browser into target/checks.
    Checks,
}

/// The top of the checkout, where `Cargo.toml` and `package.json` stand.
fn root() -> PathBuf {
    let mut path = PathBuf::from(
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()),
    );
    path.pop();
    path
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().step {
        Step::Wasm { release: true, .. } => wasm::build_package(&root()),
        Step::Wasm { graph: true, .. } => wasm::build_quickly(&root(), &wasm::GRAPH),
        Step::Wasm { structure: true, .. } => wasm::build_quickly(&root(), &wasm::STRUCTURE),
        Step::Wasm { train: true, .. } => wasm::build_quickly(&root(), &wasm::TRAIN),
        Step::Wasm { .. } => wasm::build_quickly(&root(), &wasm::ENGINE),
        Step::Checks => wasm::build_checks(&root()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
