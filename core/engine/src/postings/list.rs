//! Ascending lists of series, wherever they are stored, and what can be done with them.

/// A list of ascending numbers with access to each.
pub trait List: Copy {
    /// How many there are.
    fn len(self) -> usize;

    /// The one at `place`.
    fn get(self, place: usize) -> Option<u32>;

    /// True when there is none.
    fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// All of them, behind those that are in `out`.
    fn append_to(self, out: &mut Vec<u32>) {
        out.extend((0..self.len()).map_while(|place| self.get(place)));
    }
}

impl List for &[u32] {
    fn len(self) -> usize {
        <[u32]>::len(self)
    }

    fn get(self, place: usize) -> Option<u32> {
        <[u32]>::get(self, place).copied()
    }

    fn append_to(self, out: &mut Vec<u32>) {
        out.extend_from_slice(self);
    }
}

/// The numbers of all `lists`, ascending. The lists share none.
pub fn union<L: List>(lists: &[L]) -> Vec<u32> {
    let mut all = Vec::with_capacity(lists.iter().map(|list| list.len()).sum());
    lists.iter().for_each(|list| list.append_to(&mut all));
    if lists.len() > 1 {
        all.sort(); // not unstable: this one profits from lists that ascend already
    }
    all
}

/// Keep the numbers that are (or are not) in `list`.
pub fn retain<L: List>(numbers: &mut Vec<u32>, list: L, present: bool) {
    let mut place = 0;
    numbers.retain(|number| {
        place = gallop(list, place, *number);
        (list.get(place) == Some(*number)) == present
    });
}

/// The first place from `start` on whose number is not below `number`: steps that double, then halves, so that both a
/// long list beside a short one and two of a size are walked in few steps.
fn gallop<L: List>(list: L, start: usize, number: u32) -> usize {
    let below = |place: usize| list.get(place).is_some_and(|other| other < number);
    if !below(start) {
        return start;
    }
    let (mut low, mut step) = (start, 1); // `low` is below, always
    while below(low + step) {
        low += step;
        step *= 2;
    }
    let mut high = low + step; // not below, or behind the end
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn lists_are_sets(
            numbers in proptest::collection::btree_set(0u32..300, 0..200),
            other in proptest::collection::btree_set(0u32..300, 0..200),
            dense in any::<bool>(),
        ) {
            let scale = if dense { 1 } else { 10_000_000 };
            let numbers: Vec<u32> = numbers.into_iter().map(|n| n * scale).collect();
            let other: BTreeSet<u32> = other.into_iter().map(|n| n * scale).collect();
            let slice: Vec<u32> = other.iter().copied().collect();
            for present in [true, false] {
                let wanted: Vec<u32> = numbers.iter().copied().filter(|n| other.contains(n) == present).collect();
                let mut kept = numbers.clone();
                retain(&mut kept, slice.as_slice(), present);
                prop_assert_eq!(&kept, &wanted);
            }
        }
    }
}
