//! From text to tokens (RFC 8259).

use std::borrow::Cow;

use super::Error;

/// A value, or where one begins.
pub(super) enum Token<'de> {
    Null,
    Bool(bool),
    Unsigned(u64),
    /// Below 0.
    Signed(i64),
    /// Finite.
    Real(f64),
    Text(Cow<'de, str>),
    /// `[`
    Array,
    /// `{`
    Object,
}

/// A text and how far it is read.
pub(super) struct Tokens<'de> {
    text: &'de str,
    at: usize,
}

const EOF: &str = "EOF where a value goes on";

impl<'de> Tokens<'de> {
    pub(super) fn new(text: &'de str) -> Self {
        Self { text, at: 0 }
    }

    /// How many bytes are read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The byte after white space, which stays.
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte() {
            self.at += 1;
        }
        self.byte()
    }

    /// Takes a byte if it is there.
    fn takes(&mut self, byte: u8) -> bool {
        let found = self.byte() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Error> {
        match self.peek() {
            _ if self.takes(byte) => Ok(()),
            None => Err(Error::new(EOF)),
            Some(_) => Err(Error::new(format!("expected `{}`", char::from(byte)))),
        }
    }

    /// Nothing may follow.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        self.peek().map_or(Ok(()), |_| Err(Error::new("trailing characters")))
    }

    /// Whether an array or object ends here, where `end` stays; otherwise takes the comma before all but the first.
    pub(super) fn ends(&mut self, end: u8, first: &mut bool) -> Result<bool, Error> {
        if self.peek() == Some(end) {
            return Ok(true);
        }
        if !std::mem::take(first) {
            self.expect(b',')?;
            if self.peek() == Some(end) {
                return Err(Error::new("trailing comma"));
            }
        }
        Ok(false)
    }

    /// A key and its colon.
    pub(super) fn key(&mut self) -> Result<Cow<'de, str>, Error> {
        self.expect(b'"')?;
        let key = self.string()?;
        self.expect(b':')?;
        Ok(key)
    }

    /// Takes a `null` if it is there.
    pub(super) fn null(&mut self) -> Result<bool, Error> {
        match self.peek() {
            Some(b'n') => self.word("null").map(|()| true),
            _ => Ok(false),
        }
    }

    pub(super) fn next(&mut self) -> Result<Token<'de>, Error> {
        Ok(match self.peek() {
            None => return Err(Error::new(EOF)),
            Some(b'n') => self.word("null").map(|()| Token::Null)?,
            Some(b't') => self.word("true").map(|()| Token::Bool(true))?,
            Some(b'f') => self.word("false").map(|()| Token::Bool(false))?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(other) => {
                self.at += 1;
                match other {
                    b'"' => Token::Text(self.string()?),
                    b'[' => Token::Array,
                    b'{' => Token::Object,
                    _ => return Err(Error::new("expected a value")),
                }
            }
        })
    }

    fn word(&mut self, word: &str) -> Result<(), Error> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(Error::new(format!("expected `{word}`")));
        }
        self.at += word.len();
        Ok(())
    }

    /// Adds digits to a number; how many it took, and how many of them it had no room for.
    fn digits(&mut self, number: &mut u64) -> Result<(usize, i32), Error> {
        let (first, mut lost) = (self.at, 0);
        while let Some(digit @ b'0'..=b'9') = self.byte() {
            let longer = number.checked_mul(10).and_then(|n| n.checked_add(u64::from(digit - b'0')));
            match longer.filter(|_| lost == 0) {
                Some(longer) => *number = longer,
                None => lost += 1,
            }
            self.at += 1;
        }
        match self.at - first {
            0 => Err(Error::new("expected a digit")),
            count => Ok((count, lost)),
        }
    }

    fn number(&mut self) -> Result<Token<'de>, Error> {
        let negative = self.takes(b'-');
        let (begin, mut significand) = (self.byte(), 0);
        let (count, lost) = self.digits(&mut significand)?;
        if begin == Some(b'0') && count > 1 {
            return Err(Error::new("a number that begins with 0"));
        }
        let mut exponent = lost;
        let mut whole = lost == 0;
        if self.takes(b'.') {
            whole = false;
            // Of what there is no room for in front, all behind is beyond.
            let mut behind = if lost == 0 { significand } else { u64::MAX };
            let (count, unread) = self.digits(&mut behind)?;
            if lost == 0 {
                significand = behind;
                exponent -= count as i32 - unread;
            }
        }
        if self.takes(b'e') || self.takes(b'E') {
            whole = false;
            let below = self.takes(b'-');
            if !below {
                self.takes(b'+');
            }
            let mut power = 0;
            self.digits(&mut power)?;
            let power = i32::try_from(power).unwrap_or(i32::MAX);
            exponent = exponent.saturating_add(if below { -power } else { power });
        }
        if whole {
            let signed = || 0_i64.checked_sub_unsigned(significand);
            match if negative && significand > 0 { signed().map(Token::Signed) } else { None } {
                Some(below) => return Ok(below),
                None if !negative => return Ok(Token::Unsigned(significand)),
                None => {}
            }
        }
        let value = scaled(significand as f64, exponent);
        if value.is_infinite() {
            return Err(Error::new("number out of range"));
        }
        Ok(Token::Real(if negative { -value } else { value }))
    }

    /// What follows a `"`, to the next one.
    fn string(&mut self) -> Result<Cow<'de, str>, Error> {
        let mut decoded = String::new();
        loop {
            let begin = self.at;
            let plain = |byte: &u8| !matches!(byte, b'"' | b'\\' | 0..=31);
            self.at += self.text.as_bytes()[begin..].iter().take_while(|byte| plain(byte)).count();
            // Between bytes of ASCII.
            let part = self.text.get(begin..self.at).unwrap_or_default();
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    if decoded.is_empty() {
                        return Ok(Cow::Borrowed(part));
                    }
                    decoded.push_str(part);
                    return Ok(Cow::Owned(decoded));
                }
                Some(b'\\') => {
                    self.at += 1;
                    decoded.push_str(part);
                    decoded.push(self.escaped()?);
                }
                Some(_) => return Err(Error::new("control character in a string")),
                None => return Err(Error::new("EOF in a string")),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, Error> {
        let byte = self.byte();
        self.at += usize::from(byte.is_some());
        Ok(match byte {
            Some(same @ (b'"' | b'\\' | b'/')) => char::from(same),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let mut code = self.unit()?;
                if matches!(code, 0xd800..=0xdbff) && self.takes(b'\\') && self.takes(b'u') {
                    // A low half is what makes this a code point; anything else leaves it none.
                    let low = self.unit()?.wrapping_sub(0xdc00);
                    code = if low < 0x400 { 0x10000 + ((code - 0xd800) << 10) + low } else { code };
                }
                char::from_u32(code).ok_or_else(|| Error::new("lone surrogate in a string"))?
            }
            _ => return Err(Error::new("invalid escape")),
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Result<u32, Error> {
        let digits = self.text.as_bytes()[self.at..].iter().take(4);
        let unit =
            digits.clone().try_fold(0, |unit, &digit| Some(unit * 16 + char::from(digit).to_digit(16)?));
        let unit = unit.filter(|_| digits.len() == 4).ok_or_else(|| Error::new("invalid escape"))?;
        self.at += 4;
        Ok(unit)
    }
}

/// `significand * 10^exponent`; within a rounding of the nearest for an exponent of at most 22, whose power of ten is
/// exact.
fn scaled(mut significand: f64, exponent: i32) -> f64 {
    const EXACT: u32 = 22;
    let mut left = exponent.unsigned_abs();
    while left > 0 && significand != 0.0 && significand.is_finite() {
        let step = left.min(EXACT);
        let power = (0..step).fold(1.0, |power, _| power * 10.0);
        significand = if exponent < 0 { significand / power } else { significand * power };
        left -= step;
    }
    significand
}
