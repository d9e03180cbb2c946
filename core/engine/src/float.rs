//! Floats as text, the way Go and Prometheus print and read them.

/// The NaN that Go's `math.NaN` and Prometheus' parsers make. Not the stale marker, which is another NaN.
pub const NORMAL_NAN: f64 = f64::from_bits(0x7ff8_0000_0000_0001);

/// Integers below this are exact, so their decimal digits are also the shortest ones.
const EXACT_INTEGERS: f64 = 9_007_199_254_740_992.0;

/// Where printed numbers go.
pub trait Sink {
    /// Append text.
    fn put(&mut self, text: &str);
}

impl Sink for String {
    fn put(&mut self, text: &str) {
        self.push_str(text);
    }
}

impl Sink for crate::family::Text {
    fn put(&mut self, text: &str) {
        self.push_str(text);
    }
}

impl Sink for Vec<u8> {
    fn put(&mut self, text: &str) {
        self.extend_from_slice(text.as_bytes());
    }
}

/// Append `v` as Go's `strconv.FormatFloat(v, 'g', -1, 64)` does: shortest digits, exponent form below 1e-4 and from 1e6 on
/// (`1e+06`), `+Inf`, `-Inf`, `NaN`. Prometheus' text format, promtool and Pushgateway's API print values so.
pub fn push_go<S: Sink>(out: &mut S, v: f64) {
    print(out, v);
}

/// Append `v` as OpenMetrics and Prometheus 3's `le` and `quantile` labels have it: like [`push_go`], but recognisably a
/// float (`1.0`, `250000.0`, `1e+06`), and without negative zero.
pub fn push_open_metrics<S: Sink>(out: &mut S, v: f64) {
    if print(out, if v == 0.0 { 0.0 } else { v }) {
        out.put(".0");
    }
}

/// Append `v` as the values of Prometheus' query API are printed: shortest digits, exponent form only below 1e-6 and from 1e21
/// on (`1e+21`).
pub fn push_value<S: Sink>(out: &mut S, v: f64) {
    if (1e-5..1e16).contains(&v.abs()) {
        // Ryu prints these without an exponent, and integers with a zero behind the point.
        let mut buffer = ryu::Buffer::new();
        let text = buffer.format_finite(v);
        out.put(text.strip_suffix(".0").unwrap_or(text));
        return;
    }
    let plain = v.is_finite() && (v == 0.0 || (1e-6..1e21).contains(&v.abs()));
    if !plain {
        print(out, v);
        return;
    }
    if v.is_sign_negative() {
        out.put("-");
    }
    let digits = Digits::of(v.abs());
    print_plain(out, digits.as_str(), digits.point);
}

/// Append an integer in decimal.
pub fn push_u64<S: Sink>(out: &mut S, v: u64) {
    out.put(Digits::of_integer(v).as_str());
}

/// Append a signed integer in decimal.
pub fn push_i64<S: Sink>(out: &mut S, v: i64) {
    if v < 0 {
        out.put("-");
    }
    push_u64(out, v.unsigned_abs());
}

/// Parse as Go's `strconv.ParseFloat(text, 64)` does, without its hexadecimal form and underscores, which no exposition
/// format allows. `None` also where Go reports a range error, as for `1e400`.
pub fn parse_go(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let v: f64 = text.parse().ok()?;
    if v.is_nan() {
        return (!text.starts_with(['+', '-'])).then_some(NORMAL_NAN);
    }
    let overflowed = v.is_infinite() && text.bytes().any(|b| b.is_ascii_digit());
    (!overflowed).then_some(v)
}

/// Print as Go does; true when the text could be an integer's.
fn print<S: Sink>(out: &mut S, v: f64) -> bool {
    if !v.is_finite() {
        out.put(match (v.is_nan(), v > 0.0) {
            (true, _) => "NaN",
            (_, true) => "+Inf",
            (_, false) => "-Inf",
        });
        return false;
    }
    if v.is_sign_negative() {
        out.put("-");
    }
    let digits = Digits::of(v.abs());
    if (-4..6).contains(&(digits.point - 1)) {
        print_plain(out, digits.as_str(), digits.point)
    } else {
        print_exponent(out, digits.as_str(), digits.point - 1);
        false
    }
}

