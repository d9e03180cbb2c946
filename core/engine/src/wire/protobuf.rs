//! Varint-delimited `io.prometheus.client.MetricFamily`, both ways.
//!
//! Fields are written in the order of their numbers and unpacked, byte for byte as Go writes them. What that message has
//! no place for goes into a field of our own, which other readers skip: see [`KIND_FIELD`].

mod decode;
mod encode;
mod fields;
#[cfg(test)]
mod tests;

use std::fmt;

use hashbrown::HashMap;

use crate::bytes::{put_uvarint, Decoder};
use crate::exposition::Escaping;
use crate::family::{Family, Label, Text};
use crate::labels::{is_legacy_label_name, is_legacy_metric_name};
use crate::quote::Quoted;
use crate::wire::{too_many, Options};

pub(crate) use encode::put_family;

/// `MetricFamily` field with the number of a [`crate::family::Kind`] that `MetricType` lacks (info, stateset). Such a family
/// calls itself a gauge in the field that others read.
const KIND_FIELD: u32 = 1000;

/// Why bytes are not metric families. Displays Go's words where Go has an error for it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtobufError {
    /// The input ends inside a message or its length.
    UnexpectedEof,
    /// A message's fields cannot be told apart.
    Malformed,
    /// `MetricType` has no such number.
    UnknownKind(u64),
    /// A name is empty, not UTF-8, or (without UTF-8 names) not a legacy one.
    MetricName(Vec<u8>),
    /// The same of a label.
    LabelName(Vec<u8>),
    /// A label's value is not UTF-8.
    LabelValue(Vec<u8>),
    /// A time too far away to count in milliseconds.
    Timestamp(i64),
    /// Nothing is wrong, it is only too much: [`Options::max_metrics`].
    TooMany(usize),
}

impl fmt::Display for ProtobufError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnexpectedEof => f.write_str("unexpected EOF"),
            Self::Malformed => f.write_str("proto: cannot parse invalid wire-format data"),
            Self::UnknownKind(number) => write!(f, "unknown metric type {number}"),
            Self::MetricName(name) => write!(f, "invalid metric name {}", Quoted(name)),
            Self::LabelName(name) => write!(f, "invalid label name {}", Quoted(name)),
            Self::LabelValue(value) => write!(f, "invalid label value {}", Quoted(value)),
            Self::Timestamp(seconds) => write!(f, "timestamp of {seconds} seconds is out of range"),
            Self::TooMany(limit) => f.write_str(&too_many(*limit)),
        }
    }
}

impl std::error::Error for ProtobufError {}

/// Read a whole body of delimited messages. A later family of the same name takes the place of an earlier one; families
/// without metrics are kept, and count as one metric.
pub fn parse_delimited(input: &[u8], options: Options) -> Result<Vec<Family>, ProtobufError> {
    let mut budget = Budget::of(options.metrics_allowed());
    let mut families: Vec<Family> = Vec::new();
    let mut places: HashMap<Text, usize, ahash::RandomState> = HashMap::default();
    let mut decoder = Decoder::new(input);
    while !decoder.is_empty() {
        let message = decoder.prefixed().map_err(|_| ProtobufError::UnexpectedEof)?;
        let family = decode::family(message, &mut budget)?;
        if family.metrics.is_empty() {
            budget.take()?;
        }
        check_names(&family, options.utf8)?;
        match places.get(&family.name).and_then(|at| families.get_mut(*at)) {
            Some(earlier) => *earlier = family,
            None => {
                places.insert(family.name.clone(), families.len());
                families.push(family);
            }
        }
    }
    Ok(families)
}

/// What a body may still have of metrics, buckets and quantiles.
#[derive(Debug)]
struct Budget {
    limit: usize,
    left: usize,
}

impl Budget {
    fn of(limit: usize) -> Self {
        Self { limit, left: limit }
    }

    fn take(&mut self) -> Result<(), ProtobufError> {
        self.left = self.left.checked_sub(1).ok_or(ProtobufError::TooMany(self.limit))?;
        Ok(())
    }
}

/// Read one `MetricFamily` without its length. Names are checked to be UTF-8 and labels to have one, nothing else.
pub fn decode_family(message: &[u8]) -> Result<Family, ProtobufError> {
    decode::family(message, &mut Budget::of(usize::MAX))
}

fn check_names(family: &Family, utf8: bool) -> Result<(), ProtobufError> {
    let valid = |name: &str, is_legacy: fn(&str) -> bool| if utf8 { !name.is_empty() } else { is_legacy(name) };
    if !valid(&family.name, is_legacy_metric_name) {
        return Err(ProtobufError::MetricName(family.name.as_bytes().to_vec()));
    }
    let mut labels = family.metrics.iter().flat_map(|m| &m.labels);
    match labels.find(|l| !valid(&l.name, is_legacy_label_name)) {
        Some(Label { name, .. }) => Err(ProtobufError::LabelName(name.as_bytes().to_vec())),
        None => Ok(()),
    }
}

/// Append a family as one message, without its length. [`decode_family`] undoes it for every family that a parser made.
pub fn encode_family(family: &Family, out: &mut Vec<u8>) {
    put_family(family, Escaping::AllowUtf8, out);
}

/// Append a family as one message with its length before it.
pub fn encode_delimited(family: &Family, out: &mut Vec<u8>) {
    delimited(out, |out| encode_family(family, out));
}

/// Append what `message` appends, its length before it.
pub(crate) fn delimited(out: &mut Vec<u8>, message: impl FnOnce(&mut Vec<u8>)) {
    // Most messages are shorter than 128 bytes, so one byte is left free for the length.
    let place = out.len();
    out.push(0);
    let start = out.len();
    message(out);
    let length = out.len() - start;
    if let (Ok(length @ ..=0x7f), Some(byte)) = (u8::try_from(length), out.get_mut(place)) {
        *byte = length;
        return;
    }
    let mut prefix = Vec::with_capacity(10);
    put_uvarint(&mut prefix, length as u64);
    out.splice(place..start, prefix);
}
