//! The buckets of one side of a histogram.

use super::tally::Tally;
use crate::histogram::{spans, Span};

/// Counts by the index of their bucket, ascending. A bucket may be there and empty: whether a histogram has any bucket on a
/// side decides what its zero bucket means.
#[derive(Debug, Clone, PartialEq)]
pub struct Buckets<C = f64> {
    indices: Vec<i32>,
    counts: Vec<C>,
}

impl<C> Default for Buckets<C> {
    fn default() -> Self {
        Self {
            indices: Vec::new(),
            counts: Vec::new(),
        }
    }
}

impl<C: Tally> FromIterator<(i32, C)> for Buckets<C> {
    /// The indices ascend.
    fn from_iter<I: IntoIterator<Item = (i32, C)>>(buckets: I) -> Self {
        let (indices, counts) = buckets.into_iter().unzip();
        Self { indices, counts }
    }
}

impl<C: Tally> Buckets<C> {
    /// Those that `spans` place, in their order.
    pub fn from_spans(spans: &[Span], counts: Vec<C>) -> Self {
        let indices: Vec<i32> = spans::indices(spans).take(counts.len()).collect();
        let counts = counts.into_iter().take(indices.len()).collect();
        Self { indices, counts }
    }

    /// Buckets, the empty ones too.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// True when there is none, not even an empty one.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// (index, count), ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (i32, C)> + '_ {
        self.indices.iter().copied().zip(self.counts.iter().copied())
    }

    /// The counts, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (i32, &mut C)> {
        self.indices.iter().copied().zip(&mut self.counts)
    }

    /// The counts alone.
    pub fn counts(&self) -> &[C] {
        &self.counts
    }

    /// Runs of neighbours: the spans that these buckets take.
    pub fn spans(&self) -> Vec<Span> {
        spans::from_indices(self.indices.iter().copied())
    }

    /// The same buckets, each count as `f` has it.
    pub fn map<D: Tally>(&self, f: impl Fn(C) -> D) -> Buckets<D> {
        Buckets {
            indices: self.indices.clone(),
            counts: self.counts.iter().map(|count| f(*count)).collect(),
        }
    }

    /// Buckets of a schema that is coarser by `shift`, each with the sum of those that it covers.
    pub fn coarser(&self, shift: u32) -> Self {
        let mut coarser = Self::default();
        for (index, count) in self.iter() {
            coarser.push(covering(index, shift), count);
        }
        coarser
    }

    /// Add to the last bucket, or open the next one.
    pub fn push(&mut self, index: i32, count: C) {
        match (self.indices.last(), self.counts.last_mut()) {
            (Some(last), Some(sum)) if *last == index => sum.absorb(count),
            _ => {
                self.indices.push(index);
                self.counts.push(count);
            }
        }
    }

    /// Add the counts of `other`, bucket by bucket; those missing are made.
    pub fn absorb(&mut self, other: &Self) {
        if self.indices == other.indices {
            for (count, more) in self.counts.iter_mut().zip(&other.counts) {
                count.absorb(*more);
            }
            return;
        }
        let mut merged = Self::default();
        merged.indices.reserve(self.len().max(other.len()));
        merged.counts.reserve(self.len().max(other.len()));
        let (mut a, mut b) = (self.iter().peekable(), other.iter().peekable());
        loop {
            let next = match (a.peek(), b.peek()) {
                (Some((x, _)), Some((y, _))) if x <= y => a.next(),
                (Some(_), None) => a.next(),
                (_, Some(_)) => b.next(),
                (None, None) => break,
            };
            if let Some((index, count)) = next {
                merged.push(index, count);
            }
        }
        drop((a, b));
        *self = merged;
    }

    /// Drop the buckets that `keep` refuses.
    pub fn retain(&mut self, keep: impl Fn(i32, C) -> bool) {
        *self = self.iter().filter(|(index, count)| keep(*index, *count)).collect();
    }

    /// Drop the empty ones.
    pub fn compact(&mut self) {
        if self.counts.iter().any(|count| count.is_zero()) {
            self.retain(|_, count| !count.is_zero());
        }
    }
}

/// The bucket that covers bucket `index` in a schema coarser by `shift`.
pub fn covering(index: i32, shift: u32) -> i32 {
    (i64::from(index).wrapping_sub(1) >> shift.min(32)) as i32 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(of: &[(i32, f64)]) -> Buckets {
        of.iter().copied().collect()
    }

    #[test]
    fn buckets_of_both_are_added_up_wherever_they_are() {
        let mut sum = buckets(&[(-1, 1.0), (0, 2.0), (4, 3.0)]);
        sum.absorb(&buckets(&[(-3, 5.0), (0, 7.0), (3, 9.0), (5, 11.0)]));
        assert_eq!(
            sum,
            buckets(&[(-3, 5.0), (-1, 1.0), (0, 9.0), (3, 9.0), (4, 3.0), (5, 11.0)])
        );
    }

    #[test]
    fn a_coarser_bucket_has_the_counts_below_its_upper_bound() {
        // Schema 1 to 0: (1, √2] and (√2, 2] are (1, 2]; 0 and -1 are (1/2, 1].
        let fine = buckets(&[(-1, 1.0), (0, 2.0), (1, 4.0), (2, 8.0), (3, 16.0)]);
        assert_eq!(fine.coarser(1), buckets(&[(0, 3.0), (1, 12.0), (2, 16.0)]));
        assert_eq!([i32::MIN, i32::MAX].map(|index| covering(index, 40)), [0, 1]);
    }

    #[test]
    fn empty_buckets_go_and_spans_close_up() {
        let mut sparse = buckets(&[(0, 0.0), (1, 1.0), (2, 0.0), (5, 2.0), (6, 3.0)]);
        sparse.compact();
        assert_eq!(sparse.spans(), [(1, 1), (3, 2)]);
    }

    #[test]
    fn spans_place_no_more_buckets_than_there_are_counts() {
        assert_eq!(
            Buckets::from_spans(&[(2, 5)], vec![1.0, 2.0]),
            buckets(&[(2, 1.0), (3, 2.0)])
        );
        assert_eq!(Buckets::from_spans(&[(2, 1)], vec![1.0, 2.0]), buckets(&[(2, 1.0)]));
    }
}
