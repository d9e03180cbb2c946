//! Histogram chunks, as Prometheus writes them: encodings 2 and 3, and for reading 5 and 6.
//!
//! ```text
//! n u16, reset header (2 bits of a byte) | layout | first sample in full | (change)*
//! sample: t, count, zero count, sum, positive buckets, negative buckets; a stale marker has no buckets
//! ```
//!
//! A chunk of whole observations tells integers by the change of their change and the sum by its XOR with the one before; a
//! chunk of parts of observations tells all but the time by XOR.

mod appender;
mod column;
mod fit;
mod kind;
mod layout;
mod row;
mod samples;

pub use appender::{told, Appender, Cut};
pub use kind::{Fractions, Kind, Whole};
pub use samples::{Samples, START_COUNT_MASK};

use crate::histogram::ResetHint;

/// Number of bytes before the bit stream.
const HEADER_SIZE: usize = 3;

/// The reset header: what is known of a counter reset between the chunk before and this one.
fn header_bits(hint: ResetHint) -> u8 {
    match hint {
        ResetHint::Unknown => 0,
        ResetHint::NotReset => 0x40,
        ResetHint::Reset => 0x80,
        ResetHint::Gauge => 0xc0,
    }
}

fn header_hint(flags: u8) -> ResetHint {
    match flags & 0xc0 {
        0x40 => ResetHint::NotReset,
        0x80 => ResetHint::Reset,
        0xc0 => ResetHint::Gauge,
        _ => ResetHint::Unknown,
    }
}
