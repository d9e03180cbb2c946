//! Label sets in packed form: `(len uv, name, len uv, value)*`, sorted by name, no name twice, no empty value.
//!
//! The packed bytes are also the body of a WAL series record after its count, so a label set is
//! copied, compared and hashed as one slice and never taken apart on the write path.

use std::fmt::Write;

use crate::bytes::{put_prefixed, Decoder};
use crate::quote::Quoted;

/// The label that carries the metric's name.
pub const METRIC_NAME: &str = "__name__";

/// A borrowed label set. Holds the invariant of the module; whoever reads bytes from outside checks it with [`Labels::checked`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Labels<'a>(&'a [u8]);

/// Why bytes or pairs are not a label set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelsError {
    /// The packed bytes end in the middle of a label.
    Truncated,
    /// A name or a value is not UTF-8.
    NotUtf8,
    /// Names are not strictly ascending.
    Unsorted,
    /// The same name twice.
    Duplicate(String),
    /// A label without a name.
    EmptyName,
}

impl std::fmt::Display for LabelsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Truncated => f.write_str("label set ends in the middle of a label"),
            Self::NotUtf8 => f.write_str("label name or value is not UTF-8"),
            Self::Unsorted => f.write_str("label names are not sorted"),
            Self::Duplicate(name) => write!(f, "label name {name:?} appears twice"),
            Self::EmptyName => f.write_str("label without a name"),
        }
    }
}

impl std::error::Error for LabelsError {}

impl<'a> Labels<'a> {
    /// Trust bytes that this process packed itself.
    pub fn trusted(packed: &'a [u8]) -> Self {
        Self(packed)
    }

    /// Check bytes that come from disk or from a peer.
    pub fn checked(packed: &'a [u8]) -> Result<Self, LabelsError> {
        let mut decoder = Decoder::new(packed);
        let mut previous: Option<&str> = None;
        while !decoder.is_empty() {
            let name = decoder.prefixed().map_err(|_| LabelsError::Truncated)?;
            let value = decoder.prefixed().map_err(|_| LabelsError::Truncated)?;
            let name = std::str::from_utf8(name).map_err(|_| LabelsError::NotUtf8)?;
            std::str::from_utf8(value).map_err(|_| LabelsError::NotUtf8)?;
            if name.is_empty() {
                return Err(LabelsError::EmptyName);
            }
            match previous.map(|p| p.cmp(name)) {
                Some(std::cmp::Ordering::Equal) => return Err(LabelsError::Duplicate(name.into())),
                Some(std::cmp::Ordering::Greater) => return Err(LabelsError::Unsorted),
                _ => previous = Some(name),
            }
        }
        Ok(Self(packed))
    }

    /// The packed bytes.
    pub fn packed(self) -> &'a [u8] {
        self.0
    }

    /// Labels in name order.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> + Clone {
        let mut decoder = Decoder::new(self.0);
        std::iter::from_fn(move || {
            let name = std::str::from_utf8(decoder.prefixed().ok()?).ok()?;
            let value = std::str::from_utf8(decoder.prefixed().ok()?).ok()?;
            Some((name, value))
        })
    }

    /// Names and values in turn, in name order, as bytes: for those that only copy or compare them.
    pub fn texts(self) -> impl Iterator<Item = &'a [u8]> {
        let mut decoder = Decoder::new(self.0);
        std::iter::from_fn(move || decoder.prefixed().ok())
    }

    /// The value of `name`, or "" when the set has no such label (the two are the same to Prometheus).
    pub fn get(self, name: &str) -> &'a str {
        let mut texts = self.texts();
        while let (Some(n), Some(value)) = (texts.next(), texts.next()) {
            if n == name.as_bytes() {
                return std::str::from_utf8(value).unwrap_or_default();
            }
        }
        ""
    }

    /// How many labels there are.
    pub fn count(self) -> usize {
        self.iter().count()
    }
}

/// Append `labels` in packed form to `out`: sorted, empty values left out.
pub fn pack(labels: &mut [(&str, &str)], out: &mut Vec<u8>) -> Result<(), LabelsError> {
    labels.sort_unstable_by(|a, b| a.0.cmp(b.0));
    let mut previous: Option<&str> = None;
    for (name, value) in labels.iter() {
        if name.is_empty() {
            return Err(LabelsError::EmptyName);
        }
        if previous == Some(name) {
            return Err(LabelsError::Duplicate((*name).into()));
        }
        previous = Some(name);
        if !value.is_empty() {
            put_prefixed(out, name.as_bytes());
            put_prefixed(out, value.as_bytes());
        }
    }
    Ok(())
}

