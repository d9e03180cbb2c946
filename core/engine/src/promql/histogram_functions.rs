//! Functions of the native histograms of a frame, of all at once.

use std::sync::Arc;

use crate::float_histogram::{FloatHistogram, Quantile};

/// Histograms as frames share them.
pub type Shared = Arc<FloatHistogram>;

/// A number about each histogram: its `count`, `sum`, `avg`, `stddev` or `stdvar`. None for another name.
pub fn describe(what: &str, histograms: impl Iterator<Item = Shared>) -> Option<Vec<f64>> {
    let of: fn(&FloatHistogram) -> f64 = match what {
        "count" => |histogram| histogram.count,
        "sum" => |histogram| histogram.sum,
        "avg" => FloatHistogram::average,
        "stddev" => FloatHistogram::deviation,
        "stdvar" => FloatHistogram::variance,
        _ => return None,
    };
    Some(histograms.map(|histogram| of(&histogram)).collect())
}

/// The quantile of each, which has its own `q`.
pub fn quantiles(histograms: impl Iterator<Item = (Shared, f64)>) -> Vec<Quantile> {
    histograms.map(|(histogram, q)| histogram.quantile(q)).collect()
}

/// The share of observations of each between bounds of its own, and whether it has observed NaN.
pub fn fractions(histograms: impl Iterator<Item = (Shared, (f64, f64))>) -> Vec<(f64, bool)> {
    histograms
        .map(|(histogram, (lower, upper))| histogram.fraction(lower, upper))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::float_histogram::parse_literal;

    #[test]
    fn numbers_about_histograms() {
        let histograms = || [Arc::new(parse_literal("{{count:4 sum:8 z_bucket:4}}").unwrap().0)].into_iter();
        for (what, want) in [
            ("count", 4.0),
            ("sum", 8.0),
            ("avg", 2.0),
            ("stdvar", 4.0),
            ("stddev", 2.0),
        ] {
            assert_eq!(describe(what, histograms()), Some(vec![want]), "{what}");
        }
        assert_eq!(describe("max", histograms()), None);
        assert_eq!(quantiles(histograms().zip([2.0])).first().unwrap().value, f64::INFINITY);
        assert_eq!(fractions(histograms().zip([(-1.0, 1.0)])), [(1.0, false)]);
    }
}