fn print_exponent<S: Sink>(out: &mut S, digits: &str, exponent: i32) {
    let (first, rest) = digits.split_at_checked(1).unwrap_or_default();
    out.put(first);
    if !rest.is_empty() {
        out.put(".");
        out.put(rest);
    }
    out.put(if exponent < 0 { "e-" } else { "e+" });
    if exponent.abs() < 10 {
        out.put("0");
    }
    push_u64(out, u64::from(exponent.unsigned_abs()));
}

/// `point` is -5..=21 here.
fn print_plain<S: Sink>(out: &mut S, digits: &str, point: i32) -> bool {
    let zeros = |n: usize| "000000000000000000000".get(..n).unwrap_or_default();
    if point <= 0 {
        out.put("0.");
        out.put(zeros(point.unsigned_abs() as usize));
        out.put(digits);
        return false;
    }
    let point = point.unsigned_abs() as usize;
    match digits.split_at_checked(point) {
        Some((whole, fraction)) if !fraction.is_empty() => {
            out.put(whole);
            out.put(".");
            out.put(fraction);
            false
        }
        _ => {
            out.put(digits);
            out.put(zeros(point.saturating_sub(digits.len())));
            true
        }
    }
}

/// A number as `0.digits * 10^point`, digits without leading or trailing zeros (zero itself is the digit `0`).
struct Digits {
    ascii: [u8; 20],
    range: std::ops::Range<usize>,
    point: i32,
}

