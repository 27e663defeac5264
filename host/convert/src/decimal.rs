//! Decimal numbers of any size, as Java's `BigDecimal`.
//!
//! Enters: text, or unscaled bytes with a scale. Leaves: the same. Invariant: the unscaled value is minimal big-endian
//! two's complement; sizes are bounded so that no conversion takes long.

use crate::fault::{DataFault, Result};

/// Digits of a decimal at most, in text.
pub const DIGITS_MAX: usize = 2000;
const BYTES_MAX: usize = 840;

/// `unscaled * 10^-scale`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    unscaled: Vec<u8>,
    scale: i32,
}

impl Decimal {
    /// From big-endian two's complement bytes, which need not be minimal; no bytes are zero.
    ///
    /// # Errors
    /// `decimal.too-large` beyond 840 bytes.
    pub fn from_bytes(unscaled: &[u8], scale: i32) -> Result<Self> {
        if unscaled.len() > BYTES_MAX {
            return Err(too_large());
        }
        Ok(Self { unscaled: minimal(unscaled), scale })
    }

    /// From a whole number, scale 0.
    pub fn from_i64(number: i64) -> Self {
        Self { unscaled: minimal(&number.to_be_bytes()), scale: 0 }
    }

    /// From Java's `BigDecimal(String)`: sign, digits, point, exponent. The text's own scale is kept.
    ///
    /// # Errors
    /// `decimal.syntax`; `decimal.too-large` for a scale beyond 32 bits or too many digits.
    pub fn parse(text: &str) -> Result<Self> {
        let syntax = || DataFault::new("decimal.syntax", "not a decimal number");
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i64>().map_err(|_| syntax())?),
            None => (text, 0),
        };
        let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = || whole.bytes().chain(fraction.bytes());
        if digits().next().is_none() || !digits().all(|b| b.is_ascii_digit()) {
            return Err(syntax());
        }
        if whole.len() + fraction.len() > DIGITS_MAX {
            return Err(too_large());
        }
        let scale = i64::try_from(fraction.len()).unwrap_or(i64::MAX).saturating_sub(exponent);
        let scale = i32::try_from(scale).map_err(|_| too_large())?;
        let mut magnitude = vec![0];
        for digit in digits() {
            multiply_add(&mut magnitude, 10, digit - b'0');
        }
        Ok(Self { unscaled: signed(magnitude, mantissa.starts_with('-')), scale })
    }

    /// Minimal big-endian two's complement of the unscaled value; zero is one zero byte.
    pub fn unscaled(&self) -> &[u8] {
        &self.unscaled
    }

    /// Digits behind the point; negative for trailing zeros before it.
    pub fn scale(&self) -> i32 {
        self.scale
    }

    /// True if below zero.
    pub fn is_negative(&self) -> bool {
        self.unscaled.first().is_some_and(|b| b & 0x80 != 0)
    }

    /// The unscaled value's magnitude in decimal digits, at least one.
    pub fn digits(&self) -> String {
        let mut magnitude = self.unscaled.clone();
        if self.is_negative() {
            negate(&mut magnitude);
        }
        let mut digits = Vec::new();
        while magnitude.iter().any(|b| *b != 0) {
            let mut rest = 0_u32;
            for byte in &mut magnitude {
                let part = rest << 8 | u32::from(*byte);
                // Below 256, since the rest is below 10.
                *byte = u8::try_from(part / 10).unwrap_or(u8::MAX);
                rest = part % 10;
            }
            digits.push(char::from_digit(rest, 10).unwrap_or('0'));
        }
        if digits.is_empty() { "0".to_owned() } else { digits.iter().rev().collect() }
    }

    /// The same number with another scale; `None` if digits would be lost or it grows too large.
    pub fn rescaled(&self, scale: i32) -> Option<Self> {
        let shift = i64::from(scale) - i64::from(self.scale);
        let mut digits = self.digits();
        if digits == "0" {
            return Some(Self { unscaled: vec![0], scale });
        }
        let count = usize::try_from(shift.unsigned_abs()).ok()?;
        if shift >= 0 {
            if digits.len() + count > DIGITS_MAX {
                return None;
            }
            digits.push_str(&"0".repeat(count));
        } else {
            let kept = digits.len().checked_sub(count).filter(|kept| *kept > 0)?;
            if digits[kept..].bytes().any(|b| b != b'0') {
                return None;
            }
            digits.truncate(kept);
        }
        let sign = if self.is_negative() { "-" } else { "" };
        let unscaled = Self::parse(&format!("{sign}{digits}")).ok()?.unscaled;
        Some(Self { unscaled, scale })
    }

    /// The whole part if nothing is lost by taking it and it fits.
    pub fn to_i64(&self) -> Option<i64> {
        let whole = self.rescaled(0)?;
        if whole.unscaled.len() > 8 {
            return None;
        }
        let mut bytes = if whole.is_negative() { [0xff; 8] } else { [0; 8] };
        bytes[8 - whole.unscaled.len()..].copy_from_slice(&whole.unscaled);
        Some(i64::from_be_bytes(bytes))
    }
}

