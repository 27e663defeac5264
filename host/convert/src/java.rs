//! Numbers as Java prints and casts them.
//!
//! Enters: numbers. Leaves: text. Invariant: the shortest digits that read back equal, plain between 1e-3 and 1e7 and with
//! an exponent elsewhere (`Double.toString` since JDK 19).

/// `Float.toString`.
pub(crate) fn float32(x: f32) -> String {
    if !x.is_finite() {
        return word(f64::from(x));
    }
    // One digit is not enough for Java: of the two-digit forms that read back equal it takes the nearest.
    let two = format!("{x:.1e}");
    let shortest = format!("{x:e}");
    layout(if shortest.contains('.') || two.parse() != Ok(x) { &shortest } else { &two })
}

/// `Double.toString`.
pub(crate) fn float64(x: f64) -> String {
    if !x.is_finite() {
        return word(x);
    }
    let two = format!("{x:.1e}");
    let shortest = format!("{x:e}");
    layout(if shortest.contains('.') || two.parse() != Ok(x) { &shortest } else { &two })
}

/// Appends what [`float32`] says; the usual magnitudes without a detour.
pub(crate) fn put_float32(x: f32, out: &mut Vec<u8>) {
    if is_plain(f64::from(x)) { put_plain(x, out) } else { out.extend_from_slice(float32(x).as_bytes()) }
}

/// Appends what [`float64`] says; the usual magnitudes without a detour.
pub(crate) fn put_float64(x: f64, out: &mut Vec<u8>) {
    if is_plain(x) { put_plain(x, out) } else { out.extend_from_slice(float64(x).as_bytes()) }
}

/// Printed without an exponent, and far from the numbers that have less than two digits.
fn is_plain(x: f64) -> bool {
    (1e-3..1e7).contains(&x.abs())
}

/// Rust's shortest digits are Java's here, but for the `.0` of whole numbers.
fn put_plain(x: impl std::fmt::Display, out: &mut Vec<u8>) {
    use std::io::Write as _;
    let start = out.len();
    // Writing to memory cannot fail.
    let _ = write!(out, "{x}");
    if !out[start..].contains(&b'.') {
        out.extend_from_slice(b".0");
    }
}

fn word(x: f64) -> String {
    if x.is_nan() {
        "NaN"
    } else if x > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
    .to_owned()
}

/// From Rust's `-1.2345e-7` to Java's layout.
fn layout(scientific: &str) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |m| ("-", m));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = if digits.len() == 2 { digits.trim_end_matches('0') } else { &digits };
    let digits = if digits.is_empty() { "0" } else { digits };
    if digits == "0" {
        return format!("{sign}0.0");
    }
    if !(-3..7).contains(&exponent) {
        let fraction = if digits.len() > 1 { &digits[1..] } else { "0" };
        return format!("{sign}{}.{fraction}E{exponent}", &digits[..1]);
    }
    if exponent < 0 {
        let zeros = "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0));
        return format!("{sign}0.{zeros}{digits}");
    }
    let whole = usize::try_from(exponent + 1).unwrap_or(1);
    if digits.len() <= whole {
        return format!("{sign}{digits}{}.0", "0".repeat(whole - digits.len()));
    }
    format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
}

#[cfg(test)]
mod tests {
    use super::{float32, float64, put_float32, put_float64};

    #[test]
    fn the_short_way_prints_the_same() {
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        for n in 0..20_000_u32 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let near = f64::from(n) / 1000.0 - 3.0;
            for x in [f64::from_bits(bits), near, f64::from(n) * 1000.0] {
                let (mut double, mut single) = (Vec::new(), Vec::new());
                put_float64(x, &mut double);
                assert_eq!(String::from_utf8(double).unwrap(), float64(x));
                #[expect(clippy::cast_possible_truncation, reason = "any number will do")]
                let x = x as f32;
                put_float32(x, &mut single);
                assert_eq!(String::from_utf8(single).unwrap(), float32(x));
            }
        }
    }

    #[test]
    fn floats_print_as_java_prints_them() {
        let table = [
            (100.0, "100.0"),
            (0.001, "0.001"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (1e-4, "1.0E-4"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (-1.5, "-1.5"),
            (123.456, "123.456"),
            (1e10, "1.0E10"),
            (32.0, "32.0"),
            (0.012_34, "0.01234"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
            (5e-324, "4.9E-324"),
            (f64::MAX, "1.7976931348623157E308"),
        ];
        for (x, text) in table {
            assert_eq!(float64(x), text);
        }
        assert_eq!(float32(0.1), "0.1");
        assert_eq!(float32(12_345_678.5), "1.2345678E7");
        assert_eq!(float32(1.0e7), "1.0E7");
    }
}
