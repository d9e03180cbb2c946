//! The label sets of many series: grouped, matched, compared and changed without leaving their packed form.

use std::cmp::Ordering;
use std::sync::{Arc, OnceLock, Weak};

use hashbrown::HashTable;

use self::remembered::Remembered;
use super::room::Room;
use crate::bytes::{put_prefixed, Decoder};
use crate::labels::{compare, Labels, METRIC_NAME};
use crate::query::Failed;

mod remembered;

/// Labels that tell what a metric is: they go when a value stops being that metric's.
pub const METADATA: [&str; 3] = [METRIC_NAME, "__type__", "__unit__"];

/// Label sets by the number of their series. Copies are the same memory.
#[derive(Debug, Clone, Default)]
pub struct LabelSets(Arc<Sets>);

#[derive(Debug, Default)]
struct Sets {
    packed: Vec<Arc<[u8]>>,
    groups: Remembered<Grouping, (Numbers, LabelSets)>,
    /// Of others they are kept without keeping those, which may keep these.
    matches: Remembered<(Other, Grouping), (Numbers, Numbers, LabelSets)>,
    kept: Remembered<Grouping, LabelSets>,
    dropped: Remembered<Vec<String>, LabelSets>,
    without_metadata: OnceLock<LabelSets>,
    duplicates: OnceLock<Option<(Numbers, LabelSets)>>,
}

/// A number for each series.
type Numbers = Arc<[u32]>;

#[derive(Debug)]
struct Other(Weak<Sets>);

impl PartialEq for Other {
    fn eq(&self, other: &Self) -> bool {
        self.0.ptr_eq(&other.0)
    }
}

/// Which labels count: the named ones, or all but the named ones and the metric's name. Names are sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    names: Vec<String>,
    without: bool,
}

impl Grouping {
    /// `by (names)` and `on (names)`, or `without (names)` and `ignoring (names)`.
    pub fn new(mut names: Vec<String>, without: bool) -> Self {
        if without {
            names.push(METRIC_NAME.into());
        }
        names.sort_unstable();
        names.dedup();
        Self { names, without }
    }

    /// All labels count but `names`; the metric's name does, unless it is among them.
    pub fn all_but(mut names: Vec<String>) -> Self {
        names.sort_unstable();
        Self { names, without: true }
    }

    /// Append the labels that count to `out`, packed.
    fn keep(&self, labels: Labels<'_>, out: &mut Vec<u8>) {
        let mut names = self.names.iter().peekable();
        for (name, value, raw) in raw_labels(labels) {
            while names.next_if(|wanted| wanted.as_bytes() < name).is_some() {}
            let named = names.peek().is_some_and(|wanted| wanted.as_bytes() == name);
            if named != self.without {
                debug_assert!(!value.is_empty());
                out.extend_from_slice(raw);
            }
        }
    }
}

/// Name, value, and both as they are packed.
fn raw_labels<'a>(labels: Labels<'a>) -> impl Iterator<Item = (&'a [u8], &'a [u8], &'a [u8])> {
    let mut decoder = Decoder::new(labels.packed());
    std::iter::from_fn(move || {
        let before = decoder.rest();
        let name = decoder.prefixed().ok()?;
        let value = decoder.prefixed().ok()?;
        let raw = before.get(..before.len() - decoder.len())?;
        Some((name, value, raw))
    })
}

/// Numbers label sets as they come: equal ones get the same number.
#[derive(Debug, Default)]
struct Numbering {
    sets: Vec<Arc<[u8]>>,
    table: HashTable<(u64, u32)>,
    hasher: ahash::RandomState,
}

impl Numbering {
    fn number(&mut self, packed: &[u8]) -> u32 {
        let hash = self.hasher.hash_one(packed);
        let same = |(h, n): &(u64, u32)| *h == hash && self.sets.get(*n as usize).is_some_and(|set| **set == *packed);
        if let Some((_, number)) = self.table.find(hash, same) {
            return *number;
        }
        let number = self.sets.len() as u32;
        self.sets.push(packed.into());
        self.table.insert_unique(hash, (hash, number), |(h, _)| *h);
        number
    }

    fn number_all(&mut self, sets: &LabelSets, grouping: &Grouping) -> Vec<u32> {
        let mut key = Vec::new();
        let number = |labels| {
            key.clear();
            grouping.keep(labels, &mut key);
            self.number(&key)
        };
        sets.iter().map(number).collect()
    }
}

