//! Numbers in messages for people. The standard library prints a float to its last digit, with several kilobytes of
//! tables and big integers; nobody reads those digits.

use std::fmt;

/// A number with seven significant digits at most, as many as an `f32` has.
pub(crate) struct Short(pub(crate) f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: usize = 7;
        if self.0.is_nan() {
            return f.write_str("NaN");
        }
        if self.0.is_sign_negative() {
            f.write_str("-")?;
        }
        let mut value = self.0.abs();
        if value.is_infinite() {
            return f.write_str("inf");
        }
        if value == 0.0 {
            return f.write_str("0");
        }
        // Between one unit and ten of the first digit.
        let (mut exponent, unit) = (DIGITS as i32 - 1, 10_f64.powi(DIGITS as i32 - 1));
        while value < unit {
            value *= 10.0;
            exponent -= 1;
        }
        while value.round() >= 10.0 * unit {
            value /= 10.0;
            exponent += 1;
        }
        let digits = (value.round() as u64).to_string();
        let digits = digits.trim_end_matches('0');
        let (point, scale) = match exponent {
            -5..0 => {
                f.write_str("0.")?;
                (1..-exponent).try_for_each(|_| f.write_str("0"))?;
                return f.write_str(digits);
            }
            0..15 => (exponent as usize + 1, None),
            _ => (1, Some(exponent)),
        };
        f.write_str(&digits[..point.min(digits.len())])?;
        (digits.len()..point).try_for_each(|_| f.write_str("0"))?;
        if point < digits.len() {
            write!(f, ".{}", &digits[point..])?;
        }
        scale.map_or(Ok(()), |scale| write!(f, "e{scale}"))
    }
}

/// A number that is not negative, with so many digits behind the point.
pub(crate) struct Fixed(pub(crate) f64, pub(crate) usize);

impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value, places) = *self;
        let unit = 10_u64.pow(places as u32);
        let parts = (value * unit as f64).round() as u64;
        match places {
            0 => write!(f, "{parts}"),
            _ => write!(f, "{}.{:0places$}", parts / unit, parts % unit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_are_whole() {
        for text in [
            "0",
            "1",
            "-1.5",
            "0.5",
            "1.25",
            "70000",
            "65504",
            "9999999",
            "0.1",
            "0.00012",
            "NaN",
            "inf",
            "-inf",
            "1e15",
            "3.402823e38",
            "1e-6",
            "-2.5e-310",
            "100000000000000",
        ] {
            assert_eq!(text.parse().map(|value| Short(value).to_string()), Ok(text.to_owned()));
        }
        assert_eq!(Short(f64::from(0.1_f32)).to_string(), "0.1");
        assert_eq!(Short(9_999_999.6).to_string(), "10000000");
        assert_eq!(Short(0.999_999_99).to_string(), "1");
    }

    #[test]
    fn fixed_numbers_have_their_places() {
        for (value, places, text) in [
            (0.0, 1, "0.0"),
            (2.0, 1, "2.0"),
            (0.125, 2, "0.13"),
            (9.96, 1, "10.0"),
            (12.4, 0, "12"),
            (0.005, 2, "0.01"),
        ] {
            assert_eq!(Fixed(value, places).to_string(), text);
        }
    }
}
