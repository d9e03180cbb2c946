//! Held samples: between two pushes of a series its value stands, and is seen again at each hold tick.

use crate::sample::Sample;

/// Merges a series' samples with the ticks that lie strictly between a sample and the next one.
/// A stale marker ends holding until the next sample.
pub struct Held<'a, I: Iterator<Item = Sample>> {
    samples: std::iter::Peekable<I>,
    ticks: &'a [i64],
    standing: Option<Sample>,
}

impl<'a, I: Iterator<Item = Sample>> Held<'a, I> {
    /// `samples` and `ticks` both ascend.
    pub fn new(samples: I, ticks: &'a [i64]) -> Self {
        Self {
            samples: samples.peekable(),
            ticks,
            standing: None,
        }
    }

    /// Drop ticks up to `t`.
    fn skip_ticks(&mut self, t: i64) {
        let passed = self.ticks.partition_point(|tick| *tick <= t);
        self.ticks = self.ticks.get(passed..).unwrap_or_default();
    }
}

impl<I: Iterator<Item = Sample>> Iterator for Held<'_, I> {
    type Item = Sample;

    fn next(&mut self) -> Option<Sample> {
        let next = self.samples.peek().map(|(t, _)| *t);
        if let (Some((_, value)), Some((&tick, rest))) = (&self.standing, self.ticks.split_first()) {
            if next.is_none_or(|t| tick < t) {
                self.ticks = rest;
                return Some((tick, value.clone()));
            }
        }
        let sample = self.samples.next()?;
        self.skip_ticks(sample.0);
        self.standing = Some(sample.clone()).filter(|(_, value)| !value.is_stale());
        Some(sample)
    }
}