/// Order of label sets in Prometheus: pair by pair, and a set before those that continue it.
pub fn compare(a: Labels<'_>, b: Labels<'_>) -> std::cmp::Ordering {
    let same = common_prefix(a.0, b.0);
    // Names and values that end within the common bytes are equal: most of those of two series of one metric.
    let mut equal = Decoder::new(a.0);
    let mut start = 0;
    while equal.prefixed().is_ok() && a.0.len() - equal.len() <= same {
        start = a.0.len() - equal.len();
    }
    let rest = |packed| Decoder::new(<[u8]>::get(packed, start..).unwrap_or_default());
    let (mut a, mut b) = (rest(a.0), rest(b.0));
    loop {
        match (a.prefixed(), b.prefixed()) {
            (Ok(a), Ok(b)) if a == b => {}
            (Ok(a), Ok(b)) => return a.cmp(b),
            (a, b) => return a.is_ok().cmp(&b.is_ok()),
        }
    }
}

/// How many bytes two slices begin with that are the same.
fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let (words_of_a, words_of_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let same = |(a, b): &(&[u8], &[u8])| a.first_chunk::<8>() == b.first_chunk::<8>();
    let words = 8 * words_of_a.zip(words_of_b).take_while(same).count();
    let tail = |bytes| <[u8]>::get(bytes, words..).unwrap_or_default();
    words + tail(a).iter().zip(tail(b)).take_while(|(a, b)| a == b).count()
}

/// `{a="b", c="d"}` as Go's `labels.Labels.String` prints it, names that are not legacy ones quoted.
pub fn format_labels(labels: Labels<'_>, out: &mut String) {
    out.push('{');
    for (i, (name, value)) in labels.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        if is_legacy_label_name(name) {
            out.push_str(name);
        } else {
            quote(name, out);
        }
        out.push('=');
        quote(value, out);
    }
    out.push('}');
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`
pub fn is_legacy_label_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`
pub fn is_legacy_metric_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || b == b':')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':')
}

/// Append `text` as Go's `strconv.Quote` has it.
pub fn quote(text: &str, out: &mut String) {
    let _ = write!(out, "{}", Quoted(text.as_bytes()));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn packs_sorted_and_drops_empty_values() {
        let mut out = Vec::new();
        pack(&mut [("b", "2"), ("a", ""), ("__name__", "m")], &mut out).unwrap();
        let labels = Labels::checked(&out).unwrap();
        assert_eq!(labels.iter().collect::<Vec<_>>(), vec![("__name__", "m"), ("b", "2")]);
        assert_eq!(labels.get("a"), "");
        let mut text = String::new();
        format_labels(labels, &mut text);
        assert_eq!(text, r#"{__name__="m", b="2"}"#);
    }

    #[test]
    fn orders_by_pairs() {
        let packed = |labels: &mut [(&str, &str)]| {
            let mut out = Vec::new();
            pack(labels, &mut out).unwrap();
            out
        };
        let ascending = [
            packed(&mut []),
            packed(&mut [("a", "1")]),
            packed(&mut [("a", "1"), ("b", "1")]),
            packed(&mut [("a", "10")]),
            packed(&mut [("a", "2")]),
            packed(&mut [("aa", "1")]),
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(compare(Labels::trusted(a), Labels::trusted(b)), i.cmp(&j), "{i} {j}");
            }
        }
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_the_pairs(
            a in proptest::collection::btree_map("[a-c]{1,3}", "[a-z\u{0}é]{1,12}", 0..5),
            b in proptest::collection::btree_map("[a-c]{1,3}", "[a-z\u{0}é]{1,12}", 0..5),
            common in "[a-z]{0,140}",
        ) {
            let packed = |labels: &std::collections::BTreeMap<String, String>| {
                let mut labels: Vec<(&str, &str)> = labels.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                labels.push(("__name__", &common));
                let mut out = Vec::new();
                pack(&mut labels, &mut out).unwrap();
                out
            };
            let order = compare(Labels::trusted(&packed(&a)), Labels::trusted(&packed(&b)));
            prop_assert_eq!(order, a.iter().cmp(b.iter()));
        }
    }

    #[test]
    fn refuses_what_is_not_a_label_set() {
        let mut out = Vec::new();
        assert_eq!(
            pack(&mut [("a", "1"), ("a", "2")], &mut out),
            Err(LabelsError::Duplicate("a".into()))
        );
        assert_eq!(Labels::checked(b"\x01a\x05x"), Err(LabelsError::Truncated));
        assert_eq!(Labels::checked(b"\x01b\x01x\x01a\x01x"), Err(LabelsError::Unsorted));
        assert_eq!(Labels::checked(b"\x01\xff\x01x"), Err(LabelsError::NotUtf8));
        assert_eq!(Labels::checked(b"\x00\x01x"), Err(LabelsError::EmptyName));
    }
}
