//! Build steps that need code: `cargo xtask --help`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod names;
mod order;
mod sizes;
mod wasm;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build steps of Saccade that need code")]
struct Arguments {
    #[command(subcommand)]
    step: Step,
}

#[derive(Subcommand)]
enum Step {
    /// Build the browser's engine into js/pkg: cargo, wasm-bindgen, wasm-opt, then the sizes.
    Wasm {
        /// Optimise as published; without it the build is quick and the wasm large and slow.
        #[arg(long)]
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
        Step::Wasm { release } => wasm::build(&root(), release),
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
