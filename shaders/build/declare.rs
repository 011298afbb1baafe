//! What a shader declares and its host uses: the structs that bindings hold, and constants, as Rust source.

use std::fmt::Write as _;

use naga::{AddressSpace, Expression, Literal, Module, Scalar, ScalarKind, Span, StructMember, TypeInner};

use super::expand::Expanded;

/// A constant or a struct of one variant.
pub(crate) struct Declaration {
    /// The file in which it stands, below the folder of the shaders.
    pub(crate) file: String,
    pub(crate) name: String,
    /// The same declaration in Rust. Two variants agree on it if they have the same source.
    pub(crate) source: String,
}

/// The constants of a kernel and the structs that its bindings hold, with the comments above them.
pub(crate) fn declarations(module: &Module, expanded: &Expanded) -> Result<Vec<Declaration>, String> {
    let text = expanded.text();
    let line = |span: Span| span.location(&text).line_number as usize;
    let mut found = Vec::new();
    for (handle, constant) in module.constants.iter() {
        let (Some(name), Expression::Literal(literal)) =
            (&constant.name, &module.global_expressions[constant.init])
        else {
            continue;
        };
        let (kind, value) = match literal {
            Literal::U32(value) => ("u32", value.to_string()),
            Literal::I32(value) => ("i32", value.to_string()),
            Literal::F32(value) => ("f32", format!("{value:?}")),
            _ => continue,
        };
        let line = line(module.constants.get_span(handle));
        let source = format!("{}pub const {name}: {kind} = {value};\n", docs(expanded, line, "const "));
        found.push(Declaration { file: expanded.file(line).into(), name: name.clone(), source });
    }
    for (handle, declared) in module.types.iter() {
        let (Some(name), TypeInner::Struct { members, span }) = (&declared.name, &declared.inner) else {
            continue;
        };
        let is_bound = module.global_variables.iter().any(|(_, global)| {
            let element = match module.types[global.ty].inner {
                TypeInner::Array { base, .. } => base,
                _ => global.ty,
            };
            matches!(global.space, AddressSpace::Uniform | AddressSpace::Storage { .. }) && element == handle
        });
        if is_bound {
            let line = line(module.types.get_span(handle));
            let fields = fields(module, expanded, line, members, *span)?;
            let source = format!(
                "{}#[derive(Clone, Copy, Debug, Default, bytemuck::Pod, bytemuck::Zeroable)]\n\
                 #[repr(C)]\npub struct {name} {{\n{fields}}}\n",
                docs(expanded, line, "struct "),
            );
            found.push(Declaration { file: expanded.file(line).into(), name: name.clone(), source });
        }
    }
    Ok(found)
}

/// The fields of a struct of `size` bytes whose declaration begins at a line, with padding where WGSL leaves room.
fn fields(
    module: &Module,
    expanded: &Expanded,
    line: usize,
    members: &[StructMember],
    size: u32,
) -> Result<String, String> {
    let (mut source, mut end) = (String::new(), 0);
    let pad = |source: &mut String, from: u32, to: u32| {
        if from < to {
            // Writing to a `String` cannot fail.
            let _ = writeln!(source, "/// Padding, zero.\npub padding_{from}: [u32; {}],", (to - from) / 4);
        }
    };
    for member in members {
        let name = member.name.as_deref().unwrap_or_default();
        let inner = &module.types[member.ty].inner;
        let Some(kind) = host_type(inner) else {
            return Err(format!(
                "{}: the field `{name}` has a type that a host does not write",
                expanded.origin(line)
            ));
        };
        pad(&mut source, end, member.offset);
        let _ = writeln!(source, "{}pub {name}: {kind},", docs(expanded, line, &format!("{name}:")));
        end = member.offset + inner.size(module.to_ctx());
    }
    pad(&mut source, end, size);
    Ok(source)
}

/// The Rust type of numbers and vectors of 32 bits each.
fn host_type(inner: &TypeInner) -> Option<String> {
    let (scalar, size) = match *inner {
        TypeInner::Scalar(scalar) => (scalar, None),
        TypeInner::Vector { size, scalar } => (scalar, Some(size as u8)),
        _ => return None,
    };
    let kind = match scalar {
        Scalar { kind: ScalarKind::Uint, width: 4 } => "u32",
        Scalar { kind: ScalarKind::Sint, width: 4 } => "i32",
        Scalar { kind: ScalarKind::Float, width: 4 } => "f32",
        _ => return None,
    };
    Some(size.map_or_else(|| kind.into(), |size| format!("[{kind}; {size}]")))
}

/// The comment above the first line from `line` on that begins with `text`.
fn docs(expanded: &Expanded, line: usize, text: &str) -> String {
    expanded.comment(line, text).iter().map(|comment| format!("///{comment}\n")).collect()
}
