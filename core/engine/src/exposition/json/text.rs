//! JSON as Go's `encoding/json` writes it.

use std::fmt::Write;

use crate::family::Text;

/// A string. Go escapes what could end a script in HTML, too.
pub(crate) fn push_string(text: &str, out: &mut String) {
    out.push('"');
    if text.bytes().all(is_plain) {
        out.push_str(text);
    } else {
        push_escaped(text, out);
    }
    out.push('"');
}

/// True for a byte that stands for itself, whatever comes before and after it.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii() && byte >= b' ' && !matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&')
}

fn push_escaped(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\0'..='\x1f' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
}

/// An object of strings, sorted by key; of a key given twice the last value counts.
pub(super) fn push_object(pairs: impl Iterator<Item = (Text, Text)>, out: &mut String) {
    let mut pairs: Vec<(Text, Text)> = pairs.collect();
    // The sort is stable: turned round, the last of a key comes first, and stays.
    pairs.reverse();
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    pairs.dedup_by(|later, kept| later.0 == kept.0);
    out.push('{');
    for (i, (key, value)) in pairs.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        push_string(key, out);
        out.push(':');
        push_string(value, out);
    }
    out.push('}');
}

/// A time as RFC 3339 in UTC, with as many digits of a second as needed.
pub(super) fn push_time(ms: i64, out: &mut String) {
    let (days, of_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1000 % 60);
    let _ = write!(out, "\"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    let fraction = format!(".{:03}", of_day % 1000);
    out.push_str(fraction.trim_end_matches('0').trim_end_matches('.'));
    out.push_str("Z\"");
}

/// Year, month and day of a day counted from 1970-01-01. Years are taken to begin in March, so that the leap day ends them,
/// and come in 400-year cycles of 146,097 days.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (cycle, of_cycle) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_cycle = (of_cycle - of_cycle / 1460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_cycle + 400 * cycle + i64::from(month <= 2);
    (year, month, day)
}
