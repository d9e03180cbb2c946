//! What remote write 1.0 is told of metrics: their types, units and helps, in messages of their own.

use std::sync::Arc;

use super::message::{put_message, put_number, put_text};
use crate::labels::{Labels, METRIC_NAME};
use crate::metadata::{kind_number, Metadata};

/// Bytes of a metric in a message beside its texts, about: type, tags and lengths.
const FAMILY_BYTES: usize = 12;

/// The labels of one of a metric's series, and what is told of it.
type Told = (Arc<[u8]>, Arc<Metadata>);

/// Metrics by name, each once.
#[derive(Debug, Clone, Default)]
pub struct Families(Vec<Told>);

fn name(told: &Told) -> &str {
    Labels::trusted(&told.0).get(METRIC_NAME)
}

fn cost(told: &Told) -> usize {
    FAMILY_BYTES + name(told).len() + told.1.help.len() + told.1.unit.len()
}

impl Families {
    /// Of what is told of series, in any order.
    pub fn of(mut told: Vec<Told>) -> Self {
        told.sort_unstable_by(|a, b| name(a).cmp(name(b)));
        told.dedup_by(|a, b| name(a) == name(b));
        Self(told)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// There is nothing to be told.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of a message with them before compression, about.
    pub fn size(&self) -> usize {
        self.0.iter().map(cost).sum()
    }

    /// Those from `start` on, as many as fit both bounds; at least one while any is left.
    pub fn part(&self, start: usize, max_families: usize, max_bytes: usize) -> Self {
        let rest = self.0.get(start..).unwrap_or_default();
        let mut bytes = 0;
        let fits = rest.iter().take(max_families).take_while(|told| {
            bytes += cost(told);
            bytes <= max_bytes
        });
        let count = fits.count().max(1);
        Self(rest.iter().take(count).cloned().collect())
    }

    /// The message, not compressed yet.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.size());
        for told in &self.0 {
            put_message(&mut out, 3, |out| {
                put_number(out, 1, u64::from(kind_number(told.1.kind)));
                put_text(out, 2, name(told));
                put_text(out, 4, &told.1.help);
                put_text(out, 5, &told.1.unit);
            });
        }
        out
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::family::Kind;
    use crate::labels::pack;

    fn told(name: &str, job: &str, help: &str) -> Told {
        let mut labels = Vec::new();
        pack(&mut [(METRIC_NAME, name), ("job", job)], &mut labels).unwrap();
        let metadata = Metadata {
            kind: Kind::Counter,
            unit: "s".into(),
            help: help.into(),
        };
        (labels.into(), metadata.into())
    }

    fn names(families: &Families) -> Vec<&str> {
        families.0.iter().map(name).collect()
    }

    #[test]
    fn a_metric_of_many_series_is_told_once() {
        let all = Families::of(vec![told("b", "x", ""), told("a", "x", ""), told("b", "y", "")]);
        assert_eq!(names(&all), ["a", "b"]);
        assert_eq!(all.len(), 2);
        assert!(Families::of(Vec::new()).is_empty());
    }

    #[test]
    fn parts_stay_within_bounds_and_leave_nothing_out() {
        let all = Families::of(vec![told("a", "x", "12345"), told("b", "x", ""), told("c", "x", "")]);
        let small = cost(&told("b", "x", ""));
        assert_eq!(names(&all.part(0, 2, usize::MAX)), ["a", "b"]);
        assert_eq!(names(&all.part(1, 9, 2 * small)), ["b", "c"]);
        assert_eq!(names(&all.part(1, 9, 2 * small - 1)), ["b"]);
        assert_eq!(names(&all.part(0, 9, 1)), ["a"], "one that is too large goes alone");
        assert!(all.part(3, 9, usize::MAX).is_empty());
        assert_eq!(all.size(), 3 * small + 5);
    }

    #[test]
    fn what_is_missing_is_left_out_of_the_message() {
        let all = Families::of(vec![told("a", "x", "h"), told("b", "x", "")]);
        assert_eq!(
            all.encode(),
            b"\x1a\x0b\x08\x01\x12\x01a\x22\x01h\x2a\x01s\x1a\x08\x08\x01\x12\x01b\x2a\x01s"
        );
    }
}
