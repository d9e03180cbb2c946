//! Aggregations of the floats of many series into one a group.

use super::kahan::{KahanSum, Mean};
use super::quantile::quantile;

/// Groups x steps, as [`aggregate`] makes them.
#[derive(Debug, Default)]
pub struct Groups {
    /// Where `present` is 0, nothing that counts.
    pub values: Vec<f64>,
    /// 1 where the group has a float.
    pub present: Vec<u8>,
}

/// How the floats of one group at one step become one.
trait Fold: Default + Clone {
    fn add(&mut self, value: f64);
    fn value(&self) -> f64;
}

macro_rules! fold {
    ($name:ident { $($field:ident: $type:ty),* } |$this:ident, $value:ident| $add:expr, |$end:ident| $result:expr) => {
        #[derive(Clone, Default)]
        struct $name { count: f64, $($field: $type),* }

        impl Fold for $name {
            #[inline]
            fn add(&mut self, $value: f64) {
                let $this = self;
                $this.count += 1.0;
                $add
            }

            fn value(&self) -> f64 {
                let $end = self;
                $result
            }
        }
    };
}

fold!(
    Sum { sum: KahanSum } | s,
    v | if s.count == 1.0 {
        s.sum = KahanSum::of(v)
    } else {
        s.sum.add(v)
    },
    |s| s.sum.total()
);
fold!(
    Avg { mean: Mean } | s,
    v | if s.count == 1.0 {
        s.mean = Mean::of(v)
    } else {
        s.mean.add(v)
    },
    |s| s.mean.value()
);
fold!(Count {} | _s, _v | (), |s| s.count);
fold!(Group {} | _s, _v | (), |_s| 1.0);
fold!(
    Min { least: f64 } | s,
    v | if s.count == 1.0 || s.least > v || s.least.is_nan() {
        s.least = v
    },
    |s| s.least
);
fold!(
    Max { most: f64 } | s,
    v | if s.count == 1.0 || s.most < v || s.most.is_nan() {
        s.most = v
    },
    |s| s.most
);
fold!(
    Variance {
        mean: f64,
        squares: f64
    } | s,
    v | {
        if s.count == 1.0 {
            s.mean = v;
            s.squares = if v.is_finite() { 0.0 } else { f64::NAN };
        } else {
            let delta = v - s.mean;
            s.mean += delta / s.count;
            s.squares += delta * (v - s.mean);
        }
    },
    |s| s.squares / s.count
);
fold!(Deviation { variance: Variance } | s, v | s.variance.add(v), |s| s
    .variance
    .value()
    .sqrt());

/// The floats of a frame.
#[derive(Debug, Clone, Copy)]
pub struct Cells<'a> {
    /// Series x steps.
    pub values: &'a [f64],
    /// Likewise, 0 where there is none.
    pub present: &'a [u8],
    /// The group of each series.
    pub groups: &'a [u32],
    /// How many groups there are.
    pub count: usize,
}

impl<'a> Cells<'a> {
    fn steps(&self) -> usize {
        self.values.len().checked_div(self.groups.len()).unwrap_or(0)
    }

    /// The group, values and presence of each series.
    fn rows(&self) -> impl Iterator<Item = (usize, &'a [f64], &'a [u8])> {
        let steps = self.steps().max(1);
        let rows = self.values.chunks_exact(steps).zip(self.present.chunks_exact(steps));
        self.groups
            .iter()
            .zip(rows)
            .map(|(group, (values, present))| (*group as usize, values, present))
    }

    fn fold<F: Fold>(&self) -> Groups {
        let steps = self.steps();
        let mut folds = vec![(0u8, F::default()); self.count * steps];
        for (group, values, present) in self.rows() {
            let row = folds.get_mut(group * steps..(group + 1) * steps).unwrap_or_default();
            for ((seen, fold), (value, there)) in row.iter_mut().zip(values.iter().zip(present)) {
                if *there != 0 {
                    *seen = 1;
                    fold.add(*value);
                }
            }
        }
        Groups {
            values: folds
                .iter()
                .map(|(seen, fold)| if *seen == 0 { 0.0 } else { fold.value() })
                .collect(),
            present: folds.iter().map(|(seen, _)| *seen).collect(),
        }
    }
}

/// Aggregate by the operator of this name: `sum avg count group min max stdvar stddev`. None for any other.
pub fn aggregate(operator: &str, cells: &Cells<'_>) -> Option<Groups> {
    Some(match operator {
        "sum" => cells.fold::<Sum>(),
        "avg" => cells.fold::<Avg>(),
        "count" => cells.fold::<Count>(),
        "group" => cells.fold::<Group>(),
        "min" => cells.fold::<Min>(),
        "max" => cells.fold::<Max>(),
        "stdvar" => cells.fold::<Variance>(),
        "stddev" => cells.fold::<Deviation>(),
        _ => return None,
    })
}

/// The quantile of each group; `qs` has which one at each step.
pub fn quantiles(qs: &[f64], cells: &Cells<'_>) -> Groups {
    let steps = cells.steps();
    let mut gathered = vec![Vec::new(); cells.count];
    for (group, values, present) in cells.rows() {
        if let Some(rows) = gathered.get_mut(group) {
            rows.push((values, present));
        }
    }
    let mut groups = Groups::default();
    let mut found = Vec::new();
    for rows in gathered {
        for (step, q) in (0..steps).zip(qs) {
            let there = |(values, present): &(&[f64], &[u8])| {
                present
                    .get(step)
                    .filter(|there| **there != 0)
                    .and_then(|_| values.get(step))
                    .copied()
            };
            found.clear();
            found.extend(rows.iter().filter_map(there));
            groups.present.push((!found.is_empty()).into());
            groups.values.push(quantile(*q, &mut found));
        }
    }
    groups
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const VALUES: [f64; 6] = [1.0, 2.0, 4.0, f64::NAN, 7.0, 8.0];

    fn of(operator: &str) -> Vec<f64> {
        let cells = Cells {
            values: &VALUES,
            present: &[1, 1, 1, 1, 1, 0],
            groups: &[0, 0, 1],
            count: 3,
        };
        let groups = aggregate(operator, &cells).unwrap();
        assert_eq!(groups.present, [1, 1, 1, 0, 0, 0]);
        groups.values.get(..3).unwrap().to_vec()
    }

    #[test]
    fn folds_each_group_at_each_step() {
        assert_eq!(of("sum").first(), Some(&5.0));
        assert!(of("sum").get(1).unwrap().is_nan());
        assert_eq!(of("avg").first(), Some(&2.5));
        assert_eq!(of("count"), [2.0, 2.0, 1.0]);
        assert_eq!(of("group"), [1.0, 1.0, 1.0]);
        assert_eq!(of("min"), [1.0, 2.0, 7.0]);
        assert_eq!(of("max"), [4.0, 2.0, 7.0]);
        assert_eq!(of("stdvar").first(), Some(&2.25));
        assert_eq!(of("stddev").first(), Some(&1.5));
    }

    #[test]
    fn quantiles_are_of_the_group() {
        let cells = Cells {
            values: &[1.0, 3.0, 9.0],
            present: &[1, 1, 0],
            groups: &[0, 0, 1],
            count: 2,
        };
        let groups = quantiles(&[0.5], &cells);
        assert_eq!((groups.values.first(), groups.present), (Some(&2.0), vec![1, 0]));
    }
}
