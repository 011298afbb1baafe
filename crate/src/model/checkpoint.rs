//! Tensors by name: what a safetensors file holds, as f32.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use half::{bf16, f16};

use super::ModelError;
use super::error::excerpt;
use super::header::{Entry, Header, check_name, elements};
use crate::cpu::order::argsort;
use crate::device::number;
use crate::nn::{Tensor, Tensors};

/// The suffix of the tensor that holds the row scales of an int8 tensor.
pub(super) const SCALE: &str = ".scale";
/// The largest code of an int8 row.
const INT8_LARGEST: f32 = 127.0;

/// Named tensors and the metadata that travels with them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    /// The tensors, under the names that PyTorch gives them. Every number is finite.
    pub tensors: Tensors,
    /// Free text by key; a model's config is under [`CONFIG_KEY`](super::CONFIG_KEY).
    pub metadata: BTreeMap<String, String>,
}

/// How a tensor's numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// 4 bytes each, exact.
    F32,
    /// 2 bytes each. A value of at most 65,504 comes back within 2⁻¹¹ of its magnitude, or within 2⁻²⁵ if that
    /// is more.
    F16,
    /// 1 byte each and 4 bytes for each row of a matrix `[rows, columns]`.
    ///
    /// Row i is stored as whole numbers q in −127..=127 under the tensor's name and a scale sᵢ = max|row i| / 127
    /// under the name with `.scale` appended, shape `[rows]`; q sᵢ is the value. A value comes back within
    /// sᵢ (1/2 + 2⁻¹⁵). A row whose largest magnitude is under 127 × 2⁻¹²⁶ becomes zero.
    Int8Rows,
}

impl Tensor {
    /// A tensor of `shape` whose values are `values` in row-major order.
    ///
    /// # Errors
    /// [`ModelError::Tensor`], under the name `name`, if the number of values is not the product of the
    /// dimensions.
    pub fn new(name: &str, shape: Vec<usize>, values: Vec<f32>) -> Result<Self, ModelError> {
        let tensor = Self { shape, values };
        tensor.check_shape(name)?;
        Ok(tensor)
    }

    fn check_shape(&self, name: &str) -> Result<(), ModelError> {
        if elements(&self.shape) == Some(self.values.len()) {
            return Ok(());
        }
        let expected = format!("as many values as the shape {:?} has", self.shape);
        Err(ModelError::tensor(name, expected, format!("{} values", self.values.len())))
    }
}

impl Checkpoint {
    /// Reads a safetensors file: one of ours, or a PyTorch `state_dict`.
    ///
    /// F32, F16, BF16 and F64 tensors become f32. An I8 tensor `[rows, columns]` with a tensor `[rows]` of floats
    /// under its name with `.scale` appended becomes one f32 tensor (see [`Storage::Int8Rows`]). Any other dtype is
    /// refused: no layer has integers, so a file with some is not what its user thinks.
    ///
    /// # Errors
    /// [`ModelError::Foreign`], [`ModelError::Truncated`], [`ModelError::Header`], [`ModelError::Tensor`],
    /// [`ModelError::Dtype`], and [`ModelError::Value`] for a number that is not a finite f32.
    pub fn from_bytes(file: &[u8]) -> Result<Self, ModelError> {
        let (header, data) = Header::read(file)?;
        Self::decoded(header, data)
    }

    pub(super) fn decoded(header: Header, data: &[u8]) -> Result<Self, ModelError> {
        let mut tensors = Tensors::new();
        for (name, entry) in header.entries.iter().filter(|(name, _)| header.scaled(name).is_none()) {
            tensors.insert(name.clone(), header.finite(name, entry, data)?);
        }
        Ok(Self { tensors, metadata: header.metadata })
    }

