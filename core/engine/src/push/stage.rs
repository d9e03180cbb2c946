//! One push: from parsed families to the group's next state and the batch that makes it durable.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use crate::batch::{Batch, STALE_NAN_BITS};
use crate::family::{Family, Kind, Metric};

use super::change::{encode_state, Change};
use super::check::{check_values, Scope};
use super::flatten::{push_family, push_stale, series_of};
use super::group::{Group, GroupKey, Stored};
use super::index::Index;
use super::refusal::{Errors, Refusal};
use super::{PUSH_FAILURE_TIME, PUSH_TIME};

/// What to do with samples that carry a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timestamps {
    /// Refuse the push, as Pushgateway does.
    Refuse,
    /// Take times within the bounds, ms.
    Accept {
        /// Oldest time taken.
        oldest_ms: i64,
        /// Newest time taken.
        newest_ms: i64,
    },
}

/// How a push is to be taken.
#[derive(Debug, Clone, Copy)]
pub struct PushOptions {
    /// The bridge's time, ms.
    pub now_ms: i64,
    /// Time to live of the group from now on, ms; 0 = for ever.
    pub ttl_ms: i64,
    /// PUT: the group becomes what is pushed. Otherwise families not pushed stay.
    pub replace: bool,
    /// Keep a pushed family's other metrics (`?merge=series`) instead of replacing the family.
    pub merge_series: bool,
    /// What to do with samples that carry a time.
    pub timestamps: Timestamps,
}

/// Give every metric the key's labels and leave out the two names that a group makes itself.
pub fn sanitize(families: &mut Vec<Family>, key: &GroupKey) {
    families.retain(|f| f.name != PUSH_TIME && f.name != PUSH_FAILURE_TIME);
    for metric in families.iter_mut().flat_map(|f| &mut f.metrics) {
        key.force_on(metric);
    }
}

/// The rule for timestamps, over all samples.
pub fn check_timestamps(families: &[Family], rule: Timestamps) -> Result<(), Refusal> {
    for family in families {
        for t in family.metrics.iter().filter_map(|m| m.timestamp_ms) {
            let Timestamps::Accept { oldest_ms, newest_ms } = rule else {
                return Err(Refusal::Timestamps);
            };
            let bound = match t {
                t if t < oldest_ms => {
                    format!("older than the oldest accepted time {oldest_ms} (push.timestamp_max_age)")
                }
                t if t > newest_ms => {
                    format!("newer than the newest accepted time {newest_ms} (push.timestamp_max_future)")
                }
                _ => continue,
            };
            return Err(Refusal::TimestampRange(format!(
                "metric {:?} has timestamp {t}, {bound}",
                family.name
            )));
        }
    }
    Ok(())
}

/// The pushed families with their metrics' hashes; in series mode completed by the metrics that stay.
pub struct Prepared {
    /// What reaches the store now, sorted by name.
    pushed: Vec<Family>,
    /// What the group holds of each name afterwards, where that differs from `pushed`.
    merged: Vec<Option<Family>>,
    hashes: Vec<Box<[u64]>>,
    /// Whether the group holds these very metrics of a name already, as most pushes find it.
    unchanged: Vec<bool>,
}

impl Prepared {
    /// Hash every metric; merge with the current families where asked.
    pub fn new(mut pushed: Vec<Family>, current: Option<&Group>, merge_series: bool, index: &Index) -> Self {
        pushed.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let hash_all = |f: &Family| -> Box<[u64]> {
            f.metrics
                .iter()
                .map(|m| index.hash_metric(&f.name, &m.labels))
                .collect()
        };
        let mut hashes: Vec<Box<[u64]>> = pushed.iter().map(hash_all).collect();
        let mut merged: Vec<Option<Family>> = pushed.iter().map(|_| None).collect();
        if merge_series {
            for ((family, merged), hashes) in pushed.iter().zip(&mut merged).zip(&mut hashes) {
                let Some(old) = current.and_then(|g| g.family(&family.name)) else {
                    continue;
                };
                let combined = merge(old, family, hashes);
                *hashes = hash_all(&combined);
                *merged = Some(combined);
            }
        }
        let unchanged = Vec::with_capacity(pushed.len());
        let mut prepared = Self {
            pushed,
            merged,
            hashes,
            unchanged,
        };
        prepared.unchanged.extend(prepared.unchanged_in(current));
        prepared
    }

    /// For each family, whether `current` claims the same.
    fn unchanged_in(&self, current: Option<&Group>) -> Vec<bool> {
        let mut stored = current.map_or(&[][..], |g| &g.families).iter().peekable();
        let families = self.afterwards().zip(&self.hashes);
        families
            .map(|(family, hashes)| {
                while stored.next_if(|s| s.name < family.name).is_some() {}
                let same = stored.next_if(|s| s.name == family.name);
                same.is_some_and(|s| s.kind == family.kind && s.hashes == *hashes)
            })
            .collect()
    }

    /// True when no claim of the group changes, so that nothing can come to contradict another group.
    pub fn claims_nothing_new(&self) -> bool {
        self.unchanged.iter().all(|u| *u)
    }

    /// Every consistency rule over every family.
    pub fn check(&self, scope: &Scope<'_>) -> Result<(), Refusal> {
        let mut errors = Errors::default();
        for ((family, hashes), unchanged) in self.afterwards().zip(&self.hashes).zip(&self.unchanged) {
            check_values(family, &mut errors);
            // The claims of all groups are consistent, so what has been claimed already needs no second look.
            if !unchanged {
                scope.check(family, hashes, &mut errors);
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Refusal::Inconsistent(errors))
        }
    }