impl LabelSets {
    /// Sets that are packed already.
    pub fn new(packed: Vec<Arc<[u8]>>) -> Self {
        Self(Arc::new(Sets {
            packed,
            ..Sets::default()
        }))
    }

    /// The other is a copy of this.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// How many series.
    pub fn len(&self) -> usize {
        self.0.packed.len()
    }

    /// True without any series.
    pub fn is_empty(&self) -> bool {
        self.0.packed.is_empty()
    }

    /// Of one series.
    pub fn get(&self, series: usize) -> Option<Labels<'_>> {
        self.0.packed.get(series).map(|packed| Labels::trusted(packed))
    }

    /// Of all, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Labels<'_>> + Clone {
        self.0.packed.iter().map(|packed| Labels::trusted(packed))
    }

    /// The series with these numbers, in their order; numbers beyond the end are left out. A copy when it is all of them.
    pub fn take(&self, rows: &[i64]) -> Self {
        if rows.len() == self.len() && rows.iter().zip(0..).all(|(row, n)| *row == n) {
            return self.clone();
        }
        let taken = rows
            .iter()
            .filter_map(|row| self.0.packed.get(usize::try_from(*row).ok()?));
        Self::new(taken.cloned().collect())
    }

    /// These, then those.
    pub fn concat(&self, other: &Self) -> Self {
        Self::new(self.0.packed.iter().chain(&other.0.packed).cloned().collect())
    }

    /// The group of each series, numbered in the order of appearance, and the labels of each group.
    pub fn group(&self, grouping: &Grouping) -> (Vec<u32>, Self) {
        let (ids, groups) = self.0.groups.get_or(grouping.clone(), |grouping| {
            let mut numbering = Numbering::default();
            let ids = numbering.number_all(self, grouping);
            (ids.into(), Self::new(numbering.sets))
        });
        (ids.to_vec(), groups)
    }

    /// The same numbers for series of both sides that match, and the labels that each number stands for.
    pub fn match_groups(&self, other: &Self, grouping: &Grouping) -> (Vec<u32>, Vec<u32>, Self) {
        let question = (Other(Arc::downgrade(&other.0)), grouping.clone());
        let (left, right, groups) = self.0.matches.get_or(question, |(_, grouping)| {
            let mut numbering = Numbering::default();
            let left = numbering.number_all(self, grouping);
            let right = numbering.number_all(other, grouping);
            (left.into(), right.into(), Self::new(numbering.sets))
        });
        (left.to_vec(), right.to_vec(), groups)
    }

    /// Series with equal labels get the same number, numbered in the order of appearance; None when all differ.
    pub fn duplicates(&self) -> Option<(Vec<u32>, Self)> {
        let find = || {
            if self.is_strictly_ascending() {
                return None;
            }
            let mut numbering = Numbering::default();
            let ids: Vec<u32> = self.0.packed.iter().map(|packed| numbering.number(packed)).collect();
            (numbering.sets.len() < self.len()).then(|| (ids.into(), Self::new(numbering.sets)))
        };
        let found = self.0.duplicates.get_or_init(find).as_ref();
        found.map(|(ids, sets)| (ids.to_vec(), sets.clone()))
    }

    fn is_strictly_ascending(&self) -> bool {
        self.iter()
            .zip(self.iter().skip(1))
            .all(|(a, b)| compare(a, b) == Ordering::Less)
    }

    /// The numbers of the series in the order of their labels, or None when they are in order.
    pub fn order(&self) -> Option<Vec<i64>> {
        if self
            .iter()
            .zip(self.iter().skip(1))
            .all(|(a, b)| compare(a, b) != Ordering::Greater)
        {
            return None;
        }
        let mut order: Vec<(usize, Labels<'_>)> = self.iter().enumerate().collect();
        order.sort_by(|(_, a), (_, b)| compare(*a, *b));
        Some(order.into_iter().map(|(row, _)| row as i64).collect())
    }

    /// The value of a label in each set, "" where there is none.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().map(move |labels| labels.get(name))
    }

    /// Without the labels that tell what a metric is, where `which` says so.
    pub fn without_metadata(&self, which: &[u8]) -> Self {
        let strip = |(packed, strip): (&Arc<[u8]>, &u8)| match strip {
            0 => packed.clone(),
            _ => without(packed, &METADATA),
        };
        let make = || Self::new(self.0.packed.iter().zip(which).map(strip).collect());
        if which.contains(&0) {
            return make();
        }
        self.0.without_metadata.get_or_init(make).clone()
    }

    /// Each set with `name` set to its own value; "" takes the label away, and None leaves the set as it is.
    pub fn with_label<'v>(&self, name: &str, values: impl Iterator<Item = Option<std::borrow::Cow<'v, str>>>) -> Self {
        let set = |(packed, value): (&Arc<[u8]>, Option<std::borrow::Cow<'v, str>>)| match value {
            None => packed.clone(),
            Some(value) => overridden(packed, &[(name, &value)]),
        };
        Self::new(self.0.packed.iter().zip(values).map(set).collect())
    }

    /// Each set reduced to what `grouping` lets count.
    pub fn kept(&self, grouping: &Grouping) -> Self {
        let keep = |labels| {
            let mut out = Vec::new();
            grouping.keep(labels, &mut out);
            out.into()
        };
        let make = |_: &Grouping| Self::new(self.iter().map(keep).collect());
        self.0.kept.get_or(grouping.clone(), make)
    }

    /// Each set without the labels `names`.
    pub fn dropped(&self, names: &[String]) -> Self {
        self.0.dropped.get_or(names.to_vec(), |names| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            Self::new(self.0.packed.iter().map(|packed| without(packed, &names)).collect())
        })
    }

    /// The values that a label has in any set, "" where one has none, in the order of appearance.
    pub fn distinct(&self, name: &str) -> Vec<&str> {
        let mut distinct: Vec<&str> = Vec::new();
        let mut seen = hashbrown::HashSet::new();
        for labels in self.iter() {
            let value = labels.iter().find(|(n, _)| *n == name).map_or("", |(_, v)| v);
            if distinct.last() != Some(&value) && seen.insert(value) {
                distinct.push(value);
            }
        }
        distinct
    }

    /// Each set with the labels `names` as `other` has them: a `group_left`'s. The two are of one length.
    pub fn including(&self, other: &Self, names: &[String], room: &mut Room) -> Result<Self, Failed> {
        let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        let include = |(packed, from): (&Arc<[u8]>, Labels<'_>)| {
            let changes: Vec<(&str, &str)> = names.iter().map(|name| (*name, from.get(name))).collect();
            let long: usize = changes.iter().map(|(name, value)| name.len() + value.len()).sum();
            room.take(packed.len() + long)?;
            Ok(overridden(packed, &changes))
        };
        let sets: Result<_, Failed> = self.0.packed.iter().zip(other.iter()).map(include).collect();
        Ok(Self::new(sets?))
    }
}