    /// Writes a safetensors file. Equal checkpoints give equal bytes.
    ///
    /// `storage` chooses how each tensor is stored, from its name and itself.
    ///
    /// # Errors
    /// [`ModelError::Tensor`] for a name or a shape that could not be read back, for [`Storage::Int8Rows`] asked
    /// of a tensor that is not a matrix, and for a tensor whose name is that of another's row scales;
    /// [`ModelError::Value`] for a number that is not finite or does not fit the storage;
    /// [`ModelError::Header`] for names and metadata too long to be read back.
    pub fn to_bytes(&self, storage: impl Fn(&str, &Tensor) -> Storage) -> Result<Vec<u8>, ModelError> {
        let mut parts: Vec<Part> = Vec::with_capacity(self.tensors.len());
        for (name, tensor) in &self.tensors {
            check_name(name)
                .map_err(|reason| ModelError::tensor(name, "a name that can be read back", reason))?;
            tensor.check_shape(name)?;
            match storage(name, tensor) {
                Storage::F32 => parts.push(Part::f32(name.clone(), tensor.shape.clone(), &tensor.values)?),
                Storage::F16 => parts.push(Part::f16(name, tensor)?),
                Storage::Int8Rows => {
                    let (codes, scale) = encode_rows(name, tensor)?;
                    if self.tensors.contains_key(&scale.name) {
                        let found = format!("a tensor {:?}, the name of its row scales", scale.name);
                        return Err(ModelError::tensor(name, "no tensor under another's name", found));
                    }
                    parts.extend([codes, scale]);
                }
            }
        }
        // Wide numbers first: every tensor is then aligned to its own width.
        let key = |part: usize| (Reverse(parts[part].width), &parts[part].name);
        let order = argsort(parts.len(), &|a, b| key(a).cmp(&key(b)));
        let parts: Vec<&Part> = order.into_iter().map(|part| &parts[part]).collect();
        let mut header = Header { metadata: self.metadata.clone(), ..Header::default() };
        let mut end = 0;
        for part in &parts {
            end = header.push(part.name.clone(), part.dtype, part.shape.clone(), end, part.bytes.len());
        }
        let mut file = header.write()?;
        file.reserve_exact(parts.iter().map(|part| part.bytes.len()).sum());
        parts.iter().for_each(|part| file.extend_from_slice(&part.bytes));
        Ok(file)
    }

    /// How many numbers the tensors hold together.
    pub fn parameter_count(&self) -> u64 {
        self.tensors.values().map(|tensor| tensor.values.len() as u64).sum()
    }

    /// Takes the tensor `name`, which must have the shape `shape`, out of the checkpoint.
    ///
    /// # Errors
    /// [`ModelError::Missing`] if there is none; [`ModelError::Tensor`] if it has another shape, and it stays.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, ModelError> {
        self.values(name, shape)?;
        Ok(self.tensors.remove(name).unwrap_or_default())
    }

    /// The values of the tensor `name`, which must have the shape `shape`; the name stays.
    ///
    /// # Errors
    /// Those of [`Self::take`].
    pub(crate) fn values(&mut self, name: &str, shape: &[usize]) -> Result<&mut Vec<f32>, ModelError> {
        match self.tensors.get_mut(name) {
            None => Err(ModelError::Missing { tensor: excerpt(name), expected: format!("{shape:?}") }),
            Some(tensor) if tensor.shape != shape => {
                Err(ModelError::tensor(name, format!("shape {shape:?}"), format!("shape {:?}", tensor.shape)))
            }
            Some(tensor) => Ok(&mut tensor.values),
        }
    }

    /// Checks that every tensor has been [taken](Self::take): a tensor left over belongs to another network.
    ///
    /// # Errors
    /// [`ModelError::Unclaimed`] with the first tensor that is left.
    pub fn finish(&self) -> Result<(), ModelError> {
        match self.tensors.iter().next() {
            None => Ok(()),
            Some((name, tensor)) => {
                Err(ModelError::Unclaimed { tensor: excerpt(name), found: format!("{:?}", tensor.shape) })
            }
        }
    }
}

impl Header {
    /// The tensor of which `name` holds the row scales.
    pub(super) fn scaled(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name.strip_suffix(SCALE)?).filter(|entry| entry.dtype == "I8")
    }

    /// Reads a tensor of floating-point numbers, or of int8 rows with their scales.
    pub(super) fn decode(&self, name: &str, entry: &Entry, data: &[u8]) -> Result<Tensor, ModelError> {
        match entry.dtype.as_str() {
            "F32" => decode_as(name, entry, data, f32::from_le_bytes),
            "F16" => decode_as(name, entry, data, |bytes| f16::from_le_bytes(bytes).to_f32()),
            "BF16" => decode_as(name, entry, data, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            "F64" => decode_as(name, entry, data, |bytes| f64::from_le_bytes(bytes) as f32),
            "I8" => {
                let scale_name = format!("{name}{SCALE}");
                let Some(scale) = self.entries.get(&scale_name).filter(|scale| scale.dtype != "I8") else {
                    let expected = format!("row scales in a tensor {scale_name:?}");
                    return Err(ModelError::tensor(name, expected, "no such tensor"));
                };
                decode_rows(name, entry, &self.finite(&scale_name, scale, data)?, data)
            }
            dtype => Err(ModelError::Dtype { tensor: excerpt(name), dtype: excerpt(dtype) }),
        }
    }

    /// Reads a tensor like [`Self::decode`], and refuses numbers that are not finite.
    pub(super) fn finite(&self, name: &str, entry: &Entry, data: &[u8]) -> Result<Tensor, ModelError> {
        let tensor = self.decode(name, entry, data)?;
        check_finite(name, &tensor.values)?;
        Ok(tensor)
    }
}

