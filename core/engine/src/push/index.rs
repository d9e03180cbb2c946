//! The index that makes the consistency check cheap: name -> type, metric -> owning group.

use std::hash::BuildHasher;
use std::sync::Arc;

use ahash::RandomState;
use hashbrown::{HashMap, HashTable};

use crate::family::{Kind, Label, Text};

use super::group::{Group, Stored};

/// A group's number in the table.
pub type GroupId = u32;

#[derive(Debug)]
struct Name {
    kind: Kind,
    groups: u32,
}

#[derive(Debug, Clone, Copy)]
struct Owner {
    hash: u64,
    group: GroupId,
}

/// Claims of all groups, staged ones included.
///
/// Invariant: for every family of every group's newest (staged or committed) state there is one claim on its name and one owner
/// entry for each of its metrics, and nothing else.
#[derive(Debug)]
pub struct Index {
    hasher: RandomState,
    names: HashMap<Text, Name, RandomState>,
    owners: HashTable<Owner>,
}

impl Index {
    /// An empty index; its hash keys are random, since strangers choose the labels.
    pub fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            names: HashMap::with_hasher(RandomState::new()),
            owners: HashTable::new(),
        }
    }

    /// The identity of a metric: its name and its labels in name order; empty values do not count.
    pub fn hash_metric<'l>(&self, name: &str, labels: impl Iterator<Item = &'l Label>) -> u64 {
        use std::hash::Hasher;
        let mut hasher = self.hasher.build_hasher();
        hasher.write(name.as_bytes());
        for label in labels.filter(|l| !l.value.is_empty()) {
            hasher.write_u8(0xff);
            hasher.write(label.name.as_bytes());
            hasher.write_u8(0xfe);
            hasher.write(label.value.as_bytes());
        }
        hasher.finish()
    }

    /// The type of `name` in groups other than one that claims it itself (`own` says whether it does).
    pub fn kind_elsewhere(&self, name: &str, own: bool) -> Option<Kind> {
        let entry = self.names.get(name)?;
        (entry.groups > u32::from(own)).then_some(entry.kind)
    }

    /// Groups other than `group` that own a metric with this hash.
    pub fn other_owners(&self, hash: u64, group: GroupId) -> impl Iterator<Item = GroupId> + '_ {
        self.owners
            .iter_hash(hash)
            .filter(move |o| o.hash == hash && o.group != group)
            .map(|o| o.group)
    }

    /// Move the claims of `group` from its `old` state to its `new` one.
    pub fn swap(&mut self, group: GroupId, old: Option<&Group>, new: Option<&Group>) {
        for (old, new) in Group::join(old, new) {
            if let (Some(old), Some(new)) = (old, new) {
                if Arc::ptr_eq(old, new) || same_claims(old, new) {
                    continue;
                }
            }
            if let Some(stored) = old {
                self.release(group, stored);
            }
            if let Some(stored) = new {
                self.claim(group, stored);
            }
        }
    }

    fn claim(&mut self, group: GroupId, stored: &Stored) {
        self.names
            .entry(stored.name.clone())
            .and_modify(|n| n.groups += 1)
            .or_insert(Name {
                kind: stored.kind,
                groups: 1,
            })
            .kind = stored.kind;
        for &hash in stored.hashes.iter() {
            self.owners.insert_unique(hash, Owner { hash, group }, |o| o.hash);
        }
    }

    fn release(&mut self, group: GroupId, stored: &Stored) {
        if let Some(name) = self.names.get_mut(&stored.name) {
            name.groups -= 1;
            if name.groups == 0 {
                self.names.remove(&stored.name);
            }
        }
        for &hash in stored.hashes.iter() {
            if let Ok(entry) = self.owners.find_entry(hash, |o| o.hash == hash && o.group == group) {
                entry.remove();
            }
        }
    }
}

fn same_claims(a: &Stored, b: &Stored) -> bool {
    a.kind == b.kind && *a.hashes == *b.hashes
}
