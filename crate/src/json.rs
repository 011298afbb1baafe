//! JSON as serde reads it, for the configs and headers of model files and the options of a page.
//!
//! Here rather than from serde_json, whose reader would be a quarter of the browser's binary: it exists once for every
//! kind of input, prints the floats that it refuses, and keeps tables to read and print them. This one reads a `str`,
//! says where it stopped, and needs no table: a number is as exact as two roundings leave it.

mod access;
mod error;
mod token;
#[cfg(any(feature = "web", test))]
mod write;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use access::{Entries, Items};
pub(crate) use error::Error;
use token::{Token, Tokens};
#[cfg(feature = "web")]
pub(crate) use write::Writer;

/// Reads one value that is the whole text.
///
/// # Errors
/// What is wrong, and at which byte.
pub(crate) fn from_str<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, Error> {
    let mut reader = Reader { tokens: Tokens::new(text), depth: 0 };
    let value = T::deserialize(&mut reader);
    value.and_then(|value| reader.tokens.finish().map(|()| value)).map_err(|error| error.at(&reader.tokens))
}

/// The most objects and arrays within one another.
const MOST_DEPTH: usize = 64;

/// What a value is read from.
struct Reader<'de> {
    tokens: Tokens<'de>,
    depth: usize,
}

impl<'de> Reader<'de> {
    /// After an opening bracket.
    fn enter(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MOST_DEPTH { Err(Error::new("too many values within values")) } else { Ok(()) }
    }

    /// The closing bracket.
    fn leave(&mut self, bracket: u8) -> Result<(), Error> {
        self.depth -= 1;
        self.tokens.expect(bracket)
    }

    /// The rest of an array that `visitor` reads items of.
    fn array<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        self.enter()?;
        let value = visitor.visit_seq(Items::new(self))?;
        self.leave(b']').map(|()| value)
    }

    /// The rest of an object that `visitor` reads entries of.
    fn object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        self.enter()?;
        let value = visitor.visit_map(Entries::new(self))?;
        self.leave(b'}').map(|()| value)
    }
}

/// Methods that take one kind of token and refuse all others.
macro_rules! accept {
    ($($method:ident($($arguments:ty),*): $reader:ident, $visitor:ident, { $($token:pat => $visit:expr,)+ })+) => {$(
        fn $method<V: Visitor<'de>>(self, $(_: $arguments,)* $visitor: V) -> Result<V::Value, Error> {
            let $reader = self;
            match $reader.tokens.next()? {
                $($token => $visit,)+
                other => Err(error::unexpected(&other, &$visitor)),
            }
        }
    )+};
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.tokens.next()? {
            Token::Null => visitor.visit_unit(),
            Token::Bool(value) => visitor.visit_bool(value),
            Token::Unsigned(value) => visitor.visit_u64(value),
            Token::Signed(value) => visitor.visit_i64(value),
            Token::Real(value) => visitor.visit_f64(value),
            Token::Text(text) => visitor.visit_str(&text),
            Token::Array => self.array(visitor),
            Token::Object => self.object(visitor),
        }
    }

    accept! {
        deserialize_unit(): reader, visitor, { Token::Null => visitor.visit_unit(), }
        deserialize_bool(): reader, visitor, { Token::Bool(value) => visitor.visit_bool(value), }
        deserialize_u64(): reader, visitor, {
            Token::Unsigned(value) => visitor.visit_u64(value),
            Token::Signed(value) => visitor.visit_i64(value),
        }
        deserialize_f64(): reader, visitor, {
            Token::Unsigned(value) => visitor.visit_u64(value),
            Token::Signed(value) => visitor.visit_i64(value),
            Token::Real(value) => visitor.visit_f64(value),
        }
        deserialize_str(): reader, visitor, { Token::Text(text) => visitor.visit_str(&text), }
        deserialize_string(): reader, visitor, { Token::Text(text) => visitor.visit_string(text.into_owned()), }
        deserialize_seq(): reader, visitor, { Token::Array => reader.array(visitor), }
        deserialize_map(): reader, visitor, { Token::Object => reader.object(visitor), }
        deserialize_enum(&'static str, &'static [&'static str]): reader, visitor, {
            Token::Text(text) => visitor.visit_enum(access::Name(&text)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.tokens.null()? { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u128 char bytes byte_buf unit_struct tuple_struct ignored_any
    }
}

#[cfg(test)]
mod tests;
