//! One push: from parsed families to the group's next state and the batch that makes it durable.

use std::ops::Range;
use std::sync::Arc;

use ahash::RandomState;
use hashbrown::{HashMap, HashSet};

use crate::batch::{Batch, STALE_NAN_BITS};
use crate::family::{Family, Kind, Metric};

use super::change::{encode_state, Change, ChangeWriter};
use super::check::{check_values, Scope};
use super::flatten::{push_family, push_stale, series_of};
use super::group::{Extent, Group, GroupKey, Stored};
use super::index::Index;
use super::refusal::{Errors, Refusal};
use super::shared::Shared;
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

/// Leave every metric its own labels only, and leave out the two names that a group makes itself.
pub fn sanitize(families: &mut Vec<Family>, key: &GroupKey) {
    families.retain(|f| f.name != PUSH_TIME && f.name != PUSH_FAILURE_TIME);
    for metric in families.iter_mut().flat_map(|f| &mut f.metrics) {
        key.strip(metric);
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
    /// Of the metrics that the group holds afterwards, family after family.
    hashes: Vec<u64>,
    /// Where each family's hashes end.
    ends: Vec<usize>,
    /// Whether the group holds these very metrics of a name already, as most pushes find it.
    unchanged: Vec<bool>,
}

impl Prepared {
    /// Hash every metric; merge with the current families where asked.
    pub fn new(
        mut pushed: Vec<Family>,
        key: &GroupKey,
        current: Option<&Group>,
        merge_series: bool,
        index: &Index,
    ) -> Self {
        pushed.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let hash = |family: &Family, hashes: &mut Vec<u64>| {
            let metrics = family.metrics.iter();
            hashes.extend(metrics.map(|m| index.hash_metric(&family.name, key.with(&m.labels))));
        };
        let mut hashes = Vec::with_capacity(pushed.iter().map(|f| f.metrics.len()).sum());
        let mut ends = Vec::with_capacity(pushed.len());
        let mut merged = Vec::with_capacity(pushed.len());
        for family in &pushed {
            let start = hashes.len();
            hash(family, &mut hashes);
            let old = current.filter(|_| merge_series).and_then(|g| g.family(&family.name));
            merged.push(old.map(|old| {
                let combined = merge(old, family, hashes.get(start..).unwrap_or_default());
                hashes.truncate(start);
                hash(&combined, &mut hashes);
                combined
            }));
            ends.push(hashes.len());
        }
        let unchanged = Vec::with_capacity(pushed.len());
        let mut prepared = Self {
            pushed,
            merged,
            hashes,
            ends,
            unchanged,
        };
        prepared.unchanged = prepared.unchanged_in(current);
        prepared
    }

    /// The hashes of each family.
    fn hashes(&self) -> impl Iterator<Item = &[u64]> {
        ranges(&self.ends).map(|range| self.hashes.get(range).unwrap_or_default())
    }

    /// For each family, whether `current` claims the same.
    fn unchanged_in(&self, current: Option<&Group>) -> Vec<bool> {
        let mut stored = current.map_or(&[][..], |g| &g.families).iter().peekable();
        let families = self.afterwards().zip(self.hashes());
        families
            .map(|(family, hashes)| {
                while stored.next_if(|s| s.name < family.name).is_some() {}
                let same = stored.next_if(|s| s.name == family.name);
                same.is_some_and(|s| s.kind == family.kind && *s.hashes == *hashes)
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
        for ((family, hashes), unchanged) in self.afterwards().zip(self.hashes()).zip(&self.unchanged) {
            check_values(family, scope.key, &mut errors);
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
        key: &Arc<GroupKey>,
        current: Option<&Group>,
        options: &PushOptions,
        hasher: &RandomState,
    ) -> (Group, Batch) {
        let mut batch = Batch::new(options.now_ms);
        batch.held = true;
        let mut next = Group {
            families: Vec::new(),
            pushed_ms: success_ms(options.now_ms, current),
            failed_ms: current.map_or(0, |g| g.failed_ms),
            ttl_ms: options.ttl_ms,
        };
        let mut change = ChangeWriter::to_state(key, &next, options.replace, self.pushed.len());
        let mut drafts = Vec::with_capacity(self.pushed.len());
        let families = self.pushed.into_iter().zip(self.merged).zip(&self.unchanged);
        for ((mut family, merged), unchanged) in families {
            // The head has it of series that it knows: what most pushes pay for is this comparison.
            let stored = current.and_then(|group| group.family(&family.name));
            let told = !unchanged || !stored.is_some_and(|stored| stored.is_told_as(&family));
            let mut extent = push_rows(&family, key, told, &mut batch, hasher);
            if let Some(merged) = merged {
                family = merged;
                extent = extent_of(&family, key);
            }
            family.metrics.iter_mut().for_each(|m| m.timestamp_ms = None);
            let proto = change.family(options.now_ms, &family);
            drafts.push((family, extent, proto));
        }
        let event: Arc<[u8]> = change.finish().into();
        let hashes: Arc<[u64]> = self.hashes.into();
        let stored = drafts
            .into_iter()
            .zip(ranges(&self.ends))
            .map(|((family, extent, proto), range)| {
                let (proto, hashes) = (Shared::new(&event, proto), Shared::new(&hashes, range));
                Arc::new(Stored::new(&family, key, options.now_ms, proto, hashes, extent))
            });
        next.families.extend(stored);
        if let Some(group) = current.filter(|_| !options.replace) {
            next.keep_from(group);
        }
        next.drop_empty();
        end_series(key, current, &next, &mut batch);
        for family in next.push_times() {
            push_family(&family, key, current.is_none(), &mut batch);
        }
        batch.event = Some(event);
        (next, batch)
    }
}

/// The ranges that end where `ends` say and begin where the one before ends.
fn ranges(ends: &[usize]) -> impl Iterator<Item = Range<usize>> + '_ {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(ends).map(|(start, end)| start..*end)
}

/// Put a family's series into the batch.
fn push_rows(family: &Family, key: &GroupKey, told: bool, batch: &mut Batch, hasher: &RandomState) -> Extent {
    let start = batch.arena().len();
    let series = push_family(family, key, told, batch);
    let shape = hasher.hash_one(batch.arena().get(start..).unwrap_or_default());
    Extent { series, shape }
}

/// The extent of a family whose series are not all in a batch.
pub fn extent_of(family: &Family, key: &GroupKey) -> Extent {
    let mut series = 0;
    series_of(family, key, &mut |_| series += 1);
    Extent { series, shape: 0 }
}

/// The time of a success, not before a failure that was moved on from the same millisecond.
fn success_ms(now_ms: i64, current: Option<&Group>) -> i64 {
    let failed_ms = current.map_or(0, |group| group.failed_ms);
    now_ms.saturating_add(i64::from(failed_ms.checked_sub(now_ms) == Some(1)))
}

/// A stale marker for each series of `current` that `next` no longer has.
fn end_series(key: &GroupKey, current: Option<&Group>, next: &Group, batch: &mut Batch) {
    for (old, new) in Group::join(current, Some(next)) {
        let Some(old) = old else { continue };
        if new.is_some_and(|n| Arc::ptr_eq(n, old) || (n.shape != 0 && n.shape == old.shape)) {
            continue;
        }
        let mut kept: HashSet<Vec<u8>> = HashSet::new();
        if let Some(new) = new {
            series_of(&new.stripped(), key, &mut |packed| {
                kept.insert(packed.to_vec());
            });
        }
        push_stale(&old.stripped(), key, &|packed| kept.contains(packed), batch);
    }
}

/// The pushed metrics over the stored ones; of equal label sets the pushed one counts.
fn merge(old: &Stored, pushed: &Family, pushed_hashes: &[u64]) -> Family {
    let taken: HashSet<u64> = pushed_hashes.iter().copied().collect();
    let mut family = pushed.clone();
    let kept = old.stripped().metrics.into_iter().zip(old.hashes.iter());
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
    // What failed in the millisecond of a success came after it: who compares the two must see that.
    next.failed_ms = now_ms.saturating_add(i64::from(now_ms == next.pushed_ms));
    let mut batch = Batch::new(now_ms);
    batch.held = true;
    for family in next.push_times() {
        push_family(&family, key, current.is_none(), &mut batch);
    }
    batch.event = Some(encode_state(key, &next, false, &[]).into());
    (next, batch)
}

/// The end of a group: a stale marker for all that it held.
pub fn deletion(key: &GroupKey, current: &Group, now_ms: i64) -> Batch {
    let mut batch = Batch::new(now_ms);
    batch.held = true;
    end_series(key, Some(current), &Group::default(), &mut batch);
    for family in current.push_times() {
        series_of(&family, key, &mut |packed| {
            batch.arena().extend_from_slice(packed);
            batch.push_float(crate::batch::BATCH_TIME, f64::from_bits(STALE_NAN_BITS));
        });
    }
    batch.event = Some(Change::deletion(key.clone()).encode().into());
    batch
}