impl std::fmt::Display for Decimal {
    /// `BigDecimal.toString`: plain unless the scale is negative or the adjusted exponent below -6.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = self.digits();
        let sign = if self.is_negative() { "-" } else { "" };
        let count = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        let adjusted = count - 1 - i64::from(self.scale);
        if self.scale < 0 || adjusted < -6 {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            let exponent = if adjusted == 0 { String::new() } else { format!("E{adjusted:+}") };
            return write!(f, "{sign}{first}{point}{rest}{exponent}");
        }
        let scale = usize::try_from(self.scale).unwrap_or(0);
        match digits.len().checked_sub(scale).filter(|whole| *whole > 0) {
            _ if scale == 0 => write!(f, "{sign}{digits}"),
            Some(whole) => write!(f, "{sign}{}.{}", &digits[..whole], &digits[whole..]),
            None => write!(f, "{sign}0.{}{digits}", "0".repeat(scale - digits.len())),
        }
    }
}

fn too_large() -> DataFault {
    DataFault::new("decimal.too-large", format!("decimal with more than {DIGITS_MAX} digits or a scale beyond 32 bits"))
}

/// Magnitude, big-endian: times `factor` plus `add`.
fn multiply_add(magnitude: &mut Vec<u8>, factor: u16, add: u8) {
    let mut carry = u16::from(add);
    for byte in magnitude.iter_mut().rev() {
        let product = u16::from(*byte) * factor + carry;
        // The low byte stays, the rest is carried.
        *byte = (product & 0xff) as u8;
        carry = product >> 8;
    }
    if carry > 0 {
        magnitude.insert(0, (carry & 0xff) as u8);
    }
}

fn signed(mut magnitude: Vec<u8>, negative: bool) -> Vec<u8> {
    magnitude.insert(0, 0);
    if negative {
        negate(&mut magnitude);
    }
    minimal(&magnitude)
}

fn negate(bytes: &mut [u8]) {
    let mut carry = true;
    for byte in bytes.iter_mut().rev() {
        (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
    }
}

fn minimal(bytes: &[u8]) -> Vec<u8> {
    let Some(first) = bytes.first() else { return vec![0] };
    let fill = if first & 0x80 == 0 { 0 } else { 0xff };
    let redundant = |pair: &[u8]| pair[0] == fill && (pair[1] ^ fill) & 0x80 == 0;
    let skip = bytes.windows(2).take_while(|pair| redundant(pair)).count();
    bytes[skip..].to_vec()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Decimal;

    #[test]
    fn text_and_bytes_are_those_of_java() {
        let table: [(&str, &[u8], i32, &str); 11] = [
            ("1.56", &[0, 0x9c], 2, "1.56"),
            ("-1.56", &[0xff, 0x64], 2, "-1.56"),
            ("0", &[0], 0, "0"),
            ("0.000", &[0], 3, "0.000"),
            ("1E+3", &[1], -3, "1E+3"),
            ("1.0E-7", &[10], 8, "1.0E-7"),
            ("0.0000010", &[10], 7, "0.0000010"),
            ("12e1", &[12], -1, "1.2E+2"),
            ("-128", &[0x80], 0, "-128"),
            ("65536", &[1, 0, 0], 0, "65536"),
            ("+5", &[5], 0, "5"),
        ];
        for (text, unscaled, scale, printed) in table {
            let decimal = Decimal::parse(text).unwrap();
            assert_eq!((decimal.unscaled(), decimal.scale()), (unscaled, scale), "{text}");
            assert_eq!(decimal.to_string(), printed);
            assert_eq!(Decimal::from_bytes(unscaled, scale).unwrap(), decimal);
        }
    }

    #[test]
    fn what_is_no_number_or_too_large_is_refused() {
        for text in ["", ".", "-", "1.2.3", "abc", "1e", "0x1", "1e99999999999"] {
            assert!(Decimal::parse(text).is_err(), "{text}");
        }
        assert!(Decimal::parse(&"9".repeat(3000)).is_err());
        assert!(Decimal::from_bytes(&[1; 5000], 0).is_err());
    }

    #[test]
    fn rescaling_never_loses_digits() {
        let d = Decimal::parse("1.50").unwrap();
        assert_eq!(d.rescaled(1).unwrap().to_string(), "1.5");
        assert_eq!(d.rescaled(4).unwrap().to_string(), "1.5000");
        assert!(d.rescaled(0).is_none());
        assert!(Decimal::parse("1e1000000000").unwrap().rescaled(0).is_none());
        assert_eq!(Decimal::parse("-12e1").unwrap().to_i64(), Some(-120));
    }
}
