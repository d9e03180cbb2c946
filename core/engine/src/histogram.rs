//! Native histograms as they are stored: in the log, in chunks, in memory.

use crate::batch::STALE_NAN_BITS;

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

impl Histogram {
    /// The series ends here.
    pub fn is_stale(&self) -> bool {
        self.sum.to_bits() == STALE_NAN_BITS
    }

    /// Observations are counted in parts.
    pub fn is_float(&self) -> bool {
        matches!(self.counts, Counts::Float { .. })
    }
}
