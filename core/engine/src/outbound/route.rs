//! Which series a sink is sent, and under which labels.

use std::sync::Arc;

use ahash::RandomState;
use hashbrown::HashMap;

use crate::labels::{pack, Labels};
use crate::regex::Matcher;
use crate::relabel::{relabel, Rule};
use crate::wal::SeriesRef;

/// Series remembered before the ones that were not asked for lately are forgotten: a million of them, with their labels, are
/// some 200 MB, and only rules that change labels have them kept.
const GENERATION: usize = 1 << 20;

/// What becomes of a series on its way to a sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is sent as it is.
    Same,
    /// It is sent under these labels, packed.
    Changed(Arc<[u8]>),
    /// It is not sent.
    Filtered,
}

/// The settings of one sink.
#[derive(Debug, Clone, Default)]
pub struct Route {
    /// Selectors: a series must meet all matchers of any of them. None: every series is wanted.
    pub wanted: Vec<Vec<Matcher>>,
    /// Labels given to each series that has none of that name, before the rules.
    pub external: Vec<(String, String)>,
    /// Rules.
    pub rules: Vec<Rule>,
}

impl Route {
    /// True when every series is sent as it is.
    pub fn is_plain(&self) -> bool {
        self.wanted.is_empty() && self.external.is_empty() && self.rules.is_empty()
    }

    /// What becomes of the series with `labels`.
    pub fn fate(&self, labels: Labels<'_>) -> Fate {
        let meets = |matchers: &Vec<Matcher>| matchers.iter().all(|m| m.matches(labels.get(m.name())));
        if !self.wanted.is_empty() && !self.wanted.iter().any(meets) {
            return Fate::Filtered;
        }
        if self.external.is_empty() && self.rules.is_empty() {
            return Fate::Same;
        }
        let mut complete = Vec::new();
        if !self.external.is_empty() {
            let mut pairs: Vec<(&str, &str)> = labels.iter().collect();
            let absent = self.external.iter().filter(|(name, _)| labels.get(name).is_empty());
            pairs.extend(absent.map(|(name, value)| (name.as_str(), value.as_str())));
            if pack(&mut pairs, &mut complete).is_err() {
                return Fate::Filtered; // names that cannot be, such as an empty one
            }
        }
        let complete = if self.external.is_empty() {
            labels.packed()
        } else {
            &complete
        };
        let mut changed = Vec::new();
        match relabel(&self.rules, Labels::trusted(complete), &mut changed) {
            Ok(true) if changed.is_empty() => Fate::Filtered,
            Ok(true) if changed == labels.packed() => Fate::Same,
            Ok(true) => Fate::Changed(changed.into()),
            Ok(false) | Err(_) => Fate::Filtered,
        }
    }
}

/// A route that remembers what it found, so that a series costs its rules once and a sample costs one look.
#[derive(Debug, Default)]
pub struct Router {
    route: Route,
    young: HashMap<SeriesRef, Fate, RandomState>,
    old: HashMap<SeriesRef, Fate, RandomState>,
    hasher: RandomState,
}

impl Router {
    /// Nothing is known yet.
    pub fn new(route: Route) -> Self {
        Self {
            route,
            ..Self::default()
        }
    }

    /// The route.
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// What tells series apart at the sink, where one is sent under `sent`: rules may make several series one.
    pub fn sink_series(&self, series: SeriesRef, sent: Option<Labels<'_>>) -> u64 {
        match sent {
            Some(labels) if !self.route.rules.is_empty() => self.hasher.hash_one(labels.packed()),
            _ => series.0,
        }
    }

    /// What becomes of a series of the log, whose labels `labels` tells; `None` when nobody knows them.
    pub fn fate<'l>(&mut self, series: SeriesRef, labels: impl FnOnce() -> Option<Labels<'l>>) -> Option<Fate> {
        if self.route.is_plain() {
            return labels().map(|_| Fate::Same);
        }
        if let Some(fate) = self.young.get(&series) {
            return Some(fate.clone());
        }
        let fate = match self.old.remove(&series) {
            Some(fate) => fate,
            None => self.route.fate(labels()?),
        };
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(series, fate.clone());
        Some(fate)
    }
}
