//! What `cargo add saccade-rnn` compiles.

use std::collections::BTreeSet;
use std::process::Command;

/// The names of the packages that the library is built from with these arguments, those that it asks for itself or all.
fn packages(arguments: &[&str]) -> BTreeSet<String> {
    let mut tree = Command::new(env!("CARGO"));
    tree.current_dir(env!("CARGO_MANIFEST_DIR")).args(["tree", "--offline", "--package", "saccade-rnn"]);
    tree.args(["--edges", "normal", "--prefix", "none", "--format", "{p}"]).args(arguments);
    let output = tree.output().expect("cargo starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let name = |line: &str| line.split(' ').next().expect("a line has a first word").to_owned();
    text.lines().filter(|line| !line.is_empty()).map(name).filter(|name| name != "saccade-rnn").collect()
}

const LIBRARY: [&str; 8] =
    ["bytemuck", "half", "rustc-hash", "saccade-kernels", "serde", "serde_json", "thiserror", "web-time"];

#[test]
fn the_library_asks_for_nothing_that_was_not_asked_for() {
    let own = LIBRARY.map(str::to_owned).into();
    assert_eq!(packages(&["--depth", "1"]), own);
    let all = packages(&[]);
    for package in ["clap", "csv", "indicatif", "naga", "tempfile", "toml", "wasm-bindgen", "wgpu"] {
        assert!(!all.contains(package), "{package} is compiled");
    }
    assert!(packages(&["--features", "gpu"]).contains("wgpu"));
}
