//! Numbers as all three generations of InfluxDB read them.
//!
//! The strictest grammar is InfluxDB 3's: `-?digits[.digits][e[+-]digits]`, so no `+1`, `1.`, `.5`, `Inf` or `NaN`.

/// Integers up to here print exactly through i64, which is faster than the general way.
const EXACT: f64 = 1e15;

/// One more than the largest number of eight digits.
const EIGHT: u64 = 100_000_000;

/// Append a finite float, shortest digits that read back to the same bits, without a suffix (so it is a float field).
pub fn put_float(out: &mut Vec<u8>, v: f64) {
    let whole = v as i64;
    if v.abs() < EXACT && whole as f64 == v && (v != 0.0 || v.is_sign_positive()) {
        return put_int(out, whole);
    }
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(v);
    out.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
}

/// Append a decimal integer.
pub fn put_int(out: &mut Vec<u8>, v: i64) {
    if v < 0 {
        out.push(b'-');
    }
    let rest = v.unsigned_abs();
    match (rest / EIGHT / EIGHT, rest / EIGHT % EIGHT) {
        (0, 0) => put_first(out, rest),
        (0, middle) => {
            put_first(out, middle);
            out.extend_from_slice(&digits(rest % EIGHT));
        }
        (first, middle) => {
            put_first(out, first);
            out.extend_from_slice(&digits(middle));
            out.extend_from_slice(&digits(rest % EIGHT));
        }
    }
}

/// Append a number below [`EIGHT`] without zeros before it.
fn put_first(out: &mut Vec<u8>, v: u64) {
    let digits = digits(v);
    let zeros = (u64::from_le_bytes(digits) & 0x0f0f_0f0f_0f0f_0f0f).trailing_zeros() / 8;
    out.extend_from_slice(digits.get(zeros.min(7) as usize..).unwrap_or_default());
}

/// The eight digits of a number below [`EIGHT`], all at once: each step divides the parts of a word, and every part becomes
/// its quotient with its remainder behind it.
fn digits(v: u64) -> [u8; 8] {
    let v = (v / 10_000) | ((v % 10_000) << 32);
    let hundreds = ((v * 10_486) >> 20) & 0x7f_0000_007f; // v / 100 for all v < 10,000
    let v = hundreds | ((v - hundreds * 100) << 16);
    let tens = ((v * 103) >> 10) & 0xf_000f_000f_000f; // v / 10 for all v < 100
    let v = tens | ((v - tens * 10) << 8);
    (v | 0x3030_3030_3030_3030).to_le_bytes()
}

/// A field's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Field {
    /// A float, integer, unsigned integer, or a boolean as 1 or 0.
    Number(f64),
    /// Text: not a sample.
    Text,
}

/// Read an unquoted field value; the error is influxd's words.
pub fn read_field(raw: &str) -> Result<Field, &'static str> {
    match raw {
        "t" | "T" | "true" | "True" | "TRUE" => return Ok(Field::Number(1.0)),
        "f" | "F" | "false" | "False" | "FALSE" => return Ok(Field::Number(0.0)),
        _ => {}
    }
    if !raw.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.' | 'n' | 'N')) {
        return Err("invalid boolean");
    }
    let number = if let Some(digits) = raw.strip_suffix('i') {
        read_int(digits)?.map(|v| v as f64)
    } else if let Some(digits) = raw.strip_suffix('u') {
        digits
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| digits.parse::<u64>().ok())
            .flatten()
            .map(|v| v as f64)
    } else {
        // std would also read `inf`, `nan` and `infinity`.
        let plain = raw
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
        plain
            .then(|| raw.parse::<f64>().ok())
            .flatten()
            .filter(|v| v.is_finite())
    };
    number.map(Field::Number).ok_or("invalid number")
}

fn read_int(digits: &str) -> Result<Option<i64>, &'static str> {
    if digits.starts_with('+') {
        return Err("invalid number");
    }
    Ok(digits.parse::<i64>().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn float(v: f64) -> String {
        let mut out = Vec::new();
        put_float(&mut out, v);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn floats_are_short_and_in_everyones_grammar() {
        for (v, want) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-42.0, "-42"),
            (0.5, "0.5"),
            (1e15, "1000000000000000"),
            (1e16, "1e16"),
            (1.5e-7, "1.5e-7"),
            (f64::MAX, "1.7976931348623157e308"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(float(v), want);
        }
    }

    #[test]
    fn fields_are_read_as_influxd_reads_them() {
        for (raw, want) in [
            ("1i", Ok(Field::Number(1.0))),
            ("-7i", Ok(Field::Number(-7.0))),
            ("7u", Ok(Field::Number(7.0))),
            (".5", Ok(Field::Number(0.5))),
            ("1.", Ok(Field::Number(1.0))),
            ("1e5", Ok(Field::Number(1e5))),
            ("True", Ok(Field::Number(1.0))),
            ("f", Ok(Field::Number(0.0))),
            ("tru", Err("invalid boolean")),
            ("+1", Err("invalid boolean")),
            ("NaN", Err("invalid number")),
            ("-inf", Err("invalid number")),
            ("-7u", Err("invalid number")),
            ("1x", Err("invalid number")),
            ("1e999", Err("invalid number")),
            ("99999999999999999999i", Err("invalid number")),
        ] {
            assert_eq!(read_field(raw), want, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn floats_read_back_to_the_same_bits(bits in any::<u64>()) {
            let v = f64::from_bits(bits);
            prop_assume!(v.is_finite());
            let text = float(v);
            prop_assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(bits));
            prop_assert_eq!(read_field(&text), Ok(Field::Number(v)));
        }

        #[test]
        fn ints_print_as_std_does(v in any::<i64>(), less in 0..64) {
            let v = v >> less;
            let mut out = Vec::new();
            put_int(&mut out, v);
            prop_assert_eq!(out, v.to_string().into_bytes());
        }
    }
}
