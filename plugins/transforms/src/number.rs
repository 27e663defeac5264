//! Numbers as Java reads, casts and prints them, and Decimals of up to 38 digits.
//!
//! Enters: text. Leaves: numbers, or payload text. Invariant: no text makes it panic or take long.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "casts wrap as Java's do; lengths and exponents are small"
)]

/// Where the digits of a script begin, of those within 16 bits: Java looks no further.
const ZEROS: [u16; 37] = [
    0x0030, 0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6,
    0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40,
    0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
];

/// The value of a digit of any script.
pub fn digit(character: char) -> Option<u8> {
    let code = u16::try_from(u32::from(character)).ok()?;
    let zero = ZEROS[..ZEROS.partition_point(|zero| *zero <= code)].last()?;
    u8::try_from(code - zero).ok().filter(|value| *value < 10)
}

/// An integer as `Long.parseLong` reads it.
pub fn long(text: &str) -> Option<i64> {
    if text.is_ascii() {
        return text.parse().ok();
    }
    let ascii = |c: char| digit(c).map_or(Some(c).filter(char::is_ascii), |value| Some(char::from(b'0' + value)));
    text.chars().map(ascii).collect::<Option<String>>()?.parse().ok()
}

/// The whole part of a number's text, cut toward zero, within 64 bits after wrapping.
pub fn whole(text: &str) -> Option<i128> {
    let (unscaled, scale) = decimal(text.trim())?;
    let whole = if scale >= 0 {
        10_i128.checked_pow(scale.unsigned_abs()).map_or(0, |power| unscaled / power)
    } else {
        unscaled.checked_mul(10_i128.checked_pow(scale.unsigned_abs())?)?
    };
    Some(i128::from(whole as i64))
}

/// A number's text as a double.
pub fn fraction(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    if digits { text.parse().ok() } else { None }
}

/// Wraps as Java's narrowing casts do.
pub fn wrap(n: i128, of: &str) -> i64 {
    match of {
        "int8" => i64::from(n as i8),
        "int16" => i64::from(n as i16),
        "int32" => i64::from(n as i32),
        _ => n as i64,
    }
}

/// Unscaled value and scale of `BigDecimal(text)`.
pub fn decimal(text: &str) -> Option<(i128, i32)> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
        None => (text, 0),
    };
    let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let magnitude: i128 = all.parse().ok()?;
    let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    Some((if mantissa.starts_with('-') { -magnitude } else { magnitude }, scale))
}

/// The same number with another scale, if no digit is lost.
pub fn rescaled(unscaled: i128, from: i32, to: i32) -> Option<i128> {
    let shift = to.checked_sub(from)?;
    let power = 10_i128.checked_pow(shift.unsigned_abs());
    match power {
        _ if unscaled == 0 => Some(0),
        Some(power) if shift >= 0 => unscaled.checked_mul(power),
        Some(power) if unscaled % power == 0 => Some(unscaled / power),
        _ => None,
    }
}

/// `BigDecimal.toString`.
pub fn decimal_text(unscaled: i128, scale: i32) -> String {
    let digits = unscaled.unsigned_abs().to_string();
    let sign = if unscaled < 0 { "-" } else { "" };
    let adjusted = digits.len() as i64 - 1 - i64::from(scale);
    if scale < 0 || adjusted < -6 {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let exponent = if adjusted == 0 { String::new() } else { format!("E{adjusted:+}") };
        return format!("{sign}{first}{point}{rest}{exponent}");
    }
    let scale = scale.unsigned_abs() as usize;
    match digits.len().checked_sub(scale).filter(|whole| *whole > 0) {
        _ if scale == 0 => format!("{sign}{digits}"),
        Some(whole) => format!("{sign}{}.{}", &digits[..whole], &digits[whole..]),
        None => format!("{sign}0.{}{digits}", "0".repeat(scale - digits.len())),
    }
}

/// The payload of a Decimal: quoted base64 of the unscaled bytes.
pub fn decimal_base64(text: &str, scale: i32) -> Option<String> {
    let (unscaled, own) = decimal(text)?;
    Some(base64_number(rescaled(unscaled, own, scale)?))
}

/// Quoted base64 of the minimal two's complement.
pub fn base64_number(unscaled: i128) -> String {
    let bytes = unscaled.to_be_bytes();
    let fill = if unscaled < 0 { 0xff } else { 0 };
    let skip = bytes.windows(2).take_while(|p| p[0] == fill && (p[1] ^ fill) & 0x80 == 0).count();
    format!("\"{}\"", base64(&bytes[skip..]))
}

/// The unscaled value of a Decimal's payload between its quotes.
pub fn from_base64(text: &[u8]) -> Option<i128> {
    let mut bits = 0_u32;
    let mut count = 0;
    let mut bytes = Vec::new();
    for b in text.iter().take_while(|b| **b != b'=') {
        bits = bits << 6 | u32::try_from(ALPHABET.iter().position(|a| a == b)?).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    if bytes.len() > 16 {
        return None;
    }
    let fill = if bytes.first().is_some_and(|b| b & 0x80 != 0) { 0xff } else { 0 };
    let mut all = [fill; 16];
    all[16 - bytes.len()..].copy_from_slice(&bytes);
    Some(i128::from_be_bytes(all))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Standard base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for nth in 0..4 {
            let sextet = (word >> (18 - 6 * nth) & 63) as usize;
            out.push(if nth <= chunk.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    out
}

/// Bytes as small hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// `Double.toString`.
pub fn java64(x: f64) -> String {
    if !x.is_finite() {
        return if x.is_nan() {
            "NaN"
        } else if x > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    let (two, shortest) = (format!("{x:.1e}"), format!("{x:e}"));
    layout(if shortest.contains('.') || two.parse() != Ok(x) { &shortest } else { &two })
}

/// `Float.toString`.
pub fn java32(x: f32) -> String {
    if !x.is_finite() {
        return java64(f64::from(x));
    }
    let (two, shortest) = (format!("{x:.1e}"), format!("{x:e}"));
    layout(if shortest.contains('.') || two.parse() != Ok(x) { &shortest } else { &two })
}

/// As JSON: words are quoted.
pub fn payload64(x: f64) -> String {
    if x.is_finite() { java64(x) } else { format!("\"{}\"", java64(x)) }
}

/// As JSON: words are quoted.
pub fn payload32(x: f32) -> String {
    if x.is_finite() { java32(x) } else { format!("\"{}\"", java32(x)) }
}

fn layout(scientific: &str) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |m| ("-", m));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = if digits.len() == 2 { digits.trim_end_matches('0') } else { &digits };
    if matches!(digits, "" | "0") {
        return format!("{sign}0.0");
    }
    if !(-3..7).contains(&exponent) {
        let fraction = if digits.len() > 1 { &digits[1..] } else { "0" };
        return format!("{sign}{}.{fraction}E{exponent}", &digits[..1]);
    }
    if exponent < 0 {
        return format!("{sign}0.{}{digits}", "0".repeat((-exponent - 1) as usize));
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        return format!("{sign}{digits}{}.0", "0".repeat(whole - digits.len()));
    }
    format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
}