/// A label set without some labels; the same memory when it has none of them.
fn without(packed: &Arc<[u8]>, names: &[&str]) -> Arc<[u8]> {
    let labels = Labels::trusted(packed);
    let goes = |name: &[u8]| names.iter().any(|gone| gone.as_bytes() == name);
    if !raw_labels(labels).any(|(name, ..)| goes(name)) {
        return packed.clone();
    }
    let kept = raw_labels(labels).filter(|(name, ..)| !goes(name));
    kept.flat_map(|(.., raw)| raw.iter().copied()).collect()
}

/// A label set with other values of some labels, whose names are sorted; "" takes a label away.
fn overridden(packed: &[u8], changes: &[(&str, &str)]) -> Arc<[u8]> {
    let mut out = Vec::with_capacity(packed.len() + 32);
    let mut put = |name: &str, value: &str| {
        if !value.is_empty() {
            put_prefixed(&mut out, name.as_bytes());
            put_prefixed(&mut out, value.as_bytes());
        }
    };
    let mut changes = changes.iter().peekable();
    for (name, value) in Labels::trusted(packed).iter() {
        while let Some((new, value)) = changes.next_if(|(new, _)| *new < name) {
            put(new, value);
        }
        match changes.next_if(|(new, _)| *new == name) {
            Some((_, value)) => put(name, value),
            None => put(name, value),
        }
    }
    for (new, value) in changes {
        put(new, value);
    }
    out.into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests;
