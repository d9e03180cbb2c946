//! Shares of observations between two values.

use super::buckets::Buckets;
use super::{Answers, Classic, Table};

impl Classic {
    /// The share of each histogram's observations between `lower` and `upper`, one number a step each, at each step.
    pub fn fractions(&self, table: Table<'_>, lower: &[f64], upper: &[f64]) -> Answers {
        let at = |bounds: &[f64], step: usize| bounds.get(step).copied().unwrap_or(f64::NAN);
        self.answers(table, |_, step, buckets| {
            fraction(at(lower, step), at(upper, step), &buckets)
        })
    }
}

fn fraction(lower: f64, upper: f64, buckets: &Buckets<'_>) -> f64 {
    match buckets.observations() {
        None => f64::NAN,
        Some(count) if count == 0.0 || lower.is_nan() || upper.is_nan() => f64::NAN,
        Some(_) if lower >= upper => 0.0,
        Some(count) => {
            let rank = |v| match rank(v, buckets.as_slice()) {
                Some(rank) if rank <= count => rank,
                _ => count,
            };
            (rank(upper) - rank(lower)) / count
        }
    }
}

/// Observations below `v`; `None` when that is all of them.
fn rank(v: f64, buckets: &[(f64, f64)]) -> Option<f64> {
    let (first, _) = buckets.first()?;
    let mut start = if *first <= 0.0 { f64::NEG_INFINITY } else { 0.0 };
    let mut rank = 0.0;
    for (end, count) in buckets {
        if start >= v {
            return Some(rank);
        }
        if *end > v {
            // Nothing is interpolated from infinity on.
            return Some(if start == f64::NEG_INFINITY {
                *count
            } else {
                rank + (count - rank) * (v - start) / (end - start)
            });
        }
        (start, rank) = (*end, *count);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    const INFINITE: f64 = f64::INFINITY;

    fn of(lower: f64, upper: f64, buckets: &[(f64, f64)]) -> f64 {
        fraction(lower, upper, &Buckets::new(&mut buckets.to_vec()))
    }

    #[test]
    fn shares_are_interpolated_in_buckets() {
        let positive = [(1.0, 4.0), (3.0, 8.0), (INFINITE, 10.0)];
        let both = [(-2.0, 4.0), (2.0, 8.0), (INFINITE, 8.0)];
        for (lower, upper, buckets, want) in [
            (-INFINITE, INFINITE, &positive, 1.0),
            (0.5, 2.0, &positive, 0.4),
            (3.0, INFINITE, &positive, 0.2),
            (-INFINITE, 9.0, &positive, 0.8),
            (-5.0, 0.0, &positive, 0.0),
            (2.0, 2.0, &positive, 0.0),
            (-INFINITE, 0.0, &both, 0.75),
            (-3.0, 2.0, &both, 0.5),
        ] {
            assert_eq!(of(lower, upper, buckets), want, "{lower} to {upper} of {buckets:?}");
        }
        assert!(of(0.0, 1.0, &[(1.0, 4.0)]).is_nan() && of(f64::NAN, 1.0, &positive).is_nan());
    }

    proptest! {
        #[test]
        fn any_counts_have_an_answer(a in any::<f64>(), b in any::<f64>(), mut buckets in vec((any::<f64>(), any::<f64>()), 1..6)) {
            buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            of(a, b, &buckets);
        }
    }
}
