//! Aggregations that keep some series of each group: `topk`, `bottomk`, `limitk`, `limit_ratio`.

use super::aggregate::Cells;

/// Which values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extreme {
    /// The largest.
    Top,
    /// The smallest.
    Bottom,
}

impl Extreme {
    /// `a` goes before `b` does. A NaN goes first.
    fn goes_first(self, a: f64, b: f64) -> bool {
        a.is_nan()
            || match self {
                Self::Top => a < b,
                Self::Bottom => a > b,
            }
    }
}

/// Where cells are kept (1) or not, and, when there is one step, the series that are in the order of the result.
#[derive(Debug, Default)]
pub struct Kept {
    /// Series x steps.
    pub cells: Vec<u8>,
    /// Group after group, the best first.
    pub order: Vec<i64>,
}

/// The `k` best series of each group at each step.
pub fn extremes(extreme: Extreme, ks: &[f64], cells: &Cells<'_>) -> Kept {
    let steps = ks.len();
    let mut kept = Kept {
        cells: vec![0; cells.values.len()],
        order: Vec::new(),
    };
    for (step, k) in ks.iter().enumerate() {
        let k = (*k as i64).min(cells.groups.len() as i64).max(0) as usize;
        let mut heaps: Vec<Heap> = (0..cells.count).map(|_| Heap::new(extreme, k)).collect();
        let column = |numbers: usize| numbers * steps + step;
        for (row, group) in cells.groups.iter().enumerate() {
            let there = cells.present.get(column(row)).is_some_and(|there| *there != 0);
            if let (true, Some(value), Some(heap)) =
                (there, cells.values.get(column(row)), heaps.get_mut(*group as usize))
            {
                heap.offer(*value, row);
            }
        }
        for heap in heaps {
            let best = heap.best_first();
            for row in &best {
                if let Some(cell) = kept.cells.get_mut(column(*row)) {
                    *cell = 1;
                }
            }
            if steps == 1 {
                kept.order.extend(best.iter().map(|row| *row as i64));
            }
        }
    }
    kept
}

/// The best so far, the one that would go next on top. Of equal values those stay that a binary heap lets stay: which they are is
/// for the reader of a result no more than chance, but the same chance as in Prometheus.
struct Heap {
    extreme: Extreme,
    most: usize,
    items: Vec<(f64, usize)>,
}

impl Heap {
    fn new(extreme: Extreme, most: usize) -> Self {
        Self {
            extreme,
            most,
            items: Vec::new(),
        }
    }

    fn offer(&mut self, value: f64, row: usize) {
        if self.items.len() < self.most {
            self.items.push((value, row));
            self.up(self.items.len() - 1);
            return;
        }
        let Some(top) = self.items.first_mut() else { return };
        let better = match self.extreme {
            Extreme::Top => top.0 < value,
            Extreme::Bottom => top.0 > value,
        };
        if better || (top.0.is_nan() && !value.is_nan()) {
            *top = (value, row);
            self.down();
        }
    }

    fn less(&self, a: usize, b: usize) -> bool {
        match (self.items.get(a), self.items.get(b)) {
            (Some((a, _)), Some((b, _))) => self.extreme.goes_first(*a, *b),
            _ => false,
        }
    }

    fn up(&mut self, mut child: usize) {
        while child > 0 {
            let parent = (child - 1) / 2;
            if !self.less(child, parent) {
                break;
            }
            self.items.swap(child, parent);
            child = parent;
        }
    }

    fn down(&mut self) {
        let mut parent = 0;
        loop {
            let (left, right) = (2 * parent + 1, 2 * parent + 2);
            if left >= self.items.len() {
                break;
            }
            let child = if right < self.items.len() && self.less(right, left) {
                right
            } else {
                left
            };
            if !self.less(child, parent) {
                break;
            }
            self.items.swap(parent, child);
            parent = child;
        }
    }

    fn best_first(self) -> Vec<usize> {
        let Self { extreme, mut items, .. } = self;
        let rank = |a: f64, b: f64| match (extreme.goes_first(b, a), extreme.goes_first(a, b)) {
            (true, false) => std::cmp::Ordering::Less,
            (false, true) => std::cmp::Ordering::Greater,
            _ => std::cmp::Ordering::Equal,
        };
        items.sort_by(|a, b| rank(a.0, b.0));
        items.into_iter().map(|(_, row)| row).collect()
    }
}

/// The first `k` series of each group at each step that have anything there. `occupied` is 1 where they have.
pub fn first(ks: &[f64], occupied: &[u8], groups: &[u32], count: usize) -> Vec<u8> {
    let steps = ks.len();
    let mut taken = vec![0i64; count * steps];
    let mut kept = vec![0; occupied.len()];
    let rows = occupied
        .chunks_exact(steps.max(1))
        .zip(kept.chunks_exact_mut(steps.max(1)));
    for (group, (occupied, kept)) in groups.iter().zip(rows) {
        let group = *group as usize * steps;
        let taken = taken.get_mut(group..group + steps).unwrap_or_default();
        for (((there, keep), taken), k) in occupied.iter().zip(kept).zip(taken).zip(ks) {
            if *there != 0 && *taken < *k as i64 {
                *taken += 1;
                *keep = 1;
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(extreme: Extreme, k: f64, values: &[f64]) -> Vec<i64> {
        let cells = Cells {
            values,
            present: &vec![1; values.len()],
            groups: &vec![0; values.len()],
            count: 1,
        };
        extremes(extreme, &[k], &cells).order
    }

    #[test]
    fn the_best_come_first_and_nan_last() {
        let values = [3.0, f64::NAN, 5.0, 1.0, 4.0];
        assert_eq!(kept(Extreme::Top, 3.0, &values), [2, 4, 0]);
        assert_eq!(kept(Extreme::Bottom, 2.0, &values), [3, 0]);
        assert_eq!(kept(Extreme::Top, 9.0, &values), [2, 4, 0, 3, 1]);
        assert_eq!(kept(Extreme::Top, 0.0, &values), [0; 0]);
    }

    #[test]
    fn each_step_has_its_own_choice() {
        let cells = Cells {
            values: &[1.0, 9.0, 2.0, 8.0],
            present: &[1, 1, 1, 0],
            groups: &[0, 0],
            count: 1,
        };
        assert_eq!(extremes(Extreme::Top, &[1.0, 2.0], &cells).cells, [0, 1, 1, 0]);
        assert_eq!(first(&[1.0, 1.0], &[1, 0, 1, 1], &[0, 0], 1), [1, 0, 0, 1]);
    }
}
