//! Binary operators with a native histogram on one side or both.

use std::sync::Arc;

use super::cells::Sample;
use crate::float_histogram::{FloatHistogram, Incompatible, Reconciled};

/// What came of two samples.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The result; of a comparison the left side, where it holds.
    pub histogram: Option<Arc<FloatHistogram>>,
    /// What to tell the user.
    pub note: Option<&'static str>,
}

impl Outcome {
    fn of(histogram: FloatHistogram) -> Self {
        Self {
            histogram: Some(Arc::new(histogram)),
            note: None,
        }
    }

    fn none(note: &'static str) -> Self {
        Self {
            histogram: None,
            note: Some(note),
        }
    }
}

/// `lhs operator rhs`, where at least one is a histogram.
pub fn operate(operator: &str, lhs: &Sample, rhs: &Sample) -> Outcome {
    match (lhs, rhs) {
        (Sample::Float(factor), Sample::Histogram(histogram)) => match operator {
            "*" => Outcome::of(histogram.scaled(*factor).compacted()),
            _ => Outcome::none("float_histogram"),
        },
        (Sample::Histogram(histogram), Sample::Float(number)) => match operator {
            "*" => Outcome::of(histogram.scaled(*number).compacted()),
            "/" => Outcome::of(histogram.divided(*number).compacted()),
            "</" => Outcome::of(histogram.below(*number)),
            ">/" => Outcome::of(histogram.above(*number)),
            _ => Outcome::none("histogram_float"),
        },
        (Sample::Histogram(a), Sample::Histogram(b)) => match operator {
            "+" => settled(a.plus(b), "hints_added", "bounds_added"),
            "-" => settled(a.minus(b), "hints_subtracted", "bounds_subtracted"),
            "==" => compared(a, a.same(b)),
            "!=" => compared(a, !a.same(b)),
            _ => Outcome::none("histogram_histogram"),
        },
        (Sample::Float(_), Sample::Float(_)) => Outcome::none("float_float"),
    }
}

fn compared(lhs: &Arc<FloatHistogram>, holds: bool) -> Outcome {
    Outcome {
        histogram: holds.then(|| lhs.clone()),
        note: None,
    }
}

/// Histograms whose hints contradict each other have no sum.
fn settled(
    result: Result<(FloatHistogram, Reconciled), Incompatible>,
    hints: &'static str,
    bounds: &'static str,
) -> Outcome {
    match result {
        Err(Incompatible) => Outcome::none("layouts"),
        Ok((_, reconciled)) if reconciled.hints => Outcome::none(hints),
        Ok((histogram, reconciled)) => {
            let mut outcome = Outcome::of(histogram.compacted());
            outcome.note = reconciled.bounds.then_some(bounds);
            outcome
        }
    }
}
