//! The native histograms of a frame: combined, summed up, asked, all at once.

use std::sync::Arc;

use crate::float_histogram::{Accumulator, FloatHistogram, Quantile, Reconciled};

/// Histograms as frames share them.
pub type Shared = Arc<FloatHistogram>;

/// What there is to be told of a combination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    /// Exponential and custom buckets have nothing in common.
    pub mixed: bool,
    /// Some began anew and others went on.
    pub hints: bool,
    /// Bounds that not all had were dropped.
    pub bounds: bool,
}

impl From<Reconciled> for Told {
    fn from(reconciled: Reconciled) -> Self {
        Self {
            mixed: false,
            hints: reconciled.hints,
            bounds: reconciled.bounds,
        }
    }
}

/// What makes one histogram of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combination {
    /// `+`
    Plus,
    /// `-`
    Minus,
}

/// Pair by pair.
pub fn combine(how: Combination, pairs: impl Iterator<Item = (Shared, Shared)>) -> Vec<(Option<Shared>, Told)> {
    let one = |(left, right): (Shared, Shared)| {
        let combined = match how {
            Combination::Plus => left.plus(&right),
            Combination::Minus => left.minus(&right),
        };
        match combined {
            Ok((histogram, reconciled)) => (Some(Arc::new(histogram)), reconciled.into()),
            Err(_) => (
                None,
                Told {
                    mixed: true,
                    ..Told::default()
                },
            ),
        }
    };
    pairs.map(one).collect()
}

/// What makes one histogram of one and a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// `*`
    Times,
    /// `/`
    By,
    /// `</`
    Below,
    /// `>/`
    Above,
}

impl Change {
    /// The operator of this name.
    pub fn named(operator: &str) -> Option<Self> {
        Some(match operator {
            "*" => Self::Times,
            "/" => Self::By,
            "</" => Self::Below,
            ">/" => Self::Above,
            _ => return None,
        })
    }
}

/// Each with its number.
pub fn change(how: Change, histograms: impl Iterator<Item = (Shared, f64)>) -> Vec<Shared> {
    let one = |(histogram, number): (Shared, f64)| {
        Arc::new(match how {
            Change::Times => histogram.scaled(number).compacted(),
            Change::By => histogram.divided(number).compacted(),
            Change::Below => histogram.below(number),
            Change::Above => histogram.above(number),
        })
    };
    histograms.map(one).collect()
}

/// What one histogram is of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    /// `sum`
    Sum,
    /// `avg`
    Mean,
}

/// Histograms of groups.
#[derive(Debug, Default)]
pub struct Aggregated {
    /// Each with its cell: `group * steps + step`, ascending.
    pub histograms: Vec<(i64, Shared)>,
    /// What is to be told, with the number of the histogram (among those given) that it is told of.
    pub told: Vec<(usize, Told)>,
}

/// One histogram of those of a group at a step. `cells` tell where each of `histograms` is (`series * steps + step`, ascending),
/// `groups` the group of each series, of which there are `count`. Where buckets are mixed there is none.
pub fn aggregate(
    how: Aggregation,
    cells: &[i64],
    histograms: &[Shared],
    steps: usize,
    groups: &[u32],
    count: usize,
) -> Aggregated {
    let steps = steps.max(1);
    let mut under_way: Vec<Option<Group>> = Vec::new();
    under_way.resize_with(count.saturating_mul(steps), || None);
    let mut aggregated = Aggregated::default();
    for (number, (cell, histogram)) in cells.iter().zip(histograms).enumerate() {
        let (series, step) = (*cell as usize / steps, *cell as usize % steps);
        let place = groups.get(series).map(|group| *group as usize * steps + step);
        let Some(slot) = place.and_then(|place| under_way.get_mut(place)) else {
            continue;
        };
        match slot {
            None => *slot = Some(Group::new(how, number, histogram)),
            Some(group) if group.is_mixed => {}
            Some(group) => {
                if group.total.add(histogram).is_err() {
                    group.is_mixed = true;
                    let mixed = Told {
                        mixed: true,
                        ..Told::default()
                    };
                    aggregated.told.push((number, mixed));
                }
            }
        }
    }
    for (place, group) in under_way.into_iter().enumerate() {
        let Some(group) = group.filter(|group| !group.is_mixed) else {
            continue;
        };
        let (total, reconciled) = group.total.finish();
        if reconciled != Reconciled::default() {
            aggregated.told.push((group.first, reconciled.into()));
        }
        aggregated.histograms.push((place as i64, Arc::new(total.compacted())));
    }
    aggregated
}