fn decode_as<const WIDTH: usize>(
    name: &str,
    entry: &Entry,
    data: &[u8],
    read: impl Fn([u8; WIDTH]) -> f32,
) -> Result<Tensor, ModelError> {
    entry.check_size(name, WIDTH)?;
    let (numbers, _) = data[entry.extent()].as_chunks::<WIDTH>();
    Ok(Tensor { shape: entry.shape.0.clone(), values: numbers.iter().map(|&bytes| read(bytes)).collect() })
}

/// Reads int8 rows (see [`Storage::Int8Rows`]) given their scales.
fn decode_rows(name: &str, codes: &Entry, scale: &Tensor, data: &[u8]) -> Result<Tensor, ModelError> {
    codes.check_size(name, 1)?;
    let &[rows, columns] = codes.shape.0.as_slice() else {
        return Err(ModelError::tensor(name, "an I8 matrix", format!("shape {:?}", codes.shape.0)));
    };
    if scale.shape != [rows] {
        let (expected, found) = (format!("row scales of shape [{rows}]"), format!("shape {:?}", scale.shape));
        return Err(ModelError::tensor(name, expected, found));
    }
    if let Some(index) = scale.values.iter().position(|&scale| scale < 0.0) {
        return Err(ModelError::Value {
            tensor: excerpt(&format!("{name}{SCALE}")),
            index,
            expected: "a scale that is not negative",
            found: number(scale.values[index]),
        });
    }
    let bytes = &data[codes.extent()];
    let mut values = Vec::with_capacity(bytes.len());
    // A matrix without columns has no bytes to cut into rows.
    for (row, &scale) in bytes.chunks_exact(columns.max(1)).zip(&scale.values) {
        values.extend(row.iter().map(|&code| f32::from(code.cast_signed()) * scale));
    }
    Ok(Tensor { shape: codes.shape.0.clone(), values })
}

pub(super) fn check_finite(name: &str, values: &[f32]) -> Result<(), ModelError> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(index) => Err(ModelError::Value {
            tensor: excerpt(name),
            index,
            expected: "a finite f32",
            found: number(values[index]),
        }),
    }
}

/// A tensor as it is written.
struct Part {
    name: String,
    dtype: &'static str,
    width: usize,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Part {
    fn f32(name: String, shape: Vec<usize>, values: &[f32]) -> Result<Self, ModelError> {
        check_finite(&name, values)?;
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Ok(Self { name, dtype: "F32", width: 4, shape, bytes })
    }

    fn f16(name: &str, tensor: &Tensor) -> Result<Self, ModelError> {
        check_finite(name, &tensor.values)?;
        let largest = f16::MAX.to_f32();
        if let Some(index) = tensor.values.iter().position(|value| value.abs() > largest) {
            return Err(ModelError::Value {
                tensor: excerpt(name),
                index,
                expected: "at most 65504 in magnitude, to be stored as f16",
                found: number(tensor.values[index]),
            });
        }
        let bytes = tensor.values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect();
        Ok(Self { name: name.to_owned(), dtype: "F16", width: 2, shape: tensor.shape.clone(), bytes })
    }
}

/// The codes and the scales of a matrix (see [`Storage::Int8Rows`]).
fn encode_rows(name: &str, tensor: &Tensor) -> Result<(Part, Part), ModelError> {
    let (rows, columns) = match *tensor.shape.as_slice() {
        // Without columns there could be any number of rows, and of scales, for no values.
        [rows, columns] if columns > 0 => (rows, columns),
        _ => {
            let (expected, found) =
                ("a matrix, to be stored as int8 rows", format!("shape {:?}", tensor.shape));
            return Err(ModelError::tensor(name, expected, found));
        }
    };
    check_finite(name, &tensor.values)?;
    let mut codes = Vec::with_capacity(tensor.values.len());
    let mut scales = vec![0.0; rows];
    for (row, scale) in tensor.values.chunks_exact(columns).zip(&mut scales) {
        let largest = row.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        // Below the normal numbers a scale has too few bits to carry the row.
        if largest >= INT8_LARGEST * f32::MIN_POSITIVE {
            // 127 times that of the largest f32 would round to infinity.
            *scale = largest.min(f32::MAX.next_down()) / INT8_LARGEST;
        }
        let code = |value: f32| (value / *scale).round().clamp(-INT8_LARGEST, INT8_LARGEST) as i8;
        codes.extend(row.iter().map(|&value| if *scale == 0.0 { 0 } else { code(value).cast_unsigned() }));
    }
    let scales = Part::f32(format!("{name}{SCALE}"), vec![rows], &scales)?;
    check_name(&scales.name)
        .map_err(|reason| ModelError::tensor(name, "a name with room for its scales'", reason))?;
    let codes =
        Part { name: name.to_owned(), dtype: "I8", width: 1, shape: tensor.shape.clone(), bytes: codes };
    Ok((codes, scales))
}