    /// What the group holds of each pushed name afterwards.
    fn afterwards(&self) -> impl Iterator<Item = &Family> {
        let both = self.pushed.iter().zip(&self.merged);
        both.map(|(family, merged)| merged.as_ref().unwrap_or(family))
    }

    /// Names and types in the group after the push.
    pub fn kinds_after<'a>(&'a self, current: Option<&'a Group>, replace: bool) -> HashMap<&'a str, Kind> {
        let mut kinds = HashMap::new();
        if let Some(group) = current.filter(|_| !replace) {
            kinds.extend(group.families.iter().map(|f| (f.name.as_str(), f.kind)));
        }
        for family in self.afterwards() {
            if family.metrics.is_empty() {
                kinds.remove(family.name.as_str());
            } else {
                kinds.insert(family.name.as_str(), family.kind);
            }
        }
        kinds
    }

    /// The group's next state and the batch: new samples, stale markers for series that end, the push times, the change.
    pub fn build(
        self,
        key: &GroupKey,
        current: Option<&Group>,
        options: &PushOptions,
        hasher: &ahash::RandomState,
    ) -> (Group, Batch) {
        let mut batch = Batch::new(options.now_ms);
        batch.held = true;
        let mut next = Group {
            families: Vec::new(),
            pushed_ms: options.now_ms,
            failed_ms: current.map_or(0, |g| g.failed_ms),
            ttl_ms: options.ttl_ms,
        };
        let mut changed = Vec::with_capacity(self.pushed.len());
        for ((mut family, merged), hashes) in self.pushed.into_iter().zip(self.merged).zip(self.hashes) {
            let start = batch.arena().len();
            let rows = push_family(&family, &mut batch);
            let shape = hasher.hash_one(batch.arena().get(start..).unwrap_or_default());
            let partial = merged.is_some();
            if let Some(merged) = merged {
                family = merged;
            }
            family.metrics.iter_mut().for_each(|m| m.timestamp_ms = None);
            let stored = if partial {
                let mut series = 0;
                series_of(&family, &mut |_| series += 1);
                Stored::new(&family, options.now_ms, hashes, series, 0)
            } else {
                Stored::new(&family, options.now_ms, hashes, rows, shape)
            };
            changed.push(Arc::new(stored));
        }
        next.families = changed.clone();
        if let Some(group) = current.filter(|_| !options.replace) {
            let kept = Group::join(Some(group), Some(&next)).filter_map(|(old, new)| new.is_none().then_some(old?));
            let kept: Vec<_> = kept.cloned().collect();
            next.families.extend(kept);
            next.families.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        }
        next.drop_empty();
        end_series(current, &next, &mut batch);
        for family in next.push_times(key) {
            push_family(&family, &mut batch);
        }
        batch.event = Some(encode_state(key, &next, options.replace, &changed));
        (next, batch)
    }
}

/// A stale marker for each series of `current` that `next` no longer has.
fn end_series(current: Option<&Group>, next: &Group, batch: &mut Batch) {
    for (old, new) in Group::join(current, Some(next)) {
        let Some(old) = old else { continue };
        if new.is_some_and(|n| Arc::ptr_eq(n, old) || (n.shape != 0 && n.shape == old.shape)) {
            continue;
        }
        let mut kept: HashSet<Vec<u8>> = HashSet::new();
        if let Some(new) = new {
            series_of(&new.family(), &mut |packed| {
                kept.insert(packed.to_vec());
            });
        }
        push_stale(&old.family(), &|packed| kept.contains(packed), batch);
    }
}

/// The pushed metrics over the stored ones; of equal label sets the pushed one counts.
fn merge(old: &Stored, pushed: &Family, pushed_hashes: &[u64]) -> Family {
    let taken: HashSet<u64> = pushed_hashes.iter().copied().collect();
    let mut family = pushed.clone();
    let kept = old.family().metrics.into_iter().zip(old.hashes.iter());
    let mut metrics: Vec<Metric> = kept.filter(|(_, h)| !taken.contains(*h)).map(|(m, _)| m).collect();
    metrics.append(&mut family.metrics);
    family.metrics = metrics;
    family
}

/// A refused push: the group remembers when, a new group is made of the two push times alone.
pub fn failure(key: &GroupKey, current: Option<&Group>, now_ms: i64, ttl_ms: i64) -> (Group, Batch) {
    let mut next = current.cloned().unwrap_or(Group {
        ttl_ms,
        ..Group::default()
    });
    next.failed_ms = now_ms;
    let mut batch = Batch::new(now_ms);
    batch.held = true;
    for family in next.push_times(key) {
        push_family(&family, &mut batch);
    }
    batch.event = Some(encode_state(key, &next, false, &[]));
    (next, batch)
}

/// The end of a group: a stale marker for all that it held.
pub fn deletion(key: &GroupKey, current: &Group, now_ms: i64) -> Batch {
    let mut batch = Batch::new(now_ms);
    batch.held = true;
    end_series(Some(current), &Group::default(), &mut batch);
    for family in current.push_times(key) {
        series_of(&family, &mut |packed| {
            batch.arena().extend_from_slice(packed);
            batch.push_float(crate::batch::BATCH_TIME, f64::from_bits(STALE_NAN_BITS));
        });
    }
    batch.event = Some(Change::deletion(key.clone()).encode());
    batch
}