impl Digits {
    /// The digits of a finite number that is not negative, as few as name it.
    fn of(v: f64) -> Self {
        if v < EXACT_INTEGERS && v.fract() == 0.0 {
            let mut digits = Self::of_integer(v as u64);
            let trimmed = digits.as_str().trim_end_matches('0').len().max(1);
            digits.range.end = digits.range.start + trimmed;
            return digits;
        }
        let mut buffer = ryu::Buffer::new();
        let text = buffer.format_finite(v);
        let (mantissa, exponent) = match text.split_once('e') {
            Some((mantissa, exponent)) => (mantissa, exponent.parse().unwrap_or(0)),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        // Leading zeros are not copied: `0.00001` and 17 digits behind it are longer than any digits that count.
        let all = whole.bytes().chain(fraction.bytes());
        let leading = all.clone().take_while(|digit| *digit == b'0').count();
        let mut digits = Self {
            ascii: [b'0'; 20],
            range: 0..whole.len() + fraction.len() - leading,
            point: whole.len() as i32 + exponent - leading as i32,
        };
        for (slot, digit) in digits.ascii.iter_mut().zip(all.skip(leading)) {
            *slot = digit;
        }
        digits.range.end = digits.as_str().trim_end_matches('0').len();
        digits
    }

    /// All digits of an integer.
    fn of_integer(v: u64) -> Self {
        let mut ascii = [b'0'; 20];
        let mut rest = v;
        let mut start = ascii.len();
        for slot in ascii.iter_mut().rev() {
            *slot = b'0' + (rest % 10) as u8;
            rest /= 10;
            start -= 1;
            if rest == 0 {
                break;
            }
        }
        Self {
            ascii,
            point: (ascii.len() - start) as i32,
            range: start..ascii.len(),
        }
    }

    fn as_str(&self) -> &str {
        let digits = self.ascii.get(self.range.clone()).unwrap_or_default();
        std::str::from_utf8(digits).unwrap_or_default()
    }
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

    fn open_metrics(v: f64) -> String {
        let mut out = String::new();
        push_open_metrics(&mut out, v);
        out
    }

    #[test]
    fn prints_as_go_does() {
        // Left: printed by Go 1.26's strconv.FormatFloat(v, 'g', -1, 64).
        for (want, v) in [
            ("0", 0.0),
            ("7", 7.0),
            ("100000", 1e5),
            ("999999", 999_999.0),
            ("120000", 120_000.0),
            ("1e+06", 1e6),
            ("1.234567e+06", 1_234_567.0),
            ("9.007199254740991e+15", 9_007_199_254_740_991.0),
            ("1.583781848025745e+09", 1_583_781_848.025_745),
            ("1e+21", 1e21),
            ("0.0001", 0.0001),
            ("1e-05", 0.000_01),
            ("1.0019116724450401e-05", 1.001_911_672_445_040_1e-5),
            ("0.25", 0.25),
            ("12.5", 12.5),
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

    #[test]
    fn values_of_the_query_api_are_plain_where_they_are_short() {
        // Left: printed by Go 1.26's strconv.FormatFloat(v, 'f' or 'e', -1, 64).
        for (want, v) in [
            ("0", 0.0),
            ("-0", -0.0),
            ("1000000", 1e6),
            ("-1234567.5", -1_234_567.5),
            ("100000000000000000000", 1e20),
            ("123456789012345680000", 123_456_789_012_345_680_000.0),
            ("1e+21", 1e21),
            ("0.000001", 1e-6),
            ("0.0000012345", 1.2345e-6),
            ("9.99e-07", 9.99e-7),
            ("5e-324", 5e-324),
            ("1.7976931348623157e+308", f64::MAX),
            ("+Inf", f64::INFINITY),
            ("-Inf", f64::NEG_INFINITY),
            ("NaN", f64::NAN),
        ] {
            let mut out = String::new();
            push_value(&mut out, v);
            assert_eq!(out, want);
        }
    }

    #[test]
    fn open_metrics_floats_look_like_floats() {
        for (want, v) in [
            ("1.0", 1.0),
            ("0.0", -0.0),
            ("-250000.0", -250_000.0),
            ("1e+06", 1e6),
            ("0.005", 0.005),
            ("+Inf", f64::INFINITY),
            ("NaN", f64::NAN),
        ] {
            assert_eq!(open_metrics(v), want);
        }
    }

    #[test]
    fn reads_what_go_reads() {
        for (text, want) in [
            ("1.", Some(1.0)),
            (".5", Some(0.5)),
            ("+1", Some(1.0)),
            ("1e-400", Some(0.0)),
            ("iNf", Some(f64::INFINITY)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("1e400", None),
            ("-1e400", None),
            ("+nan", None),
            ("-nan", None),
            ("infin", None),
            (".", None),
            ("1e", None),
            ("", None),
            ("+", None),
            ("0x1p3", None),
            ("0x1", None),
            ("1_000", None),
            ("1d", None),
            (" 1", None),
        ] {
            assert_eq!(parse_go(text.as_bytes()), want, "{text}");
        }
        assert_eq!(parse_go(b"nAn").map(f64::to_bits), Some(NORMAL_NAN.to_bits()));
        assert_eq!(parse_go(b"\xff"), None);
    }

    #[test]
    fn prints_the_ends_of_the_integers() {
        let mut out = Vec::new();
        push_i64(&mut out, i64::MIN);
        push_u64(&mut out, u64::MAX);
        assert_eq!(out, b"-922337203685477580818446744073709551615");
    }

    proptest! {
        #[test]
        fn values_are_printed_alike_in_both_ways(mantissa in -1e17..1e17, exponent in -24i32..4) {
            let v = mantissa * 10f64.powi(exponent);
            let (mut fast, mut plain) = (String::new(), String::new());
            push_value(&mut fast, v);
            let digits = Digits::of(v.abs());
            if v.abs() >= 1e-5 {
                print_plain(&mut plain, digits.as_str(), digits.point);
                prop_assert_eq!(fast.trim_start_matches('-'), plain);
            }
        }

        #[test]
        fn round_trips(bits in any::<u64>()) {
            let v = f64::from_bits(bits);
            for text in [go(v), open_metrics(v)] {
                let back = parse_go(text.as_bytes());
                prop_assert!(back == Some(v) || (v.is_nan() && back.is_some_and(f64::is_nan)));
            }
        }

        #[test]
        fn integers_take_the_same_form_as_other_floats(v in 0..1u64 << 53) {
            let v = v as f64;
            let mut digits = ryu::Buffer::new().format_finite(v).replace('.', "");
            digits = digits.split('e').next().unwrap_or_default().trim_matches('0').to_string();
            let printed = go(v).split('e').next().unwrap_or_default().replace('.', "");
            prop_assert_eq!(printed.trim_end_matches('0'), digits);
        }
    }
}
