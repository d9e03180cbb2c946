//! Floats as text, the way each peer writes them.

/// Append `v` as Go's `strconv.FormatFloat(v, 'g', -1, 64)` does: shortest digits, exponent form below 1e-4 and from 1e6 on
/// (`1e+06`), `+Inf`, `-Inf`, `NaN`. Prometheus' text format, promtool and Pushgateway's API print values so.
pub fn push_go(out: &mut String, v: f64) {
    if v.is_nan() {
        out.push_str("NaN");
        return;
    }
    if v.is_infinite() {
        out.push_str(if v > 0.0 { "+Inf" } else { "-Inf" });
        return;
    }
    if v == 0.0 {
        out.push_str(if v.is_sign_negative() { "-0" } else { "0" });
        return;
    }
    if v < 0.0 {
        out.push('-');
    }
    let (digits, point) = shortest(v.abs());
    let digits = digits.as_str();
    let exponent = point - 1;
    if exponent < -4 || exponent >= 6 {
        push_exponent(out, digits, exponent);
    } else {
        push_plain(out, digits, point);
    }
}

fn push_exponent(out: &mut String, digits: &str, exponent: i32) {
    let (first, rest) = digits.split_at(1);
    out.push_str(first);
    if !rest.is_empty() {
        out.push('.');
        out.push_str(rest);
    }
    out.push('e');
    out.push(if exponent < 0 { '-' } else { '+' });
    let e = exponent.unsigned_abs();
    if e < 10 {
        out.push('0');
    }
    out.push_str(&e.to_string());
}

fn push_plain(out: &mut String, digits: &str, point: i32) {
    if point <= 0 {
        out.push_str("0.");
        for _ in 0..-point {
            out.push('0');
        }
        out.push_str(digits);
    } else if digits.len() as i32 <= point {
        out.push_str(digits);
        for _ in 0..point - digits.len() as i32 {
            out.push('0');
        }
    } else {
        let (whole, fraction) = digits.split_at(point as usize);
        out.push_str(whole);
        out.push('.');
        out.push_str(fraction);
    }
}

/// Shortest round-trip digits of a positive finite number, and where the decimal point stands after the first digit's place:
/// `0.digits * 10^point`.
fn shortest(v: f64) -> (String, i32) {
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(v);
    let (mantissa, exponent) = match text.split_once('e') {
        Some((m, e)) => (m, e.parse::<i32>().unwrap_or(0)),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let mut digits = String::with_capacity(20);
    digits.push_str(whole);
    digits.push_str(fraction);
    let mut point = whole.len() as i32 + exponent;
    let stripped = digits.trim_start_matches('0');
    point -= (digits.len() - stripped.len()) as i32;
    (stripped.trim_end_matches('0').to_string(), point)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn go(v: f64) -> String {
        let mut out = String::new();
        push_go(&mut out, v);
        out
    }

    #[test]
    fn prints_as_go_does() {
        // Left: printed by Go 1.26's strconv.FormatFloat(v, 'g', -1, 64).
        for (want, v) in [
            ("100000", 1e5),
            ("999999", 999_999.0),
            ("1e+06", 1e6),
            ("1.234567e+06", 1_234_567.0),
            ("1.583781848025745e+09", 1_583_781_848.025_745),
            ("1e+21", 1e21),
            ("0.0001", 0.0001),
            ("1e-05", 0.000_01),
            ("250000", 250_000.0),
            ("1.0000000000000005e+15", 1e15 + 0.5),
            ("-0", -0.0),
            ("-2.5", -2.5),
            ("+Inf", f64::INFINITY),
            ("-Inf", f64::NEG_INFINITY),
            ("NaN", f64::NAN),
            ("5e-324", 5e-324),
            ("1.7976931348623157e+308", f64::MAX),
        ] {
            assert_eq!(go(v), want);
        }
    }

    proptest! {
        #[test]
        fn round_trips(bits in any::<u64>()) {
            let v = f64::from_bits(bits);
            let back: f64 = go(v).parse().unwrap_or(0.0);
            prop_assert!(back == v || (v.is_nan() && back.is_nan()));
        }
    }
}
