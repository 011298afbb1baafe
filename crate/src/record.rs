//! Records and choices as serde's derive reads them, with its messages, in a fraction of its code: all fields of all
//! records go through one loop, where the derive writes a state, a comparison and an error path for each.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

/// A struct that is read from a map.
pub(crate) trait Record<'de>: Sized {
    /// What messages call it.
    const NAME: &'static str;
    /// The names of its fields; no other may be there.
    const FIELDS: &'static [&'static str];

    /// Reads its fields.
    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error>;
}

/// Reads a [`Record`].
pub(crate) struct Whole<R>(pub(crate) PhantomData<R>);

impl<'de, R: Record<'de>> Visitor<'de> for Whole<R> {
    type Value = R;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(R::NAME)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<R, A::Error> {
        R::from_map(map)
    }
}

/// A field, empty until it is read.
pub(crate) trait Field<'de, A: MapAccess<'de>> {
    /// Takes the next value of the map.
    fn read(&mut self, map: &mut A) -> Result<(), A::Error>;

    /// Whether it has one.
    fn is_read(&self) -> bool;
}

impl<'de, A: MapAccess<'de>, T: Deserialize<'de>> Field<'de, A> for Option<T> {
    fn read(&mut self, map: &mut A) -> Result<(), A::Error> {
        *self = Some(map.next_value()?);
        Ok(())
    }

    fn is_read(&self) -> bool {
        self.is_some()
    }
}

/// Reads the entries of a map into the fields of their names.
pub(crate) fn fill<'de, A: MapAccess<'de>>(
    mut map: A,
    names: &'static [&'static str],
    fields: &mut [&mut dyn Field<'de, A>],
) -> Result<(), A::Error> {
    while let Some(at) = map.next_key_seed(Place { names, of: None })? {
        if fields[at].is_read() {
            return Err(A::Error::duplicate_field(names[at]));
        }
        fields[at].read(&mut map)?;
    }
    Ok(())
}

/// A field that a record cannot be without.
pub(crate) fn needed<T, E: Error>(field: Option<T>, name: &'static str) -> Result<T, E> {
    field.ok_or_else(|| E::missing_field(name))
}

/// A field that may be left out.
pub(crate) fn optional<T: Default, E: Error>(field: Option<T>, _: &'static str) -> Result<T, E> {
    Ok(field.unwrap_or_default())
}

/// Finds a text in a list.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) names: &'static [&'static str],
    /// The enum whose variants they are; if there is none, they are fields.
    pub(crate) of: Option<&'static str>,
}

impl<'de> DeserializeSeed<'de> for Place {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Place {
    type Value = usize;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.of.unwrap_or("field identifier"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<usize, E> {
        let unknown = if self.of.is_some() { E::unknown_variant } else { E::unknown_field };
        self.names.iter().position(|name| *name == text).ok_or_else(|| unknown(text, self.names))
    }
}

/// `record!(Type { field: kind, … })` has a struct read from a map; a kind is [`needed`], [`optional`], or a function
/// like them. A field's name in the map, where it is another, stands before it: `"dataSet" as data_set: needed`.
macro_rules! record {
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $name:literal) => { $name };
    ($type:ident { $($($name:literal as)? $field:ident: $kind:path),+ $(,)? }) => {
        impl<'de> $crate::record::Record<'de> for $type {
            const NAME: &'static str = concat!("struct ", stringify!($type));
            const FIELDS: &'static [&'static str] = &[$($crate::record::record!(@name $field $($name)?)),+];

            fn from_map<A: serde::de::MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
                $(let mut $field = None;)+
                $crate::record::fill(map, Self::FIELDS, &mut [$(&mut $field),+])?;
                Ok(Self { $($field: $kind($field, $crate::record::record!(@name $field $($name)?))?),+ })
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use $crate::record::{Record as _, Whole};
                deserializer.deserialize_struct(stringify!($type), Self::FIELDS, Whole(std::marker::PhantomData))
            }
        }
    };
}

/// `choice!(Type { "name" => Variant, … })` has an enum read from the name of a variant.
macro_rules! choice {
    ($type:ident { $($name:literal => $variant:ident),+ $(,)? }) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let of = Some(concat!("enum ", stringify!($type)));
                let place = $crate::record::Place { names: &[$($name),+], of };
                let at = serde::de::DeserializeSeed::deserialize(place, deserializer)?;
                Ok([$(Self::$variant),+][at])
            }
        }
    };
}

pub(crate) use {choice, record};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[derive(Debug, PartialEq)]
    struct Point {
        across: usize,
        kind: Option<Kind>,
    }

    record!(Point { "x" as across: needed, kind: optional });

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Kind {
        Near,
        Far,
    }

    choice!(Kind { "near" => Near, "far" => Far });

    #[test]
    fn fields_come_in_any_order() {
        let far = Point { across: 2, kind: Some(Kind::Far) };
        assert_eq!(json::from_str::<Point>(r#"{"kind": "far", "x": 2}"#).ok(), Some(far));
        assert_eq!(json::from_str::<Point>(r#"{"x": 2}"#).ok(), Some(Point { across: 2, kind: None }));
    }

    #[test]
    fn messages_are_those_of_the_derive() {
        for (text, message) in [
            (r#"{"kind": null}"#, "missing field `x`"),
            (r#"{"x": 1, "x": 1}"#, "duplicate field `x`"),
            (r#"{"y": 1}"#, "unknown field `y`, expected `x` or `kind`"),
            (r#"{"kind": "here"}"#, "unknown variant `here`, expected `near` or `far`"),
            (r#"{"kind": 1}"#, "invalid type: integer `1`, expected enum Kind"),
            ("7", "invalid type: integer `7`, expected struct Point"),
        ] {
            let found = json::from_str::<Point>(text).expect_err(text).to_string();
            assert!(found.starts_with(&format!("{message} at byte ")), "{found}");
        }
    }
}
