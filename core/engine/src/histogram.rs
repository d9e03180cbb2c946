//! Native histograms as they are stored: in the log, in chunks, in memory.

#[cfg(test)]
pub(crate) mod arbitrary;
mod convert;
pub mod resolution;
pub mod spans;
mod validate;

pub use validate::Invalid;

use crate::batch::{is_stale, STALE_NAN_BITS};
use spans::promised;

/// The schema of histograms that carry their own bounds.
pub const CUSTOM_BUCKETS: i32 = -53;

/// What the writer knew about a counter reset between the sample before and this one. The numbers are those of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum ResetHint {
    /// Whoever reads compares with the sample before.
    #[default]
    Unknown = 0,
    /// The counter began anew.
    Reset = 1,
    /// It went on.
    NotReset = 2,
    /// A gauge histogram: its buckets may shrink.
    Gauge = 3,
}

/// (gap to the previous span, buckets in this one).
pub type Span = (i32, u32);

/// A native histogram; compared by value, so NaN is not equal to itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Histogram {
    /// About the sample before.
    pub hint: ResetHint,
    /// Resolution: -4 to 8, or [`CUSTOM_BUCKETS`].
    pub schema: i32,
    /// Width of the zero bucket.
    pub zero_threshold: f64,
    /// Sum of the observations; the stale NaN makes the histogram a stale marker.
    pub sum: f64,
    /// Positive buckets.
    pub positive: Vec<Span>,
    /// Negative buckets.
    pub negative: Vec<Span>,
    /// Upper bounds of custom buckets, ascending, the last one (+Inf) left out.
    pub custom: Vec<f64>,
    /// What was counted.
    pub counts: Counts,
}

/// The counts of a histogram. Buckets come in the order of the spans.
#[derive(Debug, Clone, PartialEq)]
pub enum Counts {
    /// Whole observations; buckets as differences from the bucket before.
    Integer {
        /// Observations.
        count: u64,
        /// Those in the zero bucket.
        zero: u64,
        /// Positive buckets.
        positive: Vec<i64>,
        /// Negative buckets.
        negative: Vec<i64>,
    },
    /// Parts of observations; buckets as they are.
    Float {
        /// Observations.
        count: f64,
        /// Those in the zero bucket.
        zero: f64,
        /// Positive buckets.
        positive: Vec<f64>,
        /// Negative buckets.
        negative: Vec<f64>,
    },
}

impl Default for Counts {
    fn default() -> Self {
        Self::Integer {
            count: 0,
            zero: 0,
            positive: Vec::new(),
            negative: Vec::new(),
        }
    }
}

impl ResetHint {
    /// The hint with this number in the log; numbers that later versions may give out say nothing.
    pub fn from_byte(byte: u8) -> Self {
        match byte {
            1 => Self::Reset,
            2 => Self::NotReset,
            3 => Self::Gauge,
            _ => Self::Unknown,
        }
    }

    /// What the test language and the API call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Reset => "reset",
            Self::NotReset => "not_reset",
            Self::Gauge => "gauge",
        }
    }

    /// The hint of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Unknown, Self::Reset, Self::NotReset, Self::Gauge]
            .into_iter()
            .find(|hint| hint.name() == name)
    }
}

impl Histogram {
    /// The series ends here.
    pub fn is_stale(&self) -> bool {
        is_stale(self.sum)
    }

    /// Observations are counted in parts.
    pub fn is_float(&self) -> bool {
        matches!(self.counts, Counts::Float { .. })
    }

    /// The same to the bit, whatever the hints say: they are about the sample before. One stale marker is as another.
    pub fn same(&self, other: &Self) -> bool {
        if self.is_stale() && other.is_stale() {
            return self.is_float() == other.is_float();
        }
        self.schema == other.schema
            && self.zero_threshold.to_bits() == other.zero_threshold.to_bits()
            && self.sum.to_bits() == other.sum.to_bits()
            && self.positive == other.positive
            && self.negative == other.negative
            && same_floats(&self.custom, &other.custom)
            && self.counts.same(&other.counts)
    }

