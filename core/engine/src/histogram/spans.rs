//! Spans: which buckets one side of a histogram has.

use super::Span;

/// The index of each bucket, ascending. The spans must be sound, see [`promised`].
pub fn indices(spans: &[Span]) -> impl Iterator<Item = i32> + '_ {
    let mut end = 0i32;
    spans.iter().flat_map(move |&(offset, length)| {
        let start = end.wrapping_add(offset);
        end = start.wrapping_add_unsigned(length);
        start..end
    })
}

/// Buckets that the spans promise; `None` when spans overlap or lead beyond the indices that there are.
pub fn promised(spans: &[Span]) -> Option<usize> {
    let mut end = 0i32;
    let mut buckets = 0usize;
    for (place, &(offset, length)) in spans.iter().enumerate() {
        if place > 0 && offset < 0 {
            return None;
        }
        end = end.checked_add(offset)?.checked_add_unsigned(length)?;
        buckets = buckets.checked_add(length as usize)?;
    }
    Some(buckets)
}

/// The fewest spans that have the buckets at `indices`, which ascend.
pub fn from_indices(indices: impl Iterator<Item = i32>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut end = 0i32;
    for index in indices {
        match spans.last_mut() {
            Some(last) if index == end => last.1 = last.1.saturating_add(1),
            _ => spans.push((index.wrapping_sub(end), 1)),
        }
        end = index.wrapping_add(1);
    }
    spans
}

/// The spans that have the buckets of both.
pub fn union(a: &[Span], b: &[Span]) -> Vec<Span> {
    let (mut a, mut b) = (indices(a).peekable(), indices(b).peekable());
    from_indices(std::iter::from_fn(|| match (a.peek(), b.peek()) {
        (Some(x), Some(y)) if x == y => {
            b.next();
            a.next()
        }
        (Some(x), Some(y)) if x > y => b.next(),
        (Some(_), _) => a.next(),
        (None, _) => b.next(),
    }))
}

/// The counts of buckets in `spans` as those of the buckets in `wider`, which has all of them: the others are empty.
pub fn widen<T: Copy + Default>(counts: &[T], spans: &[Span], wider: &[Span]) -> Vec<T> {
    let mut known = indices(spans).zip(counts).peekable();
    let count = |index| known.next_if(|(known, _)| *known == index).map(|(_, count)| *count);
    indices(wider).map(count).map(Option::unwrap_or_default).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_have_the_indices_that_offsets_and_lengths_say() {
        let spans = [(-2, 0), (1, 2), (0, 1), (3, 0), (0, 2)];
        assert_eq!(indices(&spans).collect::<Vec<_>>(), [-1, 0, 1, 5, 6]);
        assert_eq!(from_indices(indices(&spans)), [(-1, 3), (3, 2)]);
        assert_eq!(promised(&spans), Some(5));
    }

    #[test]
    fn unsound_spans_promise_nothing() {
        assert_eq!(promised(&[(0, 2), (-1, 1)]), None);
        assert_eq!(promised(&[(i32::MAX, 1)]), None);
        assert_eq!(promised(&[(0, u32::MAX)]), None);
    }

    #[test]
    fn a_union_has_the_buckets_of_both_and_counts_keep_theirs() {
        let (a, b) = ([(1, 2), (2, 1)], [(-4, 1), (5, 2)]);
        let both = union(&a, &b);
        assert_eq!(indices(&both).collect::<Vec<_>>(), [-4, 1, 2, 3, 5]);
        assert_eq!(widen(&[7, 8, 9], &a, &both), [0, 7, 8, 0, 9]);
        assert_eq!(union(&[], &[]), []);
    }
}
