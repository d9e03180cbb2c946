//! Quantiles of a handful of values.

use std::cmp::Ordering;

/// The `q`-quantile of `values`, which are reordered: between two of them, the one nearer counts more. NaN of none or when `q` is NaN,
/// an infinity when `q` is out of 0..=1. NaNs are the smallest values.
pub fn quantile(q: f64, values: &mut [f64]) -> f64 {
    let Some(last) = values.len().checked_sub(1).filter(|_| !q.is_nan()) else {
        return f64::NAN;
    };
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    let rank = q * last as f64;
    let (_, lower, above) = values.select_nth_unstable_by(rank.floor() as usize, |a, b| order(*a, *b));
    let lower = *lower;
    let upper = above.iter().copied().min_by(|a, b| order(*a, *b)).unwrap_or(lower);
    let weight = rank - rank.floor();
    lower * (1.0 - weight) + upper * weight
}

/// Ascending, NaN first.
pub fn order(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lies_between_values() {
        let of = |q: f64, values: &[f64]| quantile(q, &mut values.to_vec());
        assert_eq!(of(0.5, &[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(of(0.25, &[4.0, 0.0, 2.0]), 1.0);
        assert_eq!(of(0.0, &[f64::NAN, 1.0]).to_bits(), f64::NAN.to_bits());
        assert_eq!(of(1.0, &[f64::NAN, 1.0, 5.0]), 5.0);
        assert_eq!(of(-0.1, &[1.0]), f64::NEG_INFINITY);
        assert_eq!(of(1.1, &[1.0]), f64::INFINITY);
        assert!(of(0.5, &[]).is_nan() && of(f64::NAN, &[1.0]).is_nan());
    }

    proptest! {
        #[test]
        fn agrees_with_sorting(mut values in proptest::collection::vec(-1e6..1e6, 1..40), q in 0.0..=1.0) {
            let found = quantile(q, &mut values.clone());
            values.sort_by(f64::total_cmp);
            let rank: f64 = q * (values.len() - 1) as f64;
            let at = |n: f64| values.get((n as usize).min(values.len() - 1)).copied().unwrap_or(f64::NAN);
            let weight = rank - rank.floor();
            prop_assert_eq!(found, at(rank.floor()) * (1.0 - weight) + at(rank.floor() + 1.0) * weight);
        }
    }
}