struct Group {
    first: usize,
    total: Accumulator,
    is_mixed: bool,
}

impl Group {
    fn new(how: Aggregation, first: usize, histogram: &FloatHistogram) -> Self {
        let total = match how {
            Aggregation::Sum => Accumulator::sum(histogram),
            Aggregation::Mean => Accumulator::mean(histogram),
        };
        Self {
            first,
            total,
            is_mixed: false,
        }
    }
}

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

    fn of(texts: &[&str]) -> Vec<Shared> {
        texts
            .iter()
            .map(|text| Arc::new(parse_literal(text).unwrap().0))
            .collect()
    }

    fn literals(histograms: &[(i64, Shared)]) -> Vec<(i64, String)> {
        histograms
            .iter()
            .map(|(cell, histogram)| (*cell, histogram.literal()))
            .collect()
    }

    const CUSTOM: &str = "{{schema:-53 count:1 custom_values:[1] buckets:[1]}}";

    #[test]
    fn groups_are_summed_step_by_step() {
        // Series 0 and 2 are of group 0, series 1 of group 1; two steps.
        let histograms = of(&[
            "{{count:1 sum:1}}",
            "{{count:2}}",
            "{{count:4}}",
            "{{count:8}}",
            "{{count:16}}",
        ]);
        let cells = [0, 1, 3, 4, 5];
        let sums = aggregate(Aggregation::Sum, &cells, &histograms, 2, &[0, 1, 0], 2);
        let want = [(0, "{{count:9 sum:1}}"), (1, "{{count:18}}"), (3, "{{count:4}}")];
        assert_eq!(
            literals(&sums.histograms),
            want.map(|(cell, text)| (cell, text.to_owned()))
        );
        let means = aggregate(Aggregation::Mean, &cells, &histograms, 2, &[0, 1, 0], 2);
        let want = [(0, "{{count:4.5 sum:0.5}}"), (1, "{{count:9}}"), (3, "{{count:4}}")];
        assert_eq!(
            literals(&means.histograms),
            want.map(|(cell, text)| (cell, text.to_owned()))
        );
        assert!(sums.told.is_empty() && means.told.is_empty());
    }

    #[test]
    fn what_does_not_fit_together_is_told_of() {
        let (reset, went_on) = ("{{counter_reset_hint:reset}}", "{{counter_reset_hint:not_reset}}");
        let other = "{{schema:-53 count:1 custom_values:[2] buckets:[1]}}";
        let histograms = of(&[reset, CUSTOM, CUSTOM, went_on, other, "{{}}"]);
        let sums = aggregate(Aggregation::Sum, &[0, 1, 2, 3, 4, 5], &histograms, 3, &[0, 0], 1);
        let told = |mixed, hints, bounds| Told { mixed, hints, bounds };
        assert_eq!(
            sums.told,
            [
                (5, told(true, false, false)),
                (0, told(false, true, false)),
                (1, told(false, false, true))
            ]
        );
        assert_eq!(
            sums.histograms.iter().map(|(cell, _)| *cell).collect::<Vec<_>>(),
            [0, 1]
        );
    }

    #[test]
    fn pairs_are_combined_and_changed() {
        let (left, right) = (of(&["{{count:3}}", "{{}}"]), of(&["{{count:1}}", CUSTOM]));
        let pairs = || left.iter().cloned().zip(right.iter().cloned());
        let sums = combine(Combination::Plus, pairs());
        assert_eq!(
            sums.iter().map(|(_, told)| told.mixed).collect::<Vec<_>>(),
            [false, true]
        );
        assert_eq!(sums.first().unwrap().0.as_ref().unwrap().literal(), "{{count:4}}");
        let differences = combine(Combination::Minus, pairs());
        assert_eq!(
            differences.first().unwrap().0.as_ref().unwrap().literal(),
            "{{count:2 counter_reset_hint:gauge}}"
        );
        for (operator, want) in [
            ("*", "{{count:6}}"),
            ("/", "{{count:1.5}}"),
            ("</", "{{count:3}}"),
            (">/", "{{count:3}}"),
        ] {
            let how = Change::named(operator).unwrap();
            let changed = change(how, left.iter().take(1).cloned().zip([2.0]));
            assert_eq!(changed.first().unwrap().literal(), want, "{operator}");
        }
        assert_eq!(Change::named("%"), None);
    }

    #[test]
    fn numbers_about_histograms() {
        let histograms = || of(&["{{count:4 sum:8 z_bucket:4}}"]).into_iter();
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
