//! `AnyValue`: what attributes hold, as the text that a label gets.

use std::borrow::Cow;
use std::fmt::Write;

use crate::wire::message::{text, Field, Fields, Malformed};

/// How deep values may lie in each other.
pub const MAX_DEPTH: usize = 64;

/// A value without what it holds of others.
enum Value<'a> {
    Nothing,
    Text(&'a str),
    Bool(bool),
    Int(i64),
    Double(f64),
    List(&'a [u8]),
    Map(&'a [u8]),
    Bytes(&'a [u8]),
}

/// The last field wins, as in a oneof.
fn read(message: &[u8]) -> Result<Value<'_>, Malformed> {
    let mut value = Value::Nothing;
    for field in Fields::new(message) {
        value = match field? {
            (1, Field::Bytes(bytes)) => Value::Text(text(bytes)?),
            (2, Field::Varint(v)) => Value::Bool(v != 0),
            (3, Field::Varint(v)) => Value::Int(v as i64),
            (4, Field::Fixed64(bits)) => Value::Double(f64::from_bits(bits)),
            (5, Field::Bytes(bytes)) => Value::List(bytes),
            (6, Field::Bytes(bytes)) => Value::Map(bytes),
            (7, Field::Bytes(bytes)) => Value::Bytes(bytes),
            _ => value,
        };
    }
    Ok(value)
}

/// The text of an `AnyValue`: lists and maps as JSON, bytes in base64.
pub fn value_text(message: &[u8]) -> Result<Cow<'_, str>, Malformed> {
    let mut out = String::new();
    match read(message)? {
        Value::Text(text) => return Ok(Cow::Borrowed(text)),
        Value::Nothing => {}
        Value::Bool(v) => out.push_str(if v { "true" } else { "false" }),
        Value::Int(v) => crate::float::push_i64(&mut out, v),
        Value::Double(v) if v.is_finite() => push_double(&mut out, v),
        Value::Double(v) => crate::float::push_go(&mut out, v),
        Value::Bytes(bytes) => push_base64(&mut out, bytes),
        Value::List(_) | Value::Map(_) => push_json(&mut out, message, 0)?,
    }
    Ok(Cow::Owned(out))
}

/// A `KeyValue`.
pub fn read_pair(message: &[u8]) -> Result<(&str, &[u8]), Malformed> {
    let (mut key, mut value) = ("", &[][..]);
    for field in Fields::new(message) {
        match field? {
            (1, Field::Bytes(bytes)) => key = text(bytes)?,
            (2, Field::Bytes(bytes)) => value = bytes,
            _ => {}
        }
    }
    Ok((key, value))
}

fn push_json(out: &mut String, message: &[u8], depth: usize) -> Result<(), Malformed> {
    if depth > MAX_DEPTH {
        return Err(Malformed);
    }
    match read(message)? {
        Value::Nothing => out.push_str("null"),
        Value::Text(text) => push_string(out, text),
        Value::Bool(v) => out.push_str(if v { "true" } else { "false" }),
        Value::Int(v) => crate::float::push_i64(out, v),
        Value::Double(v) if v.is_finite() => push_double(out, v),
        Value::Double(_) => out.push_str("null"),
        Value::Bytes(bytes) => {
            out.push('"');
            push_base64(out, bytes);
            out.push('"');
        }
        Value::List(list) => {
            out.push('[');
            for (i, item) in items(list)?.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                push_json(out, item, depth + 1)?;
            }
            out.push(']');
        }
        Value::Map(map) => {
            let pairs: Result<Vec<_>, _> = items(map)?.into_iter().map(read_pair).collect();
            let mut pairs = pairs?;
            pairs.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (i, (key, value)) in pairs.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                push_string(out, key);
                out.push(':');
                push_json(out, value, depth + 1)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// The messages of the field 1 that lists and maps have.
fn items(message: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    let mut items = Vec::new();
    for field in Fields::new(message) {
        if let (1, Field::Bytes(item)) = field? {
            items.push(item);
        }
    }
    Ok(items)
}

/// As Go's encoding/json writes it, with the characters of HTML escaped.
fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A finite number as ECMAScript writes it.
fn push_double(out: &mut String, v: f64) {
    let size = v.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        let _ = write!(out, "{v}");
        return;
    }
    let text = format!("{v:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    let _ = write!(out, "{digits}e{sign}{exponent}");
}

fn push_base64(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for three in bytes.chunks(3) {
        let at = |i: usize| u32::from(three.get(i).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4usize {
            let digit = DIGITS.get((bits >> (18 - 6 * place)) as usize & 63).copied();
            let digit = if place > three.len() { None } else { digit };
            out.push(digit.map_or('=', char::from));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::wire::message::{put_bytes, put_double, put_message, put_number};

    fn value(put: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut message = Vec::new();
        put(&mut message);
        value_text(&message).unwrap().into_owned()
    }

    #[test]
    fn plain_values() {
        assert_eq!(value(|out| put_bytes(out, 1, "ü".as_bytes())), "ü");
        assert_eq!(value(|out| put_number(out, 2, 1)), "true");
        assert_eq!(value(|out| put_number(out, 3, -7i64 as u64)), "-7");
        assert_eq!(value(|_| {}), "");
        for (bytes, wanted) in [(&b"f"[..], "Zg=="), (b"fo", "Zm8="), (b"foo", "Zm9v"), (b"", "")] {
            assert_eq!(value(|out| put_bytes(out, 7, bytes)), wanted);
        }
        for (number, wanted) in [
            (1.0, "1"),
            (-0.25, "-0.25"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e-7, "1.5e-7"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(value(|out| put_double(out, 4, number)), wanted);
        }
    }

    #[test]
    fn lists_and_maps_are_json() {
        let text = value(|out| {
            put_message(out, 6, |out| {
                for (key, number) in [("z", 1), ("a<", 2)] {
                    put_message(out, 1, |out| {
                        put_bytes(out, 1, key.as_bytes());
                        put_message(out, 2, |out| put_number(out, 3, number));
                    });
                }
                put_message(out, 1, |out| {
                    put_bytes(out, 1, b"l");
                    put_message(out, 2, |out| {
                        put_message(out, 5, |out| {
                            put_message(out, 1, |out| put_bytes(out, 1, b"\"\n"));
                            put_message(out, 1, |_| {});
                        });
                    });
                });
            });
        });
        assert_eq!(text, r#"{"a\u003c":2,"l":["\"\n",null],"z":1}"#);
    }

    #[test]
    fn too_deep_is_refused() {
        let mut message = Vec::new();
        for _ in 0..100 {
            let inner = std::mem::take(&mut message);
            put_message(&mut message, 5, |out| put_bytes(out, 1, &inner));
        }
        assert_eq!(value_text(&message), Err(Malformed));
    }
}
