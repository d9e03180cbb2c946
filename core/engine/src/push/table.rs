//! The table of groups: staged, committed, recovered.

use std::sync::Arc;

use ahash::RandomState;
use hashbrown::{HashMap, HashSet};

use crate::batch::Batch;
use crate::family::{Family, Kind, Text};
use crate::wire::protobuf;

use super::change::{encode_state, Change, ChangeError};
use super::check::Scope;
use super::group::{Group, GroupKey, Stored};
use super::index::{GroupId, Index};
use super::refusal::Refusal;
use super::render::Snapshot;
use super::shared::Shared;
use super::stage::{check_timestamps, deletion, extent_of, failure, sanitize, Prepared, PushOptions};

/// A staged change of one group, waiting for its batch to be durable.
#[derive(Debug)]
pub struct Ticket {
    group: GroupId,
    previous: Option<Arc<Group>>,
    next: Option<Arc<Group>>,
}

#[derive(Debug)]
struct Slot {
    key: Arc<GroupKey>,
    /// What the next push meets.
    staged: Option<Arc<Group>>,
    /// What readers see.
    committed: Option<Arc<Group>>,
    /// Tickets that are neither committed nor taken back; the slot stays while there are any.
    tickets: u32,
}

/// All groups.
///
/// Invariant: [`Index`] holds the claims of every slot's `staged` state; `series` is their sum; a slot without ticket has
/// `staged` and `committed` equal, and is removed when both are `None`.
#[derive(Debug)]
pub struct Table {
    slots: Vec<Option<Slot>>,
    free: Vec<GroupId>,
    by_key: HashMap<Arc<GroupKey>, GroupId, RandomState>,
    index: Index,
    shapes: RandomState,
    reserved: HashMap<Text, Kind, RandomState>,
    series: usize,
    max_groups: usize,
    max_series: usize,
    /// Groups whose committed state the projection has not seen.
    dirty: HashSet<Arc<GroupKey>, RandomState>,
    /// Changes found in the log at start, newest last, not yet applied.
    recovering: HashMap<GroupKey, Vec<Vec<u8>>, RandomState>,
}

/// Changes of one group kept undecoded while the log is read.
const RECOVERY_CHAIN: usize = 32;

