//! Sums and means of many histograms.

use super::add::{Incompatible, Reconciled};
use super::tally::{Kahan, Tally};
use super::FloatHistogram;
use crate::histogram::ResetHint;

/// What is made of the histograms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    Sum,
    /// From the sum, as long as there is one.
    Mean,
    /// The sum would have overflowed: the mean so far is corrected by each histogram.
    RunningMean,
}

/// Adds histograms up, keeping what rounding loses.
#[derive(Debug, Clone)]
pub struct Accumulator {
    total: FloatHistogram<Kahan>,
    aim: Aim,
    histograms: f64,
    hints: [bool; 2],
    bounds: bool,
}

impl Accumulator {
    /// For the sum of `first` and others.
    pub fn sum(first: &FloatHistogram) -> Self {
        Self::new(first, Aim::Sum)
    }

    /// For their mean.
    pub fn mean(first: &FloatHistogram) -> Self {
        Self::new(first, Aim::Mean)
    }

    fn new(first: &FloatHistogram, aim: Aim) -> Self {
        let mut accumulator = Self {
            total: first.map(Kahan::of),
            aim,
            histograms: 1.0,
            hints: [false; 2],
            bounds: false,
        };
        accumulator.note(first.hint);
        accumulator
    }

    /// Take in another one. After an error there is no result.
    pub fn add(&mut self, histogram: &FloatHistogram) -> Result<(), Incompatible> {
        self.note(histogram.hint);
        self.histograms += 1.0;
        let reconciled = match self.aim {
            Aim::Sum => self.total.add(histogram)?,
            Aim::Mean => self.add_to_mean(histogram)?,
            Aim::RunningMean => self.correct_mean(histogram)?,
        };
        self.bounds |= reconciled.bounds;
        Ok(())
    }

    /// The sum or mean, not compacted, and what had to be settled: `hints` when some began anew and others went on.
    pub fn finish(self) -> (FloatHistogram, Reconciled) {
        let histograms = self.histograms;
        let total = match self.aim {
            Aim::Mean => self.total.map(|count| count.scaled(|v| v / histograms).total()),
            Aim::Sum | Aim::RunningMean => self.total.map(Kahan::total),
        };
        let reconciled = Reconciled {
            hints: self.hints == [true; 2],
            bounds: self.bounds,
        };
        (total, reconciled)
    }

    fn add_to_mean(&mut self, histogram: &FloatHistogram) -> Result<Reconciled, Incompatible> {
        let mut sum = self.total.clone();
        let reconciled = sum.add(histogram)?;
        if !sum.has_overflowed() {
            self.total = sum;
            return Ok(reconciled);
        }
        let before = self.histograms - 1.0;
        self.total = self.total.map(|count| count.scaled(|v| v / before));
        self.aim = Aim::RunningMean;
        self.correct_mean(histogram)
    }

    fn correct_mean(&mut self, histogram: &FloatHistogram) -> Result<Reconciled, Incompatible> {
        let weight = (self.histograms - 1.0) / self.histograms;
        self.total = self.total.map(|count| count.scaled(|v| v * weight));
        self.total.add(&histogram.divided(self.histograms))
    }

    fn note(&mut self, hint: ResetHint) {
        let [reset, not_reset] = &mut self.hints;
        *reset |= hint == ResetHint::Reset;
        *not_reset |= hint == ResetHint::NotReset;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::arbitrary::exponential;
    use super::super::parse_literal;
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn of(text: &str) -> FloatHistogram {
        parse_literal(text).unwrap().0
    }

    fn finish(mut accumulator: Accumulator, others: &[&str]) -> (String, Reconciled) {
        for other in others {
            accumulator.add(&of(other)).unwrap();
        }
        let (result, reconciled) = accumulator.finish();
        (result.compacted().literal(), reconciled)
    }

    #[test]
    fn small_counts_survive_beside_large_ones() {
        let sum = Accumulator::sum(&of("{{count:1e100 sum:1 buckets:[1e100]}}"));
        let (sum, _) = finish(
            sum,
            &[
                "{{count:2 sum:1 buckets:[2]}}",
                "{{count:-1e100 sum:1 buckets:[-1e100]}}",
            ],
        );
        assert_eq!(sum, "{{count:2 sum:3 buckets:[2]}}");
    }

    #[test]
    fn the_mean_needs_no_sum_that_is_a_float() {
        let mean = Accumulator::mean(&of("{{count:1.5e308 sum:1 buckets:[1e308]}}"));
        let (mean, _) = finish(
            mean,
            &[
                "{{count:1.5e308 sum:2 buckets:[1e308]}}",
                "{{count:1.5e308 sum:3 buckets:[1e308]}}",
            ],
        );
        assert_eq!(mean, "{{count:1.5e+308 sum:2 buckets:[1e+308]}}");
    }

    #[test]
    fn contradicting_hints_are_told_of_whatever_lies_between() {
        let sum = Accumulator::sum(&of("{{counter_reset_hint:reset}}"));
        let (sum, reconciled) = finish(sum, &["{{}}", "{{counter_reset_hint:not_reset}}"]);
        assert_eq!((sum.as_str(), reconciled.hints), ("{{}}", true));
    }

    #[test]
    fn what_is_incompatible_is_refused() {
        let mut mean = Accumulator::mean(&of("{{}}"));
        assert_eq!(mean.add(&of("{{schema:-53 custom_values:[1]}}")), Err(Incompatible));
    }

    proptest! {
        #[test]
        fn the_mean_is_the_sum_by_the_number(histograms in vec(exponential(), 1..6)) {
            let (first, rest) = histograms.split_first().unwrap();
            let (mut sum, mut mean) = (Accumulator::sum(first), Accumulator::mean(first));
            for histogram in rest {
                sum.add(histogram).unwrap();
                mean.add(histogram).unwrap();
            }
            let (sum, mean) = (sum.finish().0, mean.finish().0);
            prop_assert!(sum.divided(histograms.len() as f64).same(&mean));
        }
    }
}
