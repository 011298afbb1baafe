//! What the build does with a shader: expands it, and names the line of a mistake.

use saccade_shaders::{ALL, Binding};

use super::{Built, build, main_of};

/// The message of the mistake in a kernel.
fn mistake(kernel: &str, shared: &[(&str, &str)]) -> String {
    build(kernel, shared).err().expect("it has a mistake")
}

const HEAD: &str = "//! A kernel.\n@group(0) @binding(0) var<storage, read_write> out: array<f32>;\n";

#[test]
fn a_mistake_names_its_file_and_line() {
    let unknown = mistake(&format!("{HEAD}\n{}", main_of("    out[i] = missing;")), &[]);
    assert!(unknown.starts_with("kernel.wgsl:6: out[i] = missing;"), "{unknown}");
    // In what is imported, and not where it is imported.
    let shared = [("math.wgsl", "// A comment.\nfn twice(x: f32) -> f32 {\n    return x * 2u;\n}\n")];
    let kernel = format!("{HEAD}#import math\n{}", main_of("    out[i] = twice(1.0);"));
    let mixed = mistake(&kernel, &shared);
    assert!(mixed.starts_with("shared/math.wgsl:"), "{mixed}");
}

#[test]
fn directives_that_make_no_sense_name_their_line() {
    for (kernel, message) in [
        ("#else\n", "kernel.wgsl:1: #else without #if"),
        ("\n#endif\n", "kernel.wgsl:2: #endif without #if"),
        ("#if a\n", "kernel.wgsl: #if without #endif"),
        ("#include x\n", "kernel.wgsl:1: unknown directive"),
        ("#import nothing\n", "kernel.wgsl:1: shared/nothing.wgsl:"),
    ] {
        let error = mistake(kernel, &[]);
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn what_webgpu_does_not_promise_is_refused() {
    let memory = format!(
        "{HEAD}var<workgroup> big: array<f32, 5000>;\n{}",
        main_of("    big[i] = 1.0;\n    out[i] = big[i];")
    );
    let error = mistake(&memory, &[]);
    assert!(error.contains("20000 bytes of workgroup memory, WebGPU promises 16384"), "{error}");
    // Also of an array whose length a host may set.
    let sized = |length: &str| {
        let body = main_of("    big[i] = 1.0;\n    out[i] = big[i];");
        mistake(
            &format!("{HEAD}override LENGTH: u32{length};\nvar<workgroup> big: array<f32, LENGTH>;\n{body}"),
            &[],
        )
    };
    let error = sized(" = 5000u");
    assert!(error.contains("20000 bytes of workgroup memory, WebGPU promises 16384"), "{error}");
    let error = sized("");
    assert!(error.contains("`override LENGTH` needs a u32 as its value"), "{error}");
    let unused = format!(
        "{HEAD}@group(0) @binding(1) var<storage, read> x: array<f32>;\n{}",
        main_of("    out[i] = 1.0;")
    );
    let error = mistake(&unused, &[]);
    assert!(error.contains("the binding `x` is not used"), "{error}");
    let error = mistake(&format!("{HEAD}{}", main_of("    var x: f32;\n    out[i] = x;")), &[]);
    assert!(error.starts_with("kernel.wgsl:5: a `var` needs an initial value: "), "{error}");
}

#[test]
fn variants_take_one_word_of_every_line() {
    let kernel = format!(
        "//! A kernel.\n//! variants: one two\n//! variants: x y\n{}\n{}",
        HEAD.trim_start_matches("//! A kernel.\n"),
        main_of(
            "#if one\n    let v = 1.0;\n#else\n    let v = 2.0;\n#endif\n#if x y\n    out[i] = v;\n#endif"
        )
    );
    let Built { variants, .. } = build(&kernel, &[]).expect("they are right");
    let names: Vec<_> = variants.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["kernel_one_x", "kernel_one_y", "kernel_two_x", "kernel_two_y"]);
    assert!(variants[0].1.contains("1.0") && !variants[0].1.contains("2.0"), "{}", variants[0].1);
    assert!(variants[2].1.contains("2.0"), "{}", variants[2].1);
}

#[test]
fn variants_share_what_no_directive_divides() {
    let pieces = |name: &str| ALL.iter().find(|kernel| kernel.name == name).expect("a kernel").source;
    let (lstm, gru) = (pieces("recurrence_lstm_tile"), pieces("recurrence_gru_tile"));
    let shared = lstm.iter().filter(|piece| gru.contains(piece)).count();
    assert!(lstm.len() > shared && 2 * shared > lstm.len(), "{shared} of {}", lstm.len());
}

#[test]
fn the_table_is_what_the_shaders_say() {
    let matmul = ALL.iter().find(|kernel| kernel.name == "matmul_c64").expect("there is a product");
    let bindings = [Binding::Uniform(52), Binding::Read, Binding::Read, Binding::Read, Binding::Write];
    assert_eq!(matmul.bindings, bindings);
    assert_eq!((matmul.workgroup_size, matmul.workgroup_memory), ([256, 1, 1], 8192));
}
