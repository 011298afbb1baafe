//! The container: safetensors' header, read strictly and written reproducibly.
//!
//! A safetensors file is the header's length (u64, little-endian), the header (a JSON object: a tensor's name to
//! its dtype, shape and extent; `__metadata__` to a map of strings), and the numbers, without gaps.
//!
//! The header is read here rather than by the `safetensors` crate, which the tests use as the reference: that
//! crate keeps the last of two tensors of one name, buffers each entry whole before it looks at its type, adds
//! extents without a check for overflow, does not name the tensor that is at fault, and writes metadata in an
//! order that differs from run to run.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::ModelError;
use super::error::excerpt;
use super::foreign;
use crate::cpu::order::argsort;

/// The longest header that is read or written, in bytes. A vocabulary of a million words fits.
pub(super) const LONGEST_HEADER: usize = 32 << 20;
/// The longest name of a tensor, in bytes.
const LONGEST_NAME: usize = 256;
/// The most dimensions of a tensor, as many as PyTorch's may have.
const MOST_DIMENSIONS: usize = 64;
/// The most entries in the metadata.
const MOST_METADATA: usize = 1024;
const METADATA: &str = "__metadata__";
const LENGTH: usize = size_of::<u64>();

/// A tensor's type, shape and position in the file.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// The type of its numbers, as the file spells it.
    pub(super) dtype: String,
    /// Its dimensions, outermost first.
    pub(super) shape: Shape,
    /// Where its bytes begin and end, counted from the end of the header.
    data_offsets: (u64, u64),
}

/// At most [`MOST_DIMENSIONS`] dimensions: the limit holds before the list is stored.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Shape(pub(super) Vec<usize>);

/// The header of a file whose tensors cover its data exactly, in no particular order.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) entries: BTreeMap<String, Entry>,
}

impl Header {
    /// Splits a file into its header and its data, and checks that the header's extents cover the data without a
    /// gap or an overlap.
    pub(super) fn read(file: &[u8]) -> Result<(Self, &[u8]), ModelError> {
        let cut =
            |part, expected, found: usize| ModelError::Truncated { part, expected, found: found as u64 };
        let Some((length, rest)) = file.split_first_chunk::<LENGTH>() else {
            let cut = || cut("the header's length", LENGTH as u64, file.len());
            return Err(foreign::recognise(file).unwrap_or_else(cut));
        };
        let announced = u64::from_le_bytes(*length);
        // A file of another kind reads as an absurd length, or as one of something else than JSON.
        let length = usize::try_from(announced).ok().filter(|&length| length <= LONGEST_HEADER);
        let is_object = matches!(rest.trim_ascii_start().first(), None | Some(b'{'));
        let Some(length) = length.filter(|_| is_object) else {
            return Err(foreign::recognise(file).unwrap_or_else(|| {
                ModelError::header(if length.is_some() {
                    "the header does not begin with `{`".to_owned()
                } else {
                    format!("its header would be {announced} bytes long; at most {LONGEST_HEADER} are read")
                })
            }));
        };
        let (text, data) =
            rest.split_at_checked(length).ok_or_else(|| cut("the header", announced, rest.len()))?;
        let text = std::str::from_utf8(text).map_err(|error| {
            ModelError::header(format!("invalid unicode at byte {} of the header", error.valid_up_to()))
        })?;
        let header: Self =
            serde_json::from_str(text).map_err(|error| ModelError::header(error.to_string()))?;
        header.check_cover(data.len() as u64)?;
        Ok((header, data))
    }

    /// Extents in order must each begin where the one before ended, and end where the data ends.
    fn check_cover(&self, data: u64) -> Result<(), ModelError> {
        let extents: Vec<_> = self.entries.iter().map(|(name, entry)| (entry.data_offsets, name)).collect();
        let mut covered = 0;
        for i in argsort(extents.len(), &|a, b| extents[a].cmp(&extents[b])) {
            let ((begin, end), name) = extents[i];
            if begin != covered || end < begin {
                return Err(ModelError::tensor(
                    name,
                    format!("data from byte {covered}, where the tensor before it ends"),
                    format!("data from byte {begin} to byte {end}"),
                ));
            }
            covered = end;
        }
        if covered > data {
            return Err(ModelError::Truncated { part: "the tensors' data", expected: covered, found: data });
        }
        if covered < data {
            return Err(ModelError::header(format!("{} bytes follow the last tensor", data - covered)));
        }
        Ok(())
    }

    /// The prefix that all names have before those of a network that has a tensor `name`, if they have one.
    pub(super) fn prefix_of(&self, name: &str) -> Option<&str> {
        let prefix = self.entries.keys().find_map(|whole| whole.strip_suffix(name))?;
        let all = !prefix.is_empty() && self.entries.keys().all(|whole| whole.starts_with(prefix));
        all.then_some(prefix)
    }

    /// Lays out the entry that follows `begin` bytes of data, and returns where it ends.
    pub(super) fn push(
        &mut self,
        name: String,
        dtype: &str,
        shape: Vec<usize>,
        begin: u64,
        bytes: usize,
    ) -> u64 {
        let end = begin + bytes as u64;
        let entry = Entry { dtype: dtype.to_owned(), shape: Shape(shape), data_offsets: (begin, end) };
        self.entries.insert(name, entry);
        end
    }

