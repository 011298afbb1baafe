//! JSON as serde writes it.
//!
//! Here rather than from serde_json for the same reason as the reader: this one writes a `String`, knows no formats, and
//! leaves the printing of floats to who has it.

use serde::ser::{
    Error as _, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple,
    Serializer,
};

use super::Error;

/// JSON being written. Keys of maps are strings, and an enum's variants are their names or have no tag.
pub(crate) struct Writer {
    json: String,
    print: fn(f64) -> String,
}

impl Writer {
    /// An empty text; `print` prints numbers that are finite, as JSON has them.
    pub(crate) fn new(print: fn(f64) -> String) -> Self {
        Self { json: String::new(), print }
    }

    /// What was written.
    pub(crate) fn json(self) -> String {
        self.json
    }

    fn push(&mut self, json: &str) {
        self.json.push_str(json);
    }

    fn text(&mut self, text: &str) {
        self.push("\"");
        for c in text.chars() {
            match c {
                '"' | '\\' => self.json.extend(['\\', c]),
                '\0'..='\x1f' => self.push(&format!("\\u{:04x}", u32::from(c))),
                _ => self.json.push(c),
            }
        }
        self.push("\"");
    }

    /// Begins what ends with `end`.
    fn begin(&mut self, begin: &str, end: &'static str) -> Items<'_> {
        self.push(begin);
        Items { writer: self, first: true, end }
    }
}

/// An array or an object being written.
pub(crate) struct Items<'a> {
    writer: &'a mut Writer,
    first: bool,
    end: &'static str,
}

impl Items<'_> {
    /// The writer, ready for the next item.
    fn next(&mut self) -> &mut Writer {
        if !std::mem::take(&mut self.first) {
            self.writer.push(",");
        }
        self.writer
    }

    /// The writer, ready for the value of a key that was written.
    fn value(&mut self) -> &mut Writer {
        self.writer.push(":");
        self.writer
    }

    fn field(&mut self, key: &str) -> &mut Writer {
        self.next().text(key);
        self.value()
    }

    fn close(self) -> Result<(), Error> {
        self.writer.push(self.end);
        Ok(())
    }
}

impl SerializeSeq for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(self.next())
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl SerializeTuple for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(self.next())
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl SerializeMap for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        key.serialize(self.next())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(self.value())
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl SerializeStruct for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self.field(key))
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

/// Methods for whole numbers of some types.
macro_rules! whole {
    ($($method:ident($number:ty))+) => {$(
        fn $method(self, value: $number) -> Result<(), Error> {
            self.push(&value.to_string());
            Ok(())
        }
    )+};
}

impl<'a> Serializer for &'a mut Writer {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeMap = Items<'a>;
    type SerializeStruct = Items<'a>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    whole! {
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.push(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.serialize_f64(value.into())
    }

    /// JSON has neither NaN nor infinity, and null in their place.
    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        if !value.is_finite() {
            return self.serialize_unit();
        }
        let printed = (self.print)(value);
        self.push(&printed);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.text(value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.push("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        Err(with_values(variant))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>, Error> {
        Ok(self.begin("[", "]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Items<'a>, Error> {
        Ok(self.begin("[", "]"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Items<'a>, Error> {
        Ok(self.begin("{", "}"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Items<'a>, Error> {
        Ok(self.begin("{", "}"))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Error> {
        Err(with_values(name))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(with_values(variant))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(with_values(variant))
    }
}

fn with_values(name: &str) -> Error {
    Error::custom(format_args!("{name} has values beside its name"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(serde::Serialize)]
    struct Everything<'a> {
        text: &'a str,
        numbers: (u64, i32, f32, f64),
        unit: Option<()>,
        some: Option<bool>,
        variant: Variant,
        map: BTreeMap<String, Vec<u32>>,
        #[serde(flatten)]
        flat: Flat,
    }

    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    enum Variant {
        ByName,
    }

    #[derive(serde::Serialize)]
    struct Flat {
        more: [char; 2],
        none: [u8; 0],
    }

    fn written(value: &impl Serialize) -> Result<String, Error> {
        let mut writer = Writer::new(|number| number.to_string());
        value.serialize(&mut writer).map(|()| writer.json())
    }

    #[test]
    fn serde_json_writes_the_same() -> Result<(), Box<dyn std::error::Error>> {
        let map = BTreeMap::from([("a".to_owned(), vec![1, 2]), ("\u{1f}\n".to_owned(), vec![])]);
        let flat = Flat { more: ['"', '東'], none: [] };
        let text = "quotes \" and \\, \t and \u{7f} 🦀";
        let numbers = (u64::MAX, -7, 0.5, f64::NAN);
        let value =
            Everything { text, numbers, unit: None, some: Some(true), variant: Variant::ByName, map, flat };
        let ours: serde_json::Value = serde_json::from_str(&written(&value)?)?;
        assert_eq!(ours, serde_json::to_value(&value)?);
        Ok(())
    }

    #[test]
    fn what_would_need_a_tag_is_refused() {
        #[derive(serde::Serialize)]
        enum Tagged {
            Number(u32),
        }
        assert!(written(&Tagged::Number(1)).is_err_and(|error| error.to_string().contains("Number")));
    }
}
