//! The binary heap of Go's `container/heap`. Any heap gives the smallest first; this one also gives equal ones in the order
//! in which Prometheus meets them, for the same swaps decide.

/// What a [`Heap`] holds.
pub trait Ranked {
    /// True when it must come out before `other`.
    fn is_before(&self, other: &Self) -> bool;
}

/// Gives what comes first.
pub struct Heap<T>(Vec<T>);

impl<T> Default for Heap<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Ranked> Heap<T> {
    /// What comes out next.
    pub fn first(&self) -> Option<&T> {
        self.0.first()
    }

    /// Add one.
    pub fn push(&mut self, item: T) {
        self.0.push(item);
        let mut child = self.0.len() - 1;
        while child > 0 {
            let parent = (child - 1) / 2;
            if !self.is_before(child, parent) {
                break;
            }
            self.0.swap(child, parent);
            child = parent;
        }
    }

    /// Take what comes first.
    pub fn pop(&mut self) -> Option<T> {
        let last = self.0.len().checked_sub(1)?;
        self.0.swap(0, last);
        let popped = self.0.pop();
        let mut parent = 0;
        loop {
            let (left, right) = (2 * parent + 1, 2 * parent + 2);
            let child = if self.is_before(right, left) { right } else { left };
            if !self.is_before(child, parent) {
                return popped;
            }
            self.0.swap(parent, child);
            parent = child;
        }
    }

    /// Take what comes first, if it is wanted.
    pub fn pop_if(&mut self, wanted: impl FnOnce(&T) -> bool) -> Option<T> {
        self.first().is_some_and(wanted).then(|| self.pop()).flatten()
    }

    fn is_before(&self, a: usize, b: usize) -> bool {
        matches!((self.0.get(a), self.0.get(b)), (Some(a), Some(b)) if a.is_before(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    impl Ranked for (u8, usize) {
        fn is_before(&self, other: &Self) -> bool {
            self.0 < other.0
        }
    }

    proptest! {
        #[test]
        fn what_comes_out_ascends(ranks in proptest::collection::vec(0u8..10, 0..50)) {
            let mut heap = Heap::default();
            ranks.iter().enumerate().for_each(|(place, rank)| heap.push((*rank, place)));
            let out: Vec<u8> = std::iter::from_fn(|| heap.pop()).map(|(rank, _)| rank).collect();
            let mut sorted = ranks;
            sorted.sort_unstable();
            prop_assert_eq!(out, sorted);
        }
    }

    /// As Go 1.26 gives them.
    #[test]
    fn equal_ones_come_out_as_in_go() {
        for (ranks, wanted) in [
            (&[0u8; 5][..], &[0usize, 4, 3, 2, 1][..]),
            (&[3, 1, 1, 2, 3, 2, 1, 0, 3, 2, 0], &[7, 10, 1, 2, 6, 3, 9, 5, 4, 8, 0]),
        ] {
            let mut heap = Heap::default();
            ranks
                .iter()
                .enumerate()
                .for_each(|(place, rank)| heap.push((*rank, place)));
            let out: Vec<usize> = std::iter::from_fn(|| heap.pop()).map(|(_, place)| place).collect();
            assert_eq!(out, wanted);
        }
    }
}
