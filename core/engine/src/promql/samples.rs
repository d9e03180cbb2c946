//! The samples that a selector found, or that a subquery made.

use std::sync::Arc;

use super::LabelSets;
use crate::query::Columns;

/// Samples of many series, with their labels. Stale markers are among them.
#[derive(Debug, Clone)]
pub struct Samples {
    labels: LabelSets,
    columns: Arc<Columns>,
}

/// Floats of one series, in order of time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Floats<'a> {
    /// Times, ms.
    pub times: &'a [i64],
    /// As many values.
    pub values: &'a [f64],
}

impl Samples {
    /// What a selector found.
    pub fn new(columns: Arc<Columns>) -> Self {
        let labels = LabelSets::new(columns.label_sets().to_vec());
        Self { labels, columns }
    }

    /// Labels of the series.
    pub fn labels(&self) -> &LabelSets {
        &self.labels
    }

    /// How many series.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// True without any series.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// All samples.
    pub fn count(&self) -> usize {
        self.columns.samples()
    }

    /// The floats of each series.
    pub fn floats(&self) -> impl Iterator<Item = Floats<'_>> {
        let (times, values) = (self.columns.timestamps(), self.columns.values());
        let offsets = self.columns.offsets();
        let cut = move |(start, end): (&i64, &i64)| {
            let range = *start as usize..*end as usize;
            Floats {
                times: times.get(range.clone()).unwrap_or_default(),
                values: values.get(range).unwrap_or_default(),
            }
        };
        offsets.iter().zip(offsets.iter().skip(1)).map(cut)
    }
}