    /// The header as bytes, its length before it, padded with spaces to a multiple of 8. Equal headers give equal
    /// bytes.
    pub(super) fn write(&self) -> Result<Vec<u8>, ModelError> {
        if self.metadata.len() > MOST_METADATA {
            return Err(ModelError::header(format!("more than {MOST_METADATA} metadata entries")));
        }
        let header = serde_json::to_vec(self).map_err(|error| ModelError::header(error.to_string()))?;
        let length = header.len().next_multiple_of(LENGTH);
        if length > LONGEST_HEADER {
            return Err(ModelError::header(format!(
                "the header takes {length} bytes; at most {LONGEST_HEADER} are read"
            )));
        }
        let mut file = (length as u64).to_le_bytes().to_vec();
        file.extend(header);
        file.resize(LENGTH + length, b' ');
        Ok(file)
    }
}

impl Entry {
    /// Where the tensor's bytes lie in the data.
    pub(super) fn extent(&self) -> Range<usize> {
        // Within the data, whose length is a `usize`: `check_cover` has seen to it.
        self.data_offsets.0 as usize..self.data_offsets.1 as usize
    }

    /// Checks that `bytes_each` × the product of the dimensions is the length of the extent.
    pub(super) fn check_size(&self, name: &str, bytes_each: usize) -> Result<(), ModelError> {
        let elements = elements(&self.shape.0);
        let bytes = elements.and_then(|elements| elements.checked_mul(bytes_each));
        let held = self.extent().len();
        if bytes == Some(held) {
            return Ok(());
        }
        let needed =
            bytes.map_or("more bytes than can be counted".to_owned(), |bytes| format!("{bytes} bytes"));
        let expected = format!("{needed} for {} of shape {:?}", self.dtype, self.shape.0);
        Err(ModelError::tensor(name, expected, format!("{held} bytes")))
    }
}

/// The product of the dimensions, if it can be counted.
pub(super) fn elements(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |product, &dimension| product.checked_mul(dimension))
}

/// What is wrong with a tensor's name, if anything.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        Err("a tensor has no name".to_owned())
    } else if name == METADATA {
        Err(format!("{METADATA:?} is not a name for a tensor"))
    } else if name.len() > LONGEST_NAME {
        Err(format!("the tensor name {:?} is longer than {LONGEST_NAME} bytes", excerpt(name)))
    } else if name.chars().any(char::is_control) {
        Err(format!("the tensor name {:?} contains a control character", excerpt(name)))
    } else {
        Ok(())
    }
}

impl Serialize for Header {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let metadata = (!self.metadata.is_empty()).then_some((METADATA, Part::Metadata(&self.metadata)));
        let entries = self.entries.iter().map(|(name, entry)| (name.as_str(), Part::Entry(entry)));
        serializer.collect_map(metadata.into_iter().chain(entries))
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Part<'a> {
    Metadata(&'a BTreeMap<String, String>),
    Entry(&'a Entry),
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Header;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Header, A::Error> {
                let mut header = Header::default();
                let mut has_metadata = false;
                while let Some(name) = object.next_key::<String>()? {
                    if name == METADATA {
                        if std::mem::replace(&mut has_metadata, true) {
                            return Err(A::Error::custom(format!("{METADATA:?} appears twice")));
                        }
                        header.metadata = object.next_value::<Strings>()?.0;
                        continue;
                    }
                    check_name(&name).map_err(A::Error::custom)?;
                    if header.entries.contains_key(&name) {
                        return Err(A::Error::custom(format!("tensor {name:?} appears twice")));
                    }
                    let entry = object
                        .next_value()
                        .map_err(|error| A::Error::custom(format!("tensor {name:?}: {error}")))?;
                    header.entries.insert(name, entry);
                }
                Ok(header)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A map of strings, each key once.
struct Strings(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Strings;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{METADATA} to be a map of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Strings, A::Error> {
                let mut strings = BTreeMap::new();
                while let Some((key, value)) = object.next_entry::<String, String>()? {
                    if strings.len() == MOST_METADATA {
                        return Err(A::Error::custom(format!("more than {MOST_METADATA} metadata entries")));
                    }
                    if strings.contains_key(&key) {
                        return Err(A::Error::custom(format!(
                            "metadata key {:?} appears twice",
                            excerpt(&key)
                        )));
                    }
                    strings.insert(key, value);
                }
                Ok(Strings(strings))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Shape;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "at most {MOST_DIMENSIONS} dimensions")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shape, A::Error> {
                let mut shape = Vec::with_capacity(2);
                while let Some(dimension) = list.next_element()? {
                    if shape.len() == MOST_DIMENSIONS {
                        return Err(A::Error::invalid_length(MOST_DIMENSIONS + 1, &self));
                    }
                    shape.push(dimension);
                }
                Ok(Shape(shape))
            }
        }
        deserializer.deserialize_seq(List)
    }
}

#[cfg(test)]
impl Header {
    /// A header of tensors of F32.
    pub(super) fn of(shapes: &[(&str, &[usize])]) -> Self {
        let mut header = Self::default();
        let mut end = 0;
        for &(name, shape) in shapes {
            let bytes = 4 * shape.iter().product::<usize>();
            end = header.push(name.to_owned(), "F32", shape.to_vec(), end, bytes);
        }
        header
    }
}
