//! Validates a kernel and reads off what its host must know.

use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, ArraySize, Expression, Literal, Module, Override, StorageAccess, Type, TypeInner};

use super::declare::{self, Declaration};
use super::expand::Expanded;

/// What a host must know of a kernel. Bindings are Rust source.
pub(crate) struct Reflected {
    pub(crate) declarations: Vec<Declaration>,
    pub(crate) bindings: Vec<String>,
    pub(crate) workgroup_size: [u32; 3],
    pub(crate) workgroup_memory: u32,
    /// Names of the constants that a host may set.
    pub(crate) overrides: Vec<String>,
}

/// WebGPU's default limits, which every kernel keeps to.
const MAX_STORAGE_BUFFERS: usize = 8;
const MAX_INVOCATIONS: u32 = 256;
const MAX_WORKGROUP_MEMORY: u32 = 16384;

/// Checks a kernel and reads off its bindings.
pub(crate) fn kernel(expanded: &Expanded) -> Result<Reflected, String> {
    let text = expanded.text();
    let module = naga::front::wgsl::parse_str(&text).map_err(|error| {
        let line = error.location(&text).map_or(0, |at| at.line_number as usize);
        format!("{}\n{}", expanded.origin(line), error.emit_to_string(&text))
    })?;
    // Nothing beyond what every WebGPU device has.
    let validated = Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(&module);
    let info = validated.map_err(|error| {
        let line = error.location(&text).map_or(0, |at| at.line_number as usize);
        format!("{}\n{}", expanded.origin(line), error.emit_to_string(&text))
    })?;
    let head = expanded.origin(1);
    let entry = match &module.entry_points[..] {
        [entry] if entry.name == "main" => entry,
        entries => return Err(format!("{head}: one entry point `main`, found {}", entries.len())),
    };
    for (_, constant) in module.overrides.iter() {
        if value(&module, constant).is_none() {
            let name = constant.name.as_deref().unwrap_or_default();
            return Err(format!("{head}: `override {name}` needs a u32 as its value"));
        }
    }
    let used = info.get_entry_point(0);
    let (mut bindings, mut workgroup_memory) = (Vec::new(), 0);
    // naga has them in the order of their first use.
    let mut globals: Vec<_> = module.global_variables.iter().collect();
    globals.sort_by_key(|(_, global)| global.binding.as_ref().map(|at| (at.group, at.binding)));
    for (handle, global) in globals {
        let size = size(&module, &module.types[global.ty]);
        let binding = match global.space {
            AddressSpace::Uniform => format!("Binding::Uniform({size})"),
            AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => {
                "Binding::Write".into()
            }
            AddressSpace::Storage { .. } => "Binding::Read".into(),
            AddressSpace::WorkGroup => {
                workgroup_memory += size.next_multiple_of(16);
                continue;
            }
            _ => continue,
        };
        let place = global.binding.as_ref().filter(|b| b.group == 0 && b.binding as usize == bindings.len());
        let name = global.name.as_deref().unwrap_or_default();
        if place.is_none() {
            return Err(format!("{head}: `{name}` must be @group(0) @binding({})", bindings.len()));
        }
        if used[handle].is_empty() {
            return Err(format!("{head}: the binding `{name}` is not used"));
        }
        bindings.push(binding);
    }
    let buffers = bindings.iter().filter(|b| !b.starts_with("Binding::Uniform")).count();
    let invocations: u32 = entry.workgroup_size.iter().product();
    for (what, found, most) in [
        ("storage buffers", buffers as u32, MAX_STORAGE_BUFFERS as u32),
        ("invocations", invocations, MAX_INVOCATIONS),
        ("bytes of workgroup memory", workgroup_memory, MAX_WORKGROUP_MEMORY),
    ] {
        if found > most {
            return Err(format!("{head}: {found} {what}, WebGPU promises {most}"));
        }
    }
    let declarations = declare::declarations(&module, expanded)?;
    let overrides = module.overrides.iter().filter_map(|(_, constant)| constant.name.clone()).collect();
    Ok(Reflected {
        declarations,
        bindings,
        workgroup_size: entry.workgroup_size,
        workgroup_memory,
        overrides,
    })
}

/// The value of a constant that no host sets.
fn value(module: &Module, constant: &Override) -> Option<u32> {
    match module.global_expressions[constant.init?] {
        Expression::Literal(Literal::U32(value)) => Some(value),
        _ => None,
    }
}

/// The bytes of a type; of an array whose length a host may set, those of the length that it has otherwise.
fn size(module: &Module, of: &Type) -> u32 {
    match of.inner {
        TypeInner::Array { size: ArraySize::Pending(length), stride, .. } => {
            value(module, &module.overrides[length]).map_or(0, |length| length * stride)
        }
        ref inner => inner.size(module.to_ctx()),
    }
}
