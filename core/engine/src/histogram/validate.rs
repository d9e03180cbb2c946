//! What a native histogram from outside must be, beyond [`Histogram::is_sound`]: its numbers have to agree with each other.
//!
//! Source of rules and words: Prometheus' `model/histogram` (`Histogram.Validate`, `FloatHistogram.Validate`).

use super::{Counts, Histogram, Span, CUSTOM_BUCKETS};

/// Exponential schemas that can be queried.
const SCHEMAS: std::ops::RangeInclusive<i32> = -4..=8;

/// Why a histogram is none; the text is Prometheus'.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(String);

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Invalid {}

type Valid = Result<(), Invalid>;

fn invalid<T>(text: impl Into<String>) -> Result<T, Invalid> {
    Err(Invalid(text.into()))
}

/// The error of one side of the histogram, or of its custom buckets.
fn of(side: &str, checked: Valid) -> Valid {
    checked.map_err(|Invalid(text)| Invalid(format!("{side}: {text}")))
}

impl Histogram {
    /// The histogram as it can be stored and queried: checked, and with a finer schema than there are bounds for brought down to
    /// the finest one.
    pub fn validated(self) -> Result<Self, Invalid> {
        if !Self::has_known_schema(self.schema) {
            return invalid(
                "histogram has an unknown schema, which must be between -9 and 52 for exponential buckets, or -53 for custom buckets",
            );
        }
        if self.schema == CUSTOM_BUCKETS {
            of("custom buckets", self.check_bounds())?;
            self.check_only_positive()?;
        } else {
            of("positive side", self.check_spans(true))?;
            of("negative side", self.check_spans(false))?;
            if !self.custom.is_empty() {
                return invalid("histogram with exponential schema must not have custom bounds");
            }
        }
        if !self.is_sound() {
            return invalid("histogram has spans beyond the last bucket");
        }
        let coarser = self.queryable();
        if coarser.schema != CUSTOM_BUCKETS && !SCHEMAS.contains(&coarser.schema) {
            return invalid(
                "histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, or -53 for custom buckets",
            );
        }
        coarser.check_counts()?;
        Ok(coarser)
    }

    fn side(&self, positive: bool) -> (&[Span], usize) {
        let buckets = self.counts.buckets();
        if positive {
            (&self.positive, buckets.0)
        } else {
            (&self.negative, buckets.1)
        }
    }

    fn check_spans(&self, positive: bool) -> Valid {
        let (spans, buckets) = self.side(positive);
        for (place, (offset, _)) in spans.iter().enumerate() {
            if place > 0 && *offset < 0 {
                return negative_offset(place, *offset);
            }
        }
        check_lengths(spans, buckets)
    }

    fn check_bounds(&self) -> Valid {
        if self.custom.iter().any(|bound| bound.is_nan()) {
            return invalid("histogram custom bounds must not be NaN");
        }
        for (previous, current) in self.custom.iter().zip(self.custom.iter().skip(1)) {
            if current <= previous {
                return invalid(format!(
                    "previous bound is {previous:.6} and current is {current:.6}: histogram custom bounds must be in strictly increasing order"
                ));
            }
        }
        if self.custom.last() == Some(&f64::INFINITY) {
            return invalid("last +Inf bound must not be explicitly defined: histogram custom bounds must be finite");
        }
        let (spans, buckets) = self.side(true);
        if let Some((place, (offset, _))) = spans.iter().enumerate().find(|(_, (offset, _))| *offset < 0) {
            return negative_offset(place, *offset);
        }
        check_lengths(spans, buckets)?;
        let total: i64 = spans
            .iter()
            .map(|(offset, length)| i64::from(*offset) + i64::from(*length))
            .sum();
        if (self.custom.len() as i64 + 1) < total {
            return invalid(format!(
                "only {} custom bounds defined which is insufficient to cover total span length of {total}: histogram custom bounds are too few",
                self.custom.len()
            ));
        }
        Ok(())
    }

    /// Custom buckets have no zero bucket and no negative side.
    fn check_only_positive(&self) -> Valid {
        let zero = match self.counts {
            Counts::Integer { zero, .. } => zero != 0,
            Counts::Float { zero, .. } => zero != 0.0,
        };
        let (spans, buckets) = self.side(false);
        if zero {
            return invalid("custom buckets: must have zero count of 0");
        }
        if self.zero_threshold != 0.0 {
            return invalid("custom buckets: must have zero threshold of 0");
        }
        if !spans.is_empty() {
            return invalid("custom buckets: must not have negative spans");
        }
        if buckets > 0 {
            return invalid("custom buckets: must not have negative buckets");
        }
        Ok(())
    }

