//! Observation counts of histograms, which text writes as floats and the model holds as integers where it can.

use crate::family::{Bucket, Histogram};

/// 2^64, the first float that is no `u64`.
const BEYOND_U64: f64 = 18_446_744_073_709_551_616.0;

/// A count that was read from text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Count {
    Whole(u64),
    /// Not an integer, not finite, or too large for one.
    Fractional(f64),
}

impl Count {
    /// `None` for a negative number.
    pub(super) fn of(v: f64) -> Option<Self> {
        if v < 0.0 {
            None
        } else if v.fract() == 0.0 && v < BEYOND_U64 {
            Some(Self::Whole(v as u64))
        } else {
            Some(Self::Fractional(v))
        }
    }

    /// Set the observations of a histogram.
    pub(super) fn into_histogram(self, histogram: &mut Histogram) {
        match self {
            Self::Whole(n) => histogram.count = n,
            Self::Fractional(v) => histogram.count_float = v,
        }
    }

    /// A classic bucket of these observations.
    pub(super) fn into_bucket(self, upper: f64) -> Bucket {
        let (cumulative, cumulative_float) = match self {
            Self::Whole(n) => (n, 0.0),
            Self::Fractional(v) => (0, v),
        };
        Bucket {
            upper,
            cumulative,
            cumulative_float,
            exemplar: None,
        }
    }
}

/// A histogram counts in integers or in floats throughout: one fractional count turns all of them into floats.
pub(super) fn unify(histogram: &mut Histogram) {
    let fractional = histogram.count_float != 0.0 || histogram.buckets.iter().any(|b| b.cumulative_float != 0.0);
    if !fractional {
        return;
    }
    let float = |whole: &mut u64, float: &mut f64| {
        if *float == 0.0 {
            *float = std::mem::take(whole) as f64;
        }
    };
    float(&mut histogram.count, &mut histogram.count_float);
    for bucket in &mut histogram.buckets {
        float(&mut bucket.cumulative, &mut bucket.cumulative_float);
    }
}
