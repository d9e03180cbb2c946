//! Classic histograms: series that count up to a bound, their label `le`, put together again.

mod buckets;
mod fraction;
mod quantile;

use super::{Grouping, LabelSets};
use crate::float::parse_go;
use buckets::Buckets;
pub use quantile::Mended;

/// The label that bears the upper bound of a bucket.
const BOUND: &str = "le";

/// Counts of a vector at each step: series x steps, row after row.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    /// Steps.
    pub steps: usize,
    /// Where `present` is 0, nothing that counts.
    pub values: &'a [f64],
    /// 1 where there is a float.
    pub present: &'a [u8],
}

impl Table<'_> {
    fn get(&self, series: usize, step: usize) -> Option<f64> {
        let cell = series.checked_mul(self.steps)?.checked_add(step)?;
        let value = self.values.get(cell)?;
        self.present.get(cell).filter(|present| **present != 0).map(|_| *value)
    }

    fn has_any(&self, series: usize) -> bool {
        let start = series.saturating_mul(self.steps);
        let row = self.present.get(start..start.saturating_add(self.steps));
        row.is_some_and(|row| row.contains(&1))
    }
}

/// Classic histograms by the number of theirs.
#[derive(Debug, Clone)]
pub struct Classic {
    /// Labels of each histogram.
    pub labels: LabelSets,
    /// Series with floats whose label `le` is missing or no number.
    pub malformed: Vec<usize>,
    /// (upper bound, series), ascending, of each histogram.
    members: Vec<Vec<(f64, usize)>>,
    /// Cells of [`Classic::labels`] x steps in which a native histogram stands too, ascending: nothing is known there.
    contested: Vec<usize>,
}

/// Answers of all histograms at all steps.
#[derive(Debug, Default, PartialEq)]
pub struct Answers {
    /// Histograms x steps; where `present` is 0, nothing that counts.
    pub values: Vec<f64>,
    /// 1 where there is an answer.
    pub present: Vec<u8>,
}

impl Classic {
    /// The histograms that the series with these labels and counts are of. Of the native ones in `cells`, which ascend, those
    /// that stand where a classic one of the same labels does are given too.
    pub fn new(labels: &LabelSets, table: Table<'_>, cells: &[i64]) -> (Self, Vec<i64>) {
        let (ids, groups) = labels.group(&Grouping::all_but(vec![BOUND.to_owned()]));
        let mut members = vec![Vec::new(); groups.len()];
        let mut malformed = Vec::new();
        for (series, (id, bound)) in ids.iter().zip(labels.values(BOUND)).enumerate() {
            if !table.has_any(series) {
                continue;
            }
            let of_group = members.get_mut(*id as usize);
            match parse_go(bound.as_bytes()).zip(of_group) {
                Some((bound, members)) => members.push((bound, series)),
                None => malformed.push(series),
            }
        }
        for members in &mut members {
            members.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        }
        let mut classic = Self {
            labels: groups,
            malformed,
            members,
            contested: Vec::new(),
        };
        let contested = classic.contest(&ids, labels, table, cells);
        (classic, contested)
    }

    fn contest(&mut self, ids: &[u32], labels: &LabelSets, table: Table<'_>, cells: &[i64]) -> Vec<i64> {
        let mut contested = Vec::new();
        for cell in cells {
            let (series, step) = (*cell as usize / table.steps.max(1), *cell as usize % table.steps.max(1));
            let is_whole = labels.get(series).is_some_and(|labels| labels.get(BOUND).is_empty());
            let Some(id) = ids.get(series).filter(|_| is_whole) else {
                continue;
            };
            let members = self.members.get(*id as usize).into_iter().flatten();
            if members
                .into_iter()
                .any(|(_, member)| table.get(*member, step).is_some())
            {
                contested.push(*cell);
                self.contested.push(*id as usize * table.steps + step);
            }
        }
        self.contested.sort_unstable();
        contested
    }

    /// Ask each histogram at each step at which it has a bucket.
    fn answers(&self, table: Table<'_>, mut ask: impl FnMut(usize, usize, Buckets<'_>) -> f64) -> Answers {
        let mut answers = Answers::default();
        let mut room = Vec::new();
        for (id, members) in self.members.iter().enumerate() {
            for step in 0..table.steps {
                room.clear();
                room.extend(
                    members
                        .iter()
                        .filter_map(|(bound, series)| Some((*bound, table.get(*series, step)?))),
                );
                let is_contested = self.contested.binary_search(&(id * table.steps + step)).is_ok();
                let there = !room.is_empty() && !is_contested;
                answers.present.push(there.into());
                answers.values.push(if there {
                    ask(id, step, Buckets::new(&mut room))
                } else {
                    0.0
                });
            }
        }
        answers
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::promql::label_sets::tests::sets;

    #[test]
    fn series_of_one_histogram_are_put_together_where_no_native_one_stands() {
        let labels = sets(&[
            &[("__name__", "x"), ("job", "a"), ("le", "+Inf")],
            &[("__name__", "x"), ("job", "a"), ("le", "1.0")],
            &[("__name__", "x"), ("job", "a"), ("le", "wide")],
            &[("__name__", "x"), ("job", "b"), ("le", "+Inf")],
            &[("__name__", "x"), ("job", "a")], // a native histogram, at both steps
        ]);
        let table = Table {
            steps: 2,
            values: &[4.0, 8.0, 2.0, 4.0, 9.0, 0.0, 7.0, 7.0, 0.0, 0.0],
            present: &[1, 0, 1, 0, 1, 0, 1, 1, 0, 0],
        };
        let (classic, contested) = Classic::new(&labels, table, &[8, 9]);
        assert_eq!((classic.malformed.as_slice(), contested), (&[2][..], vec![8]));
        let (answers, mended) = classic.quantiles(table, &[0.25, 2.0]);
        assert_eq!((answers.present, mended), (vec![0, 0, 1, 1], vec![]));
        assert!(answers.values[2].is_nan() && answers.values[3] == f64::INFINITY);

        let (alone, contested) = Classic::new(&labels, table, &[9]);
        assert_eq!(contested, []);
        let (answers, _) = alone.quantiles(table, &[0.25, 2.0]);
        assert_eq!((answers.present, answers.values[0]), (vec![1, 0, 1, 1], 0.5));
        let shares = alone.fractions(table, &[0.0, 0.0], &[1.0, 1.0]);
        assert_eq!((shares.present, shares.values[0]), (vec![1, 0, 1, 1], 0.5));
    }

    #[test]
    fn counts_that_do_not_ascend_are_mended_and_told_of() {
        let labels = sets(&[&[("le", "1")], &[("le", "2")], &[("le", "+Inf")]]);
        let table = Table {
            steps: 3,
            values: &[4.0, 5.0, 1.0, 3.0, 2.0, 2.0, 8.0, 8.0, 8.0],
            present: &[1; 9],
        };
        let (classic, _) = Classic::new(&labels, table, &[]);
        let (answers, mended) = classic.quantiles(table, &[0.5; 3]);
        assert_eq!(answers.values, [1.0, 0.8, 2.0]);
        let want = Mended {
            histogram: 0,
            steps: (0, 1),
            count: 2,
            bounds: (2.0, 2.0),
            depth: 3.0,
        };
        assert_eq!(mended, [want]);
    }
}