    fn check_counts(&self) -> Valid {
        match &self.counts {
            Counts::Integer {
                count,
                zero,
                positive,
                negative,
            } => {
                let negative = whole("negative side", negative)?;
                let positive = whole("positive side", positive)?;
                let found = negative.wrapping_add(positive).wrapping_add(*zero);
                let rule = if !self.sum.is_nan() && found != *count {
                    "histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)"
                } else if found > *count {
                    "histogram's observation count should be at least the number of observations found in the buckets"
                } else {
                    return Ok(());
                };
                invalid(format!(
                    "{found} observations found in buckets, but the Count field is {count}: {rule}"
                ))
            }
            Counts::Float {
                count,
                zero,
                positive,
                negative,
            } => {
                let below = |counts: &[f64]| counts.iter().position(|count| *count < 0.0);
                for (side, counts) in [("negative side", negative), ("positive side", positive)] {
                    if let Some(place) = below(counts) {
                        return of(
                            side,
                            negative_bucket(place, counts.get(place).copied().unwrap_or_default()),
                        );
                    }
                }
                if *zero < 0.0 {
                    return invalid(format!(
                        "zero bucket has observation count of {zero}: histogram has a bucket whose observation count is negative"
                    ));
                }
                if *count < 0.0 {
                    return invalid(format!(
                        "observation count is {count}: histogram's observation count is negative"
                    ));
                }
                Ok(())
            }
        }
    }
}

/// Observations in buckets that are told as differences.
fn whole(side: &str, deltas: &[i64]) -> Result<u64, Invalid> {
    let (mut count, mut total) = (0i64, 0u64);
    for (place, delta) in deltas.iter().enumerate() {
        count = count.wrapping_add(*delta);
        if count < 0 {
            of(side, negative_bucket(place, count))?;
        }
        total = total.wrapping_add(count as u64);
    }
    Ok(total)
}

fn check_lengths(spans: &[Span], buckets: usize) -> Valid {
    let wanted: u64 = spans.iter().map(|(_, length)| u64::from(*length)).sum();
    if wanted != buckets as u64 {
        return invalid(format!(
            "spans need {wanted} buckets, have {buckets} buckets: histogram spans specify different number of buckets than provided"
        ));
    }
    Ok(())
}

fn negative_offset(place: usize, offset: i32) -> Valid {
    invalid(format!(
        "span number {} with offset {offset}: histogram has a span whose offset is negative",
        place + 1
    ))
}

fn negative_bucket(place: usize, count: impl std::fmt::Display) -> Valid {
    invalid(format!(
        "bucket number {} has observation count of {count}: histogram has a bucket whose observation count is negative",
        place + 1
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn whole_of(count: u64, spans: &[Span], deltas: &[i64]) -> Histogram {
        let counts = Counts::Integer {
            count,
            zero: 0,
            positive: deltas.to_vec(),
            negative: vec![],
        };
        Histogram {
            positive: spans.to_vec(),
            counts,
            ..Histogram::default()
        }
    }

    fn refusal(histogram: Histogram) -> String {
        histogram.validated().unwrap_err().to_string()
    }

    #[test]
    fn counts_agree_with_buckets() {
        assert!(whole_of(3, &[(0, 2)], &[1, 1]).validated().is_ok());
        let text = "4 observations found in buckets, but the Count field is 3";
        assert!(refusal(whole_of(3, &[(0, 2)], &[1, 2])).starts_with(text));
        let nan = |count| Histogram {
            sum: f64::NAN,
            ..whole_of(count, &[(0, 1)], &[2])
        };
        assert!(nan(3).validated().is_ok(), "NaN is counted, and in no bucket");
        assert!(nan(1).validated().is_err());
        assert!(refusal(whole_of(0, &[(0, 2)], &[1, -2])).contains("bucket number 2 has observation count of -1"));
    }

    #[test]
    fn spans_agree_with_buckets() {
        assert!(refusal(whole_of(1, &[(0, 2)], &[1])).contains("spans need 2 buckets, have 1 buckets"));
        assert!(refusal(whole_of(2, &[(0, 1), (-1, 1)], &[1, 0])).contains("span number 2 with offset -1"));
        assert!(refusal(whole_of(1, &[(i32::MAX, 1)], &[1])).contains("beyond the last bucket"));
        assert!(refusal(whole_of(0, &[(0, u32::MAX); 3], &[])).contains("spans need 12884901885 buckets"));
    }

    #[test]
    fn custom_bounds_ascend_and_suffice() {
        let custom = |bounds: &[f64]| Histogram {
            schema: CUSTOM_BUCKETS,
            custom: bounds.to_vec(),
            ..whole_of(3, &[(0, 2)], &[1, 1])
        };
        assert!(custom(&[1.0]).validated().is_ok(), "the last bucket ends at +Inf");
        assert!(refusal(custom(&[])).contains("insufficient to cover total span length of 2"));
        assert!(refusal(custom(&[2.0, 1.0])).contains("strictly increasing"));
        assert!(refusal(custom(&[1.0, f64::INFINITY])).contains("must be finite"));
        assert!(refusal(custom(&[f64::NAN])).contains("must not be NaN"));
        let zero = Histogram {
            zero_threshold: 0.5,
            ..custom(&[1.0])
        };
        assert_eq!(refusal(zero), "custom buckets: must have zero threshold of 0");
        let exponential = Histogram {
            schema: 0,
            ..custom(&[1.0])
        };
        assert!(refusal(exponential).contains("must not have custom bounds"));
    }

    #[test]
    fn schemas_are_known_and_brought_down() {
        let of = |schema| Histogram {
            schema,
            ..whole_of(3, &[(1, 2)], &[1, 1])
        };
        assert_eq!(of(12).validated().unwrap().schema, 8);
        assert!(refusal(of(-5)).contains("invalid schema"));
        assert!(refusal(of(53)).contains("unknown schema"));
    }
}