    /// The marker that ends a series of such histograms.
    pub fn stale_marker(&self) -> Self {
        let counts = match self.counts {
            Counts::Integer { .. } => Counts::default(),
            Counts::Float { .. } => Counts::Float {
                count: 0.0,
                zero: 0.0,
                positive: Vec::new(),
                negative: Vec::new(),
            },
        };
        Self {
            sum: f64::from_bits(STALE_NAN_BITS),
            counts,
            ..Self::default()
        }
    }

    /// Bytes on the heap, without what the allocator adds.
    pub fn heap(&self) -> usize {
        let (positive, negative) = self.counts.buckets();
        (self.positive.len() + self.negative.len() + self.custom.len() + positive + negative)
            * std::mem::size_of::<u64>()
    }

    /// True when each side has a count for each bucket that its spans promise, spans follow each other, the schema is known,
    /// and only a histogram of [`CUSTOM_BUCKETS`] has bounds. Whoever walks the buckets rests on it.
    pub fn is_sound(&self) -> bool {
        let (positive, negative) = self.counts.buckets();
        promised(&self.positive) == Some(positive)
            && promised(&self.negative) == Some(negative)
            && Self::has_known_schema(self.schema)
            && (self.schema == CUSTOM_BUCKETS || self.custom.is_empty())
    }
}

fn same_floats(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

impl Counts {
    /// Numbers of positive and negative buckets.
    fn buckets(&self) -> (usize, usize) {
        match self {
            Self::Integer { positive, negative, .. } => (positive.len(), negative.len()),
            Self::Float { positive, negative, .. } => (positive.len(), negative.len()),
        }
    }

    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Integer { .. }, Self::Integer { .. }) => self == other,
            (
                Self::Float {
                    count,
                    zero,
                    positive,
                    negative,
                },
                Self::Float {
                    count: other_count,
                    zero: other_zero,
                    positive: other_positive,
                    negative: other_negative,
                },
            ) => {
                same_floats(&[*count, *zero], &[*other_count, *other_zero])
                    && same_floats(positive, other_positive)
                    && same_floats(negative, other_negative)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(positive: &[Span], buckets: usize) -> Histogram {
        Histogram {
            positive: positive.to_vec(),
            counts: Counts::Integer {
                count: 0,
                zero: 0,
                positive: vec![0; buckets],
                negative: vec![],
            },
            ..Histogram::default()
        }
    }

    #[test]
    fn a_sound_histogram_has_what_its_spans_promise() {
        assert!(spans(&[(-4, 2), (0, 1), (7, 0), (1, 1)], 4).is_sound());
        assert!(!spans(&[(-4, 2)], 1).is_sound());
        assert!(!spans(&[(0, 2), (-1, 1)], 3).is_sound(), "overlap");
        assert!(!spans(&[(i32::MAX, 1)], 1).is_sound(), "beyond the last index");
        assert!(!spans(&[(0, u32::MAX)], 1).is_sound());
        let mut bounds = spans(&[(0, 1)], 1);
        bounds.custom = vec![1.0];
        assert!(!bounds.is_sound(), "bounds without their schema");
        bounds.schema = CUSTOM_BUCKETS;
        assert!(bounds.is_sound());
        let unknown = Histogram {
            schema: 53,
            ..spans(&[], 0)
        };
        assert!(!unknown.is_sound(), "no such schema");
    }

    #[test]
    fn the_hint_does_not_make_another_histogram() {
        let a = spans(&[(0, 1)], 1);
        let b = Histogram {
            hint: ResetHint::Reset,
            ..a.clone()
        };
        assert!(a.same(&b) && a != b);
        let stale = |schema| Histogram {
            schema,
            sum: f64::from_bits(STALE_NAN_BITS),
            ..Histogram::default()
        };
        assert!(stale(0).same(&stale(3)) && !stale(0).same(&a));
        let nan = Histogram {
            sum: f64::NAN,
            ..a.clone()
        };
        assert!(nan.same(&nan.clone()) && nan != nan.clone());
    }
}
