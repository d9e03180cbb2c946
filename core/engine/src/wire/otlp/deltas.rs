//! Deltas added up to cumulative values, in memory, as the collector's `deltatocumulative` processor does.
//!
//! A client that got no answer sends a delta again: it counts once, and gets the same sum again. After a restart sums begin
//! anew, which readers take for a reset of the counter.

use ahash::RandomState;
use hashbrown::HashMap;

use super::points::{Explicit, Exponential, Side};

/// A series that gets no delta for so long begins anew, ms.
const MAX_STALE: i64 = 5 * 60_000;
/// Series at a time.
const MAX_STREAMS: usize = 1_000_000;
/// How often stale series are looked for, ms.
const SWEEP: i64 = 60_000;
/// Buckets of one side of an exponential histogram.
const MAX_BUCKETS: i64 = 160;

/// When a delta began and ended, nanoseconds.
pub type Span = (u64, u64);

/// Why a delta is not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadDelta {
    /// It ends before the last one does.
    OutOfOrder,
    /// It began before the series did.
    OlderStart,
    /// Too many series.
    Full,
}

impl std::fmt::Display for BadDelta {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OutOfOrder => f.write_str("out of order delta"),
            Self::OlderStart => f.write_str("delta that began before its series"),
            Self::Full => write!(f, "more than {MAX_STREAMS} series with deltas"),
        }
    }
}

/// What has been added up.
#[derive(Debug, Clone, PartialEq)]
enum Total {
    Number(f64),
    Explicit(Explicit),
    Exponential(Exponential),
}

#[derive(Debug)]
struct Stream {
    start: u64,
    end: u64,
    /// When it got its last delta, ms.
    seen: i64,
    total: Total,
}

/// The sums of all series, by packed labels.
#[derive(Debug, Default)]
pub struct Deltas {
    streams: HashMap<Box<[u8]>, Stream, RandomState>,
    swept: i64,
}

impl Deltas {
    /// Series that are added up.
    pub fn len(&self) -> usize {
        self.streams.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// Let go of series that have not been heard of. `now` in ms.
    pub fn sweep(&mut self, now: i64) {
        if now.saturating_sub(self.swept) >= SWEEP {
            self.swept = now;
            self.streams
                .retain(|_, stream| now.saturating_sub(stream.seen) <= MAX_STALE);
        }
    }

    /// The series has ended.
    pub fn end(&mut self, key: &[u8]) {
        self.streams.remove(key);
    }

    /// Add to a sum.
    pub fn number(&mut self, key: &[u8], span: Span, now: i64, value: &mut f64) -> Result<(), BadDelta> {
        let total = self.add(key, span, now, Total::Number(*value))?;
        if let Total::Number(total) = total {
            *value = *total;
        }
        Ok(())
    }

    /// Add to a histogram with bounds of its own.
    pub fn explicit(&mut self, key: &[u8], span: Span, now: i64, point: &mut Explicit) -> Result<(), BadDelta> {
        let total = self.add(key, span, now, Total::Explicit(point.clone()))?;
        if let Total::Explicit(total) = total {
            point.clone_from(total);
        }
        Ok(())
    }

    /// Add to an exponential histogram.
    pub fn exponential(&mut self, key: &[u8], span: Span, now: i64, point: &mut Exponential) -> Result<(), BadDelta> {
        let total = self.add(key, span, now, Total::Exponential(point.clone()))?;
        if let Total::Exponential(total) = total {
            point.clone_from(total);
        }
        Ok(())
    }

    fn add(&mut self, key: &[u8], (start, end): Span, now: i64, delta: Total) -> Result<&Total, BadDelta> {
        if !self.streams.contains_key(key) && self.streams.len() >= MAX_STREAMS {
            return Err(BadDelta::Full);
        }
        let stream = self.streams.entry_ref(key).or_insert_with(|| Stream {
            start,
            end: 0,
            seen: now,
            total: delta.clone(),
        });
        if stream.end == 0 {
            stream.end = end;
            return Ok(&stream.total);
        }
        if start != 0 && start < stream.start {
            return Err(BadDelta::OlderStart);
        }
        if end < stream.end {
            return Err(BadDelta::OutOfOrder);
        }
        if end > stream.end {
            (stream.end, stream.seen) = (end, now);
            stream.total.add(delta);
        }
        Ok(&stream.total)
    }
}

impl Total {
    /// What cannot be added, since it has other buckets, begins anew.
    fn add(&mut self, delta: Self) {
        match (self, delta) {
            (Self::Number(total), Self::Number(delta)) => *total += delta,
            (Self::Explicit(total), Self::Explicit(delta)) if total.bounds == delta.bounds => {
                total.count = total.count.saturating_add(delta.count);
                total.sum = total.sum.zip(delta.sum).map(|(a, b)| a + b);
                total.counts.resize(total.counts.len().max(delta.counts.len()), 0);
                for (count, more) in total.counts.iter_mut().zip(delta.counts) {
                    *count = count.saturating_add(more);
                }
            }
            (Self::Exponential(total), Self::Exponential(delta))
                if total.zero_threshold.to_bits() == delta.zero_threshold.to_bits() =>
            {
                add_exponential(total, delta);
            }
            (total, delta) => *total = delta,
        }
    }
}

fn add_exponential(total: &mut Exponential, delta: Exponential) {
    total.count = total.count.saturating_add(delta.count);
    total.sum = total.sum.zip(delta.sum).map(|(a, b)| a + b);
    total.zero = total.zero.saturating_add(delta.zero);
    let sides = |total: &Exponential| {
        let both = |one, other, scale| {
            let ours = reach(one, total.scale.saturating_sub(scale));
            ours.join(reach(other, delta.scale.saturating_sub(scale)))
        };
        let scale = total.scale.min(delta.scale);
        let fits = |down: i32| {
            let scale = scale.saturating_sub(down);
            both(&total.positive, &delta.positive, scale).length() <= MAX_BUCKETS
                && both(&total.negative, &delta.negative, scale).length() <= MAX_BUCKETS
        };
        scale.saturating_sub((0..63).find(|down| fits(*down)).unwrap_or(63))
    };
    let scale = sides(total);
    let down = |from: i32| from.saturating_sub(scale);
    let (down, delta_down) = (down(total.scale), down(delta.scale));
    total.positive = add_sides((&total.positive, down), (&delta.positive, delta_down));
    total.negative = add_sides((&total.negative, down), (&delta.negative, delta_down));
    total.scale = scale;
}

/// Bucket indices from the first on, before the last; nothing when they are equal.
#[derive(Debug, Clone, Copy)]
struct Reach(i64, i64);

impl Reach {
    fn length(self) -> i64 {
        self.1 - self.0
    }

