//! The heads of shaders and CPU kernels name each other: `kernels/src/x.rs` in a shader's, `shaders/x.wgsl` in a
//! kernel's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The comment at the beginning of a file.
fn head(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("a source file");
    text.lines().take_while(|line| line.starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// The files that a head names by their path from the root of the repository.
fn named<'a>(head: &'a str, folder: &str) -> BTreeSet<&'a str> {
    head.split('`').filter(|word| word.starts_with(folder)).collect()
}

/// The heads of the files of one kind in a folder, by their path from the root of the repository.
fn heads(root: &Path, folder: &str, extension: &str) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(root.join(folder)).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let kind = paths.filter(|path| path.extension().is_some_and(|found| found == extension));
    kind.map(|path| (format!("{folder}/{}", path.file_name().expect("a name").display()), head(&path)))
        .collect()
}

#[test]
fn shaders_and_cpu_kernels_name_each_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a folder above");
    // In the package alone the kernels are not there.
    if !root.join("kernels/src").is_dir() {
        return;
    }
    let kernels = heads(root, "kernels/src", "rs");
    let mut shaders = heads(root, "shaders", "wgsl");
    shaders.extend(heads(root, "shaders/shared", "wgsl"));

    for (shader, head) in &shaders {
        let twins = named(head, "kernels/src/");
        assert!(shader.contains("/shared/") || !twins.is_empty(), "{shader} names no CPU twin");
        for twin in twins {
            let back =
                kernels.get(twin).unwrap_or_else(|| panic!("{shader} names {twin}, which is not there"));
            assert!(named(back, "shaders/").contains(&shader[..]), "{twin} does not name its twin {shader}");
        }
    }
    for (kernel, head) in kernels.iter().filter(|(kernel, _)| *kernel != "kernels/src/lib.rs") {
        let twins = named(head, "shaders/");
        assert_eq!(
            twins.is_empty(),
            head.contains("No WGSL twin: "),
            "{kernel}: its WGSL twin, or why it has none"
        );
        for twin in twins {
            let back =
                shaders.get(twin).unwrap_or_else(|| panic!("{kernel} names {twin}, which is not there"));
            assert!(
                named(back, "kernels/src/").contains(&kernel[..]),
                "{twin} does not name its twin {kernel}"
            );
        }
    }
}
