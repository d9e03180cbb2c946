//! Messages `Sample`.

use super::schema::sample;
use crate::wire::message::{Field, Fields, Malformed};

/// A sample as it was sent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sample {
    pub(super) t: i64,
    /// When its counter began, ms; 0 is not known.
    pub(super) start: i64,
    pub(super) value: f64,
}

/// Read one.
pub(super) fn decode(message: &[u8]) -> Result<Sample, Malformed> {
    let mut sent = Sample::default();
    for field in Fields::new(message) {
        match field? {
            (sample::VALUE, Field::Fixed64(bits)) => sent.value = f64::from_bits(bits),
            (sample::TIME, Field::Varint(t)) => sent.t = t as i64,
            (sample::START, Field::Varint(t)) => sent.start = t as i64,
            _ => {}
        }
    }
    Ok(sent)
}