    fn join(self, other: Self) -> Self {
        match (self.length(), other.length()) {
            (0, _) => other,
            (_, 0) => self,
            _ => Self(self.0.min(other.0), self.1.max(other.1)),
        }
    }
}

/// The buckets that are not empty, as buckets 2^`down` times as wide.
fn reach(side: &Side, down: i32) -> Reach {
    let place = |at: Option<usize>| at.map(|at| coarser(side.offset, at, down));
    let first = place(side.counts.iter().position(|count| *count > 0));
    let last = place(side.counts.iter().rposition(|count| *count > 0));
    match (first, last) {
        (Some(first), Some(last)) => Reach(first, last + 1),
        _ => Reach(0, 0),
    }
}

fn coarser(offset: i32, place: usize, down: i32) -> i64 {
    (i64::from(offset) + place as i64) >> down.clamp(0, 63)
}

fn add_sides(total: (&Side, i32), delta: (&Side, i32)) -> Side {
    let all = reach(total.0, total.1).join(reach(delta.0, delta.1));
    let mut counts = vec![0u64; all.length().max(0) as usize];
    for (side, down) in [total, delta] {
        for (place, count) in side.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let at = coarser(side.offset, place, down) - all.0;
            if let Some(sum) = usize::try_from(at).ok().and_then(|at| counts.get_mut(at)) {
                *sum = sum.saturating_add(*count);
            }
        }
    }
    let offset = all.0.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
    Side { offset, counts }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn add(deltas: &mut Deltas, span: Span, value: f64) -> Result<f64, BadDelta> {
        let mut value = value;
        deltas.number(b"k", span, 0, &mut value).map(|()| value)
    }

    #[test]
    fn sums_grow_and_a_repeated_delta_counts_once() {
        let mut deltas = Deltas::default();
        assert_eq!(add(&mut deltas, (10, 20), 1.5), Ok(1.5));
        assert_eq!(add(&mut deltas, (20, 30), 2.0), Ok(3.5));
        assert_eq!(add(&mut deltas, (20, 30), 2.0), Ok(3.5));
        assert_eq!(add(&mut deltas, (0, 25), 2.0), Err(BadDelta::OutOfOrder));
        assert_eq!(add(&mut deltas, (5, 40), 2.0), Err(BadDelta::OlderStart));
        assert_eq!(add(&mut deltas, (50, 60), 1.0), Ok(4.5));
        deltas.end(b"k");
        assert_eq!(add(&mut deltas, (70, 80), 1.0), Ok(1.0));
    }

    #[test]
    fn what_is_silent_for_five_minutes_begins_anew() {
        let mut deltas = Deltas::default();
        add(&mut deltas, (1, 2), 1.0).unwrap();
        deltas.sweep(MAX_STALE);
        assert_eq!(deltas.len(), 1);
        deltas.sweep(MAX_STALE + SWEEP);
        assert!(deltas.is_empty());
    }

    #[test]
    fn buckets_are_added_and_others_begin_anew() {
        let mut deltas = Deltas::default();
        let mut add = |end, bounds: &[f64], counts: &[u64]| {
            let mut point = Explicit {
                count: counts.iter().sum(),
                sum: Some(1.0),
                bounds: bounds.to_vec(),
                counts: counts.to_vec(),
            };
            deltas.explicit(b"k", (1, end), 0, &mut point).unwrap();
            (point.count, point.sum, point.counts)
        };
        assert_eq!(add(2, &[1.0], &[1, 2]), (3, Some(1.0), vec![1, 2]));
        assert_eq!(add(3, &[1.0], &[0, 5]), (8, Some(2.0), vec![1, 7]));
        assert_eq!(add(4, &[2.0], &[1, 1]), (2, Some(1.0), vec![1, 1]));
    }

    proptest! {
        #[test]
        fn exponential_histograms_lose_nothing(
            points in prop::collection::vec(
                (-4i32..20, prop_oneof![any::<i32>(), -300i32..300], prop::collection::vec(0u64..5, 0..200)),
                1..6,
            ),
        ) {
            let mut deltas = Deltas::default();
            let mut all = 0;
            for (n, (scale, offset, counts)) in points.into_iter().enumerate() {
                let count: u64 = counts.iter().sum();
                all += count;
                let side = Side { offset, counts };
                let mut point = Exponential { count, scale, positive: side, ..Exponential::default() };
                deltas.exponential(b"k", (1, n as u64 + 2), 0, &mut point).unwrap();
                prop_assert_eq!(point.count, all);
                prop_assert_eq!(point.positive.counts.iter().sum::<u64>(), all);
                prop_assert!(n == 0 || point.positive.counts.len() as i64 <= MAX_BUCKETS);
            }
        }
    }
}
