//! Exemplars of points.

use std::borrow::Cow;
use std::fmt::Write;

use super::points::{double, ms};
use super::value::{read_pair, value_text};
use crate::labels::pack;
use crate::wire::message::{Field, Fields, Malformed};

/// Characters that the labels of an exemplar may have, as in OpenMetrics.
const MAX_CHARACTERS: usize = 128;

/// An exemplar.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    /// ms; 0 when it is not known.
    pub t: i64,
    /// The observed value.
    pub value: f64,
    /// Its labels, packed.
    pub labels: Vec<u8>,
}

/// Read an `Exemplar`: trace and span, and the filtered attributes where there is room for them.
pub fn read(message: &[u8]) -> Result<Exemplar, Malformed> {
    let (mut t, mut value) = (0, 0.0);
    let (mut trace, mut span) = (String::new(), String::new());
    let mut attributes: Vec<(&str, Cow<'_, str>)> = Vec::new();
    for field in Fields::new(message) {
        match field? {
            (2, Field::Fixed64(time)) => t = ms(time),
            (3, Field::Fixed64(bits)) => value = double(bits),
            (4, Field::Bytes(id)) => span = hex(id),
            (5, Field::Bytes(id)) => trace = hex(id),
            (6, Field::Fixed64(int)) => value = int as i64 as f64,
            (7, Field::Bytes(pair)) => {
                let (key, value) = read_pair(pair)?;
                attributes.push((key, value_text(value)?));
            }
            _ => {}
        }
    }
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for (name, id) in [("trace_id", &trace), ("span_id", &span)] {
        if !id.is_empty() {
            pairs.push((name, id));
        }
    }
    let ids = pairs.clone();
    pairs.extend(attributes.iter().map(|(key, value)| (*key, value.as_ref())));
    let characters: usize = pairs
        .iter()
        .map(|(key, value)| key.chars().count() + value.chars().count())
        .sum();
    let mut labels = Vec::new();
    if characters > MAX_CHARACTERS || pack(&mut pairs, &mut labels).is_err() {
        labels.clear();
        let _ = pack(&mut ids.clone(), &mut labels);
    }
    Ok(Exemplar { t, value, labels })
}

/// Empty for an id that is none: no bytes, or only zeros.
fn hex(id: &[u8]) -> String {
    let mut text = String::with_capacity(2 * id.len());
    if id.len() <= 16 && id.iter().any(|byte| *byte != 0) {
        for byte in id {
            let _ = write!(text, "{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::labels::{format_labels, Labels};
    use crate::wire::message::{put_bytes, put_message};

    fn labels(value: &str) -> String {
        let mut message = Vec::new();
        put_bytes(&mut message, 5, &[0xab; 16]);
        put_bytes(&mut message, 4, &[0; 8]);
        put_message(&mut message, 7, |out| {
            put_bytes(out, 1, b"user.id");
            put_message(out, 2, |out| put_bytes(out, 1, value.as_bytes()));
        });
        let mut text = String::new();
        format_labels(Labels::checked(&read(&message).unwrap().labels).unwrap(), &mut text);
        text
    }

    #[test]
    fn attributes_are_there_where_they_fit() {
        let trace = "ab".repeat(16);
        assert_eq!(labels("u"), format!(r#"{{trace_id="{trace}", "user.id"="u"}}"#));
        assert_eq!(labels(&"u".repeat(90)), format!(r#"{{trace_id="{trace}"}}"#));
    }
}