impl Table {
    /// An empty table; 0 for a limit means none.
    pub fn new(max_groups: usize, max_series: usize) -> Self {
        let state = RandomState::new;
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            by_key: HashMap::with_hasher(state()),
            index: Index::new(),
            shapes: state(),
            reserved: HashMap::with_hasher(state()),
            series: 0,
            max_groups,
            max_series,
            dirty: HashSet::with_hasher(state()),
            recovering: HashMap::with_hasher(state()),
        }
    }

    /// Change the limits; groups that are there stay.
    pub fn set_limits(&mut self, max_groups: usize, max_series: usize) {
        self.max_groups = max_groups;
        self.max_series = max_series;
    }

    /// Names of the bridge's own metrics: a push may add to them only with the same type.
    pub fn reserve(&mut self, names: impl IntoIterator<Item = (Text, Kind)>) {
        self.reserved.extend(names);
    }

    /// Groups that exist or are about to.
    pub fn groups(&self) -> usize {
        self.by_key.len()
    }

    /// Series of all groups, staged ones included.
    pub fn series(&self) -> usize {
        self.series
    }

    /// Stage a push. On a refusal nothing has changed.
    pub fn stage(
        &mut self,
        key: &GroupKey,
        mut families: Vec<Family>,
        options: &PushOptions,
    ) -> Result<(Ticket, Batch), Refusal> {
        check_timestamps(&families, options.timestamps)?;
        sanitize(&mut families, key);
        let group = self.by_key.get(key).copied();
        if group.is_none() && self.max_groups > 0 && self.by_key.len() >= self.max_groups {
            return Err(Refusal::Groups(self.max_groups));
        }
        let current = group.and_then(|g| self.staged(g));
        let current = current.as_deref();
        let merge_series = options.merge_series && !options.replace;
        let prepared = Prepared::new(families, key, current, merge_series, &self.index);
        prepared.check(&Scope {
            index: &self.index,
            reserved: &self.reserved,
            group: group.unwrap_or(GroupId::MAX),
            key,
            current,
            after: &if prepared.claims_nothing_new() {
                HashMap::new()
            } else {
                prepared.kinds_after(current, options.replace)
            },
            family_of: &|other, name| self.staged(other).and_then(|g| g.family(name).cloned()),
        })?;
        let (next, batch) = prepared.build(&self.shared_key(key), current, options, &self.shapes);
        let after = self.series - current.map_or(0, Group::series) + next.series();
        if self.max_series > 0 && after > self.max_series {
            return Err(Refusal::Series(self.max_series));
        }
        Ok((self.install(key, Some(Arc::new(next))), batch))
    }

    /// Stage the memory of a refused push. `None` when the group is new and there is no room for it.
    pub fn stage_failure(&mut self, key: &GroupKey, now_ms: i64, ttl_ms: i64) -> Option<(Ticket, Batch)> {
        let current = self.by_key.get(key).and_then(|g| self.staged(*g));
        if current.is_none() && self.max_groups > 0 && self.by_key.len() >= self.max_groups {
            return None;
        }
        let (next, batch) = failure(key, current.as_deref(), now_ms, ttl_ms);
        Some((self.install(key, Some(Arc::new(next))), batch))
    }

    /// Stage the end of a group; `None` when there is no such group.
    pub fn stage_delete(&mut self, key: &GroupKey, now_ms: i64) -> Option<(Ticket, Batch)> {
        let current = self.by_key.get(key).and_then(|g| self.staged(*g))?;
        let batch = deletion(key, &current, now_ms);
        Some((self.install(key, None), batch))
    }

    /// Show a staged change to readers. Tickets are committed in the order in which they were staged.
    pub fn commit(&mut self, ticket: Ticket) {
        if let Some(slot) = self.slot_mut(ticket.group) {
            slot.tickets -= 1;
            slot.committed = ticket.next;
            let key = Arc::clone(&slot.key);
            self.dirty.insert(key);
        }
        self.sweep(ticket.group);
    }

    /// Take a staged change back. Tickets are taken back newest first.
    pub fn rollback(&mut self, ticket: Ticket) {
        if let Some(slot) = self.slot_mut(ticket.group) {
            slot.tickets -= 1;
        }
        self.set_staged(ticket.group, ticket.previous);
        self.sweep(ticket.group);
    }

    /// Keys of the groups whose time to live is over.
    pub fn expired(&self, now_ms: i64) -> Vec<Arc<GroupKey>> {
        self.slots
            .iter()
            .flatten()
            .filter(|s| {
                s.staged
                    .as_ref()
                    .and_then(|g| g.deadline_ms())
                    .is_some_and(|d| d <= now_ms)
            })
            .map(|s| Arc::clone(&s.key))
            .collect()
    }

    /// All groups as readers see them, cheap to take.
    pub fn snapshot(&self) -> Snapshot {
        let groups = self.slots.iter().flatten();
        Snapshot::new(
            groups
                .filter_map(|s| Some((Arc::clone(&s.key), Arc::clone(s.committed.as_ref()?))))
                .collect(),
        )
    }

    /// The changed groups since the last call, each with its state as an encoded change that replaces all; `None` for a deleted one.
    pub fn take_dirty(&mut self) -> Vec<(Arc<GroupKey>, Option<Vec<u8>>)> {
        let keys: Vec<_> = self.dirty.drain().collect();
        keys.into_iter()
            .map(|key| {
                let state = self.by_key.get(&*key).and_then(|g| self.slot(*g)?.committed.clone());
                let change = state.map(|group| encode_state(&key, &group, true, &group.families));
                (key, change)
            })
            .collect()
    }

    /// Put a change found in the projection or in the log into the queue of recovery.
    pub fn recover(&mut self, bytes: &[u8]) -> Result<(), ChangeError> {
        let change = Change::decode(bytes)?;
        let settles = change.deleted || change.replaced;
        let chain = self.recovering.entry(change.key).or_default();
        if settles {
            chain.clear();
        }
        chain.push(bytes.to_vec());
        if chain.len() >= RECOVERY_CHAIN {
            let chain = std::mem::take(chain);
            self.apply_chain(&chain)?;
        }
        Ok(())
    }

    /// Apply what recovery has queued. Returns how many groups there are.
    pub fn finish_recovery(&mut self) -> Result<usize, ChangeError> {
        for (_, chain) in std::mem::take(&mut self.recovering) {
            self.apply_chain(&chain)?;
        }
        Ok(self.by_key.len())
    }

    fn apply_chain(&mut self, chain: &[Vec<u8>]) -> Result<(), ChangeError> {
        for bytes in chain {
            let change = Change::decode(bytes)?;
            let next = if change.deleted {
                None
            } else {
                Some(Arc::new(self.resolve(&change)?))
            };
            if next.is_some() || self.by_key.contains_key(&change.key) {
                let ticket = self.install(&change.key, next);
                self.commit(ticket);
            }
        }
        Ok(())
    }

    fn resolve(&self, change: &Change) -> Result<Group, ChangeError> {
        let current = self.by_key.get(&change.key).and_then(|g| self.staged(*g));
        let mut group = Group {
            families: current
                .filter(|_| !change.replaced)
                .map_or_else(Vec::new, |g| g.families.clone()),
            pushed_ms: change.pushed_ms,
            failed_ms: change.failed_ms,
            ttl_ms: change.ttl_ms,
        };
        let key = self.shared_key(&change.key);
        for (stamp_ms, proto) in &change.families {
            let family = protobuf::decode_family(proto).map_err(|e| ChangeError::Family(e.to_string()))?;
            let hashes = family
                .metrics
                .iter()
                .map(|m| self.index.hash_metric(&family.name, key.with(&m.labels)));
            let (proto, hashes) = (Shared::from(proto.clone()), Shared::from(hashes.collect::<Vec<_>>()));
            let extent = extent_of(&family, &key);
            group.set(Arc::new(Stored::new(&family, &key, *stamp_ms, proto, hashes, extent)));
        }
        group.drop_empty();
        Ok(group)
    }

    /// The key that the families of a group share.
    fn shared_key(&self, key: &GroupKey) -> Arc<GroupKey> {
        match self.by_key.get_key_value(key) {
            Some((shared, _)) => Arc::clone(shared),
            None => Arc::new(key.clone()),
        }
    }

    fn install(&mut self, key: &GroupKey, next: Option<Arc<Group>>) -> Ticket {
        let group = self.by_key.get(key).copied().unwrap_or_else(|| self.add_slot(key));
        let previous = self.staged(group);
        if let Some(slot) = self.slot_mut(group) {
            slot.tickets += 1;
        }
        self.set_staged(group, next.clone());
        Ticket { group, previous, next }
    }

    fn add_slot(&mut self, key: &GroupKey) -> GroupId {
        let key = Arc::new(key.clone());
        let slot = Slot {
            key: Arc::clone(&key),
            staged: None,
            committed: None,
            tickets: 0,
        };
        let group = self.free.pop().unwrap_or(self.slots.len() as GroupId);
        match self.slots.get_mut(group as usize) {
            Some(place) => *place = Some(slot),
            None => self.slots.push(Some(slot)),
        }
        self.by_key.insert(key, group);
        group
    }

    fn set_staged(&mut self, group: GroupId, next: Option<Arc<Group>>) {
        let previous = self.staged(group);
        self.index.swap(group, previous.as_deref(), next.as_deref());
        self.series = self.series - previous.map_or(0, |g| g.series()) + next.as_ref().map_or(0, |g| g.series());
        if let Some(slot) = self.slot_mut(group) {
            slot.staged = next;
        }
    }

    /// Remove a slot that holds nothing and that no ticket points to.
    fn sweep(&mut self, group: GroupId) {
        let empty = self
            .slot(group)
            .is_some_and(|s| s.tickets == 0 && s.staged.is_none() && s.committed.is_none());
        if empty {
            if let Some(slot) = self.slots.get_mut(group as usize).and_then(Option::take) {
                self.by_key.remove(&*slot.key);
                self.free.push(group);
            }
        }
    }

    fn slot(&self, group: GroupId) -> Option<&Slot> {
        self.slots.get(group as usize)?.as_ref()
    }

    fn slot_mut(&mut self, group: GroupId) -> Option<&mut Slot> {
        self.slots.get_mut(group as usize)?.as_mut()
    }

    fn staged(&self, group: GroupId) -> Option<Arc<Group>> {
        self.slot(group)?.staged.clone()
    }
}
