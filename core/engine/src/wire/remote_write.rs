//! Remote write, 1.0 and 2.0: `prometheus.WriteRequest` and `io.prometheus.write.v2.Request` as batches.
//!
//! A request tells of the same series as the one before it, mostly. What it calls a series is hashed to a key, and where the head
//! knows the key the labels are not even looked at: their checks were passed when the key was learned.

mod decode;
mod exemplar;
mod histogram;
mod labels;
mod metadata;
mod replica;
mod request;
mod sample;
pub mod schema;
mod tally;
#[cfg(test)]
mod tests;

pub use decode::{decode, Decoded, Given};
pub use replica::{replicas, Replica, ReplicaLabels};
pub use tally::{Counts, Tally};

use std::hash::{DefaultHasher, Hash, Hasher};

/// Which message a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// `prometheus.WriteRequest`
    V1,
    /// `io.prometheus.write.v2.Request`
    V2,
}

/// Bounds on one request; 0 sets none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Limits {
    /// Samples, and of all else that there may be many of as many.
    pub samples: usize,
    /// Labels of a series.
    pub labels: usize,
    /// Bytes of a label's name.
    pub name: usize,
    /// Bytes of a label's value.
    pub value: usize,
}

/// How requests are read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Rules {
    /// Bounds.
    pub limits: Limits,
    /// Labels that tell replicas of one sender apart; the second is taken off.
    pub replicas: Option<ReplicaLabels>,
    /// Store a start time as a sample of nothing, once.
    pub start_samples: bool,
}

impl Rules {
    /// What a key means depends on these rules.
    fn domain(&self, version: Version) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self, version).hash(&mut hasher);
        hasher.finish()
    }
}

/// Why nothing of a request is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// Not a message of its type.
    Malformed,
    /// More samples, or of something else, than the limit.
    TooMany(&'static str, usize),
    /// By the rules of 1.0, of which this is the reason's name and the text.
    Refused(&'static str, String),
}

impl WriteError {
    /// Its name in metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooMany(..) => "too_many_samples",
            Self::Refused(reason, _) => reason,
        }
    }
}

impl std::fmt::Display for WriteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed => f.write_str("proto: cannot parse invalid wire-format data"),
            Self::TooMany(what, limit) => write!(f, "more than {limit} {what} in one request"),
            Self::Refused(_, text) => f.write_str(text),
        }
    }
}

impl std::error::Error for WriteError {}

impl From<super::message::Malformed> for WriteError {
    fn from(_: super::message::Malformed) -> Self {
        Self::Malformed
    }
}
