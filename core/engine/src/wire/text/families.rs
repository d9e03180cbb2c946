//! The families read so far, found by name, and the metrics of summaries and histograms, found by labels.

use std::collections::HashMap;

use ahash::RandomState;
use hashbrown::HashTable;

use crate::bytes::put_prefixed;
use crate::family::{Family, Kind, Label, Metric, Text, Value};
use crate::wire::count;

/// Which field of a metric a line speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The value, a bucket or a quantile.
    Value,
    /// `_count` of a summary or histogram.
    Count,
    /// `_sum` of a summary or histogram.
    Sum,
}

/// The family that a name belongs to, by its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) family: usize,
    pub(super) role: Role,
}

/// A family being read.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) family: Family,
    /// TYPE was given, or a sample came without it.
    pub(super) typed: bool,
}

#[derive(Debug, Default)]
pub(super) struct Families {
    drafts: Vec<Draft>,
    /// Places in `drafts`, by name. Hashes are seeded, for names are chosen by strangers.
    by_name: HashTable<usize>,
    hasher: RandomState,
    /// Place in a family's metrics, by family and sorted labels. Holds summaries and histograms only.
    by_labels: HashMap<Vec<u8>, usize, RandomState>,
    /// Metrics, buckets and quantiles.
    pub(super) count: usize,
}

impl Families {
    /// A draft that [`Self::resolve`] has named.
    #[expect(
        clippy::indexing_slicing,
        reason = "places come from resolve, and no draft is ever removed"
    )]
    pub(super) fn draft(&mut self, family: usize) -> &mut Draft {
        &mut self.drafts[family]
    }

    /// The name of a draft, to be told in errors.
    pub(super) fn name(&self, family: Option<usize>) -> &str {
        family
            .and_then(|at| self.drafts.get(at))
            .map_or("", |d| d.family.name.as_str())
    }

    fn find(&self, name: &str) -> Option<usize> {
        let same = |at: &usize| self.name(Some(*at)) == name;
        self.by_name.find(self.hasher.hash_one(name), same).copied()
    }

    /// The family of this name, or the summary or histogram that has a part of this name, or a new family.
    pub(super) fn resolve(&mut self, name: &str) -> Target {
        let whole = |family| Target {
            family,
            role: Role::Value,
        };
        if let Some(family) = self.find(name) {
            return whole(family);
        }
        self.owner_of_part(name).unwrap_or_else(|| whole(self.add(name)))
    }

    fn owner_of_part(&self, name: &str) -> Option<Target> {
        let (base, suffix) = name.rsplit_once('_').filter(|(base, _)| !base.is_empty())?;
        let role = match suffix {
            "count" => Role::Count,
            "sum" => Role::Sum,
            "bucket" => Role::Value,
            _ => return None,
        };
        let family = self.find(base)?;
        let owns = match self.drafts.get(family)?.family.kind {
            Kind::Summary => role != Role::Value,
            Kind::Histogram | Kind::GaugeHistogram => true,
            _ => false,
        };
        owns.then_some(Target { family, role })
    }

    fn add(&mut self, name: &str) -> usize {
        let at = self.drafts.len();
        self.drafts.push(Draft {
            family: Family {
                name: Text::from(name),
                help: None,
                kind: Kind::Untyped,
                unit: Text::default(),
                metrics: Vec::new(),
            },
            typed: false,
        });
        let (hasher, drafts) = (&self.hasher, &self.drafts);
        let rehash = |at: &usize| hasher.hash_one(drafts.get(*at).map_or("", |d| d.family.name.as_str()));
        self.by_name.insert_unique(hasher.hash_one(name), at, rehash);
        at
    }

    /// A metric that [`Self::push`] or [`Self::series`] has placed.
    #[expect(
        clippy::indexing_slicing,
        reason = "places come from push and series, and no metric is ever removed"
    )]
    pub(super) fn metric(&mut self, family: usize, at: usize) -> &mut Metric {
        &mut self.draft(family).family.metrics[at]
    }

    /// Add a metric, and tell its place. `labels` are moved out.
    pub(super) fn push(&mut self, family: usize, labels: &mut Vec<Label>, value: Value) -> usize {
        self.count += 1;
        let metrics = &mut self.draft(family).family.metrics;
        metrics.push(Metric {
            labels: std::mem::take(labels),
            value,
            timestamp_ms: None,
            created_ms: None,
        });
        metrics.len() - 1
    }

    /// The place of these labels' metric in a summary or histogram family; added when new. `labels` are left empty.
    pub(super) fn series(&mut self, family: usize, labels: &mut Vec<Label>, new: fn() -> Value) -> usize {
        // Lines of one metric usually follow each other: those need no key.
        let metrics = &self.draft(family).family.metrics;
        let next = metrics.len();
        let at = match metrics.last() {
            Some(last) if last.labels == *labels => next - 1,
            _ => self.look_up(family, labels, next),
        };
        if at == next {
            return self.push(family, labels, new());
        }
        labels.clear();
        at
    }

    /// The place that these labels have, or now get.
    fn look_up(&mut self, family: usize, labels: &[Label], next: usize) -> usize {
        let mut sorted: Vec<&Label> = labels.iter().collect();
        sorted.sort_unstable();
        let mut key = family.to_le_bytes().to_vec();
        for label in sorted {
            put_prefixed(&mut key, label.name.as_bytes());
            put_prefixed(&mut key, label.value.as_bytes());
        }
        *self.by_labels.entry(key).or_insert(next)
    }

    /// What was read, families without samples left out.
    pub(super) fn finish(self) -> Vec<Family> {
        let mut families: Vec<Family> = self.drafts.into_iter().map(|d| d.family).collect();
        families.retain(|f| !f.metrics.is_empty());
        for metric in families.iter_mut().flat_map(|f| &mut f.metrics) {
            if let Value::Histogram(histogram) = &mut metric.value {
                count::unify(histogram);
            }
        }
        families
    }
}
