//! Metadata of series: the newest counts.

use std::sync::Arc;

use ahash::RandomState;
use hashbrown::{HashMap, HashSet};

use crate::metadata::Metadata;
use crate::wal::SeriesRef;

/// What is told of each series, by its reference. Series of one family share what they are told to be.
#[derive(Debug, Default)]
pub struct MetadataTable {
    by_series: HashMap<SeriesRef, Arc<Metadata>, RandomState>,
    known: HashSet<Arc<Metadata>, RandomState>,
}

impl MetadataTable {
    /// What was told last of a series.
    pub fn get(&self, series: SeriesRef) -> Option<&Arc<Metadata>> {
        self.by_series.get(&series)
    }

    /// From now on the series is this.
    pub fn set(&mut self, series: SeriesRef, metadata: Arc<Metadata>) {
        let shared = self.known.get_or_insert(metadata).clone();
        self.by_series.insert(series, shared);
    }

    /// Drop what is told of series that `keep` does not want.
    pub fn retain(&mut self, keep: impl Fn(SeriesRef) -> bool) {
        self.by_series.retain(|series, _| keep(*series));
        self.known.retain(|metadata| Arc::strong_count(metadata) > 1);
    }

    /// Each series and what is told of it, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (SeriesRef, &Arc<Metadata>)> {
        self.by_series.iter().map(|(series, metadata)| (*series, metadata))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::Kind;

    fn counter(help: &str) -> Arc<Metadata> {
        let (unit, help) = ("".into(), help.into());
        Arc::new(Metadata {
            kind: Kind::Counter,
            unit,
            help,
        })
    }

    #[test]
    fn the_newest_counts_and_equals_are_shared() {
        let mut table = MetadataTable::default();
        table.set(SeriesRef(1), counter("a"));
        table.set(SeriesRef(2), counter("b"));
        table.set(SeriesRef(1), counter("b"));
        let [first, second] = [1, 2].map(|series| table.get(SeriesRef(series)));
        assert_eq!(first, Some(&counter("b")));
        assert!(first.zip(second).is_some_and(|(a, b)| Arc::ptr_eq(a, b)));
        table.retain(|series| series == SeriesRef(1));
        assert_eq!((table.by_series.len(), table.known.len()), (1, 1));
        assert_eq!(table.get(SeriesRef(2)), None);
    }
}
