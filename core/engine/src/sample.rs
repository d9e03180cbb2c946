//! A sample: what a series holds at one time.

use std::sync::Arc;

use crate::batch::is_stale;
use crate::histogram::Histogram;

/// What a sample holds.
#[derive(Debug, Clone)]
pub enum Value {
    /// A number.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<Histogram>),
}

impl Value {
    /// The same to the bit.
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Histogram(a), Self::Histogram(b)) => Arc::ptr_eq(a, b) || a.same(b),
            _ => false,
        }
    }

    /// The series ends here.
    pub fn is_stale(&self) -> bool {
        match self {
            Self::Float(value) => is_stale(*value),
            Self::Histogram(histogram) => histogram.is_stale(),
        }
    }
}

/// A sample: time in ms, value.
pub type Sample = (i64, Value);
