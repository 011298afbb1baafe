//! What a shader declares, in Rust: the layout of its structs, its constants, and the modules in which they stand.

use std::mem::{offset_of, size_of};

use saccade_shaders::{ALL, Binding, adam, matmul, matmul_few, shared};

use super::{build, main_of};

const OUT: &str = "@group(0) @binding(0) var<storage, read_write> out: array<f32>;\n";
const DERIVES: &str =
    "#[derive(Clone, Copy, Debug, Default, bytemuck::Pod, bytemuck::Zeroable)]\n#[repr(C)]\n";

/// The modules of a kernel that reads a value of the uniform `arguments`.
fn with_arguments(declared: &str, read: &str) -> Result<String, String> {
    let bindings = format!("{OUT}@group(0) @binding(1) var<uniform> arguments: Arguments;\n");
    let kernel = format!("//! A kernel.\n{declared}{bindings}{}", main_of(&format!("    out[i] = {read};")));
    build(&kernel, &[]).map(|built| built.modules)
}

#[track_caller]
fn assert_declares(modules: &str, declaration: &str) {
    assert!(modules.contains(declaration), "{declaration}\nis not in\n{modules}");
}

#[test]
fn a_struct_has_the_fields_of_the_shader_and_their_comments() {
    let declared = "// What the kernel is told.\nstruct Arguments {\n    rows: u32,\n    // Where it begins.\n    \
                    // Counted in values.\n    first: i32,\n    rate: f32,\n    scale: vec2<f32>,\n}\n";
    let modules = with_arguments(declared, "arguments.rate").expect("it is right");
    let fields =
        "pub rows: u32,\n/// Where it begins.\n/// Counted in values.\npub first: i32,\npub rate: f32,\n";
    let padded = "/// Padding, zero.\npub padding_12: [u32; 1],\npub scale: [f32; 2],\n";
    let expected =
        format!("/// What the kernel is told.\n{DERIVES}pub struct Arguments {{\n{fields}{padded}}}\n");
    assert_declares(&modules, &expected);
}

#[test]
fn padding_stands_where_the_shader_leaves_room() {
    let declared = "struct Arguments {\n    a: u32,\n    b: vec3<u32>,\n    c: f32,\n    d: u32,\n}\n";
    let modules = with_arguments(declared, "arguments.c").expect("it is right");
    let first = "pub a: u32,\n/// Padding, zero.\npub padding_4: [u32; 3],\npub b: [u32; 3],\npub c: f32,\n";
    let last = "pub d: u32,\n/// Padding, zero.\npub padding_36: [u32; 3],\n";
    assert_declares(&modules, &format!("pub struct Arguments {{\n{first}{last}}}\n"));
}

#[test]
fn a_field_that_no_host_writes_is_refused() {
    let declared = "\nstruct Arguments {\n    turn: mat2x2<f32>,\n}\n";
    let error = with_arguments(declared, "arguments.turn[0].x").expect_err("a matrix is no number");
    assert_eq!(
        error,
        "kernel.wgsl:3: struct Arguments {: the field `turn` has a type that a host does not write"
    );
}

#[test]
fn only_what_bindings_hold_is_declared() {
    let kernel = format!(
        "//! A kernel.\nstruct Lane {{\n    number: u32,\n}}\nstruct Inner {{\n    value: f32,\n}}\n{OUT}\
         @group(0) @binding(1) var<storage, read> lanes: array<Lane>;\n{}",
        main_of("    let inner = Inner(2.0);\n    out[lanes[i].number] = inner.value;")
    );
    let modules = build(&kernel, &[]).expect("it is right").modules;
    assert_declares(&modules, "pub struct Lane {\npub number: u32,\n}\n");
    assert!(!modules.contains("Inner"), "{modules}");
}

#[test]
fn constants_are_values_with_a_type() {
    let declared = "struct Arguments {\n    flags: u32,\n}\n// Keep it.\nconst KEEP = 4u;\nconst BOTH = KEEP | 1u;\n\
                    const LEAST = -3i;\nconst RATE = 0.5f;\nconst ABSTRACT = 7;\n";
    let modules = with_arguments(declared, "RATE * f32(i32(arguments.flags & BOTH) + LEAST)").expect("right");
    assert_declares(&modules, "/// Keep it.\npub const KEEP: u32 = 4;\n");
    assert_declares(&modules, "pub const BOTH: u32 = 5;\n");
    assert_declares(&modules, "pub const LEAST: i32 = -3;\n");
    assert_declares(&modules, "pub const RATE: f32 = 0.5;\n");
    assert!(!modules.contains("ABSTRACT"), "{modules}");
}

#[test]
fn what_variants_declare_differently_stands_under_the_word_that_settles_it() {
    let kernel = format!(
        "//! A kernel.\n//! variants: one two\n//! variants: wide narrow\n{OUT}#import size\nconst SAME = 1u;\n\
         // Values.\n#if one\nconst VALUES = 1u;\n#else\nconst VALUES = 2u;\n#endif\n\
         const BOTH = VALUES * SIZE;\n{}",
        main_of("    out[i] = f32(BOTH + SAME);")
    );
    let size = "#if wide\nconst SIZE = 64u;\n#else\nconst SIZE = 32u;\n#endif\n";
    let modules = build(&kernel, &[("size.wgsl", size)]).expect("it is right").modules;
    let lines: Vec<_> = modules.lines().filter(|line| !line.starts_with('#')).collect();
    let expected = [
        "/// Declarations of `shaders/kernel.wgsl`.",
        "pub mod kernel {",
        "pub const SAME: u32 = 1;",
        "/// Declarations of variants with `one`.",
        "pub mod one {",
        "/// Values.",
        "pub const VALUES: u32 = 1;",
        "}",
        "/// Declarations of variants with `two`.",
        "pub mod two {",
        "/// Values.",
        "pub const VALUES: u32 = 2;",
        "}",
        "}",
        "/// Declarations that several kernels share.",
        "pub mod shared {",
        "/// Declarations of `shaders/shared/size.wgsl`.",
        "pub mod size {",
        "/// Declarations of variants with `narrow`.",
        "pub mod narrow {",
        "pub const SIZE: u32 = 32;",
        "}",
        "/// Declarations of variants with `wide`.",
        "pub mod wide {",
        "pub const SIZE: u32 = 64;",
        "}",
        "}",
        "}",
    ];
    assert_eq!(lines, expected);
}

/// The bytes of a kernel's uniform.
fn uniform(kernel: &str) -> usize {
    let kernel = ALL.iter().find(|known| known.name == kernel).expect("a kernel");
    let Binding::Uniform(size) = kernel.bindings[0] else { panic!("{} has no uniform", kernel.name) };
    size as usize
}

#[test]
fn the_structs_of_this_package_are_those_of_its_kernels() {
    assert_eq!(size_of::<shared::product::Arguments>(), uniform("matmul_c64"));
    assert_eq!(size_of::<shared::sru::Arguments>(), uniform("sru_backward"));
    assert_eq!(offset_of!(shared::sru::Arguments, rate), 40);
    assert_eq!(size_of::<adam::Arguments>(), uniform("adam_step"));
    assert_eq!(size_of::<adam::Arguments>(), uniform("adam_average"));
    assert_eq!(offset_of!(shared::lanes::Lane, length), 8);
    assert_eq!(matmul::ROWS * matmul::c8::COLUMNS / 16, matmul::c8::SIZE);
    assert_eq!([matmul_few::one::ROWS, matmul_few::eight::ROWS], [1, 8]);
}
