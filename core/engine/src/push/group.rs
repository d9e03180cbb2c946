//! Grouping keys and the state of a group.

use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

use crate::exposition;
use crate::family::{Family, Kind, Label, Metric, Text, Value};
use crate::labels::{is_legacy_label_name, is_legacy_metric_name};
use crate::wire::protobuf;

use super::{PUSH_FAILURE_TIME, PUSH_FAILURE_TIME_HELP, PUSH_TIME, PUSH_TIME_HELP};

/// The labels of a push URL: sorted by name, each name once, `job` among them. Unlike in a series' label set an empty value counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupKey(Box<[Label]>);

impl GroupKey {
    /// A key from pairs in any order; of a name given twice the last one counts.
    pub fn new(pairs: impl IntoIterator<Item = (Text, Text)>) -> Self {
        let mut labels: Vec<Label> = Vec::new();
        for (name, value) in pairs {
            match labels.iter_mut().find(|l| l.name == name) {
                Some(label) => label.value = value,
                None => labels.push(Label { name, value }),
            }
        }
        labels.sort_unstable();
        Self(labels.into_boxed_slice())
    }

    /// The labels in name order.
    pub fn labels(&self) -> &[Label] {
        &self.0
    }

    /// The value of a label, or "".
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|l| l.name == name).map_or("", |l| l.value.as_str())
    }

    /// Give every metric the key's labels: they win over labels of the same name, `instance` is there even if empty.
    /// Leaves the labels sorted by name.
    pub fn force_on(&self, metric: &mut Metric) {
        metric.labels.retain(|l| self.0.iter().all(|k| k.name != l.name));
        metric.labels.extend(self.0.iter().cloned());
        if metric.labels.iter().all(|l| l.name != "instance") {
            metric.labels.push(Label {
                name: Text::const_new("instance"),
                value: Text::const_new(""),
            });
        }
        metric.labels.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    }
}

/// What a group holds of one name.
#[derive(Debug)]
pub struct Stored {
    /// Family name.
    pub name: Text,
    /// HELP, if any was pushed.
    pub help: Option<Text>,
    /// Type.
    pub kind: Kind,
    /// When it was pushed, ms.
    pub stamp_ms: i64,
    /// The family with the group's labels on each metric, without timestamps, as a protobuf message: a third of the size of the model.
    pub proto: Box<[u8]>,
    /// Hash of each metric's name and labels, in order; what the index of owners is keyed by.
    pub hashes: Box<[u64]>,
    /// Series that it makes in the store.
    pub series: u32,
    /// Hash of all its series' label sets in order: equal shapes mean that no series ends. 0 = not known.
    pub shape: u64,
    /// All names are legacy ones, so no escaping scheme changes the text.
    pub legacy: bool,
    /// Lines of the text format, rendered when first asked for.
    text: OnceLock<Box<str>>,
}

impl Stored {
    /// Keep a family whose metrics already carry the group's labels.
    pub fn new(family: &Family, stamp_ms: i64, hashes: Box<[u64]>, series: u32, shape: u64) -> Self {
        let mut proto = Vec::with_capacity(64 + family.metrics.len() * 64);
        protobuf::encode_family(family, &mut proto);
        Self {
            name: family.name.clone(),
            help: family.help.clone(),
            kind: family.kind,
            stamp_ms,
            proto: proto.into_boxed_slice(),
            hashes,
            series,
            shape,
            legacy: is_legacy(family),
            text: OnceLock::new(),
        }
    }

    /// The family as a model again. The bytes are this process' own or checked when they were read, so an unreadable
    /// message can only be an empty family.
    pub fn family(&self) -> Family {
        protobuf::decode_family(&self.proto).unwrap_or_else(|_| Family {
            name: self.name.clone(),
            help: self.help.clone(),
            kind: self.kind,
            unit: Text::default(),
            metrics: Vec::new(),
        })
    }

    /// Its lines in the text format with names as they are, without HELP and TYPE; rendered once.
    pub fn text(&self) -> &str {
        self.text.get_or_init(|| {
            let mut out = String::new();
            exposition::text::family_lines(&self.family(), exposition::Escaping::AllowUtf8, &mut out);
            out.into_boxed_str()
        })
    }
}

fn is_legacy(family: &Family) -> bool {
    let mut labels = family.metrics.iter().flat_map(|m| &m.labels);
    is_legacy_metric_name(&family.name) && labels.all(|l| is_legacy_label_name(&l.name))
}

/// What two states of a group hold of one name; at least one of them holds something.
pub type Joined<'a> = (Option<&'a Arc<Stored>>, Option<&'a Arc<Stored>>);

/// The state of one group; immutable once made.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// Sorted by name, each name once.
    pub families: Vec<Arc<Stored>>,
    /// Last successful push, ms; 0 = none yet.
    pub pushed_ms: i64,
    /// Last refused push, ms; 0 = none yet.
    pub failed_ms: i64,
    /// Ends this long after `pushed_ms`; 0 = never.
    pub ttl_ms: i64,
}

impl Group {
    /// When the group ends, ms.
    pub fn deadline_ms(&self) -> Option<i64> {
        (self.ttl_ms > 0).then(|| self.pushed_ms.max(self.failed_ms).saturating_add(self.ttl_ms))
    }

    /// The stored family of that name.
    pub fn family(&self, name: &str) -> Option<&Arc<Stored>> {
        self.families
            .binary_search_by(|f| f.name.as_str().cmp(name))
            .ok()
            .and_then(|i| self.families.get(i))
    }

    /// The families of two states side by side, name by name, in order.
    pub fn join<'a>(old: Option<&'a Self>, new: Option<&'a Self>) -> impl Iterator<Item = Joined<'a>> {
        let families = |group: Option<&'a Self>| group.map_or(&[][..], |g| &g.families).iter().peekable();
        let (mut old, mut new) = (families(old), families(new));
        std::iter::from_fn(move || {
            let order = match (old.peek(), new.peek()) {
                (Some(o), Some(n)) => o.name.cmp(&n.name),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return None,
            };
            Some((old.next_if(|_| order.is_le()), new.next_if(|_| order.is_ge())))
        })
    }

    /// Put a family in its place, instead of one with the same name.
    pub fn set(&mut self, stored: Arc<Stored>) {
        match self.families.binary_search_by(|f| f.name.cmp(&stored.name)) {
            Ok(i) => {
                if let Some(place) = self.families.get_mut(i) {
                    *place = stored;
                }
            }
            Err(i) => self.families.insert(i, stored),
        }
    }

    /// A family without metrics is none: it has ended the one of its name that was there before, and claims nothing.
    pub fn drop_empty(&mut self) {
        self.families.retain(|family| !family.hashes.is_empty());
    }

    /// Series in the store, the two push times among them.
    pub fn series(&self) -> usize {
        2 + self.families.iter().map(|f| f.series as usize).sum::<usize>()
    }

    /// The two families that every group has.
    pub fn push_times(&self, key: &GroupKey) -> [Family; 2] {
        [
            time_family(PUSH_FAILURE_TIME, PUSH_FAILURE_TIME_HELP, self.failed_ms, key),
            time_family(PUSH_TIME, PUSH_TIME_HELP, self.pushed_ms, key),
        ]
    }
}

fn time_family(name: &'static str, help: &'static str, ms: i64, key: &GroupKey) -> Family {
    let mut metric = Metric {
        labels: Vec::with_capacity(key.labels().len() + 1),
        value: Value::Gauge(ms as f64 / 1000.0),
        timestamp_ms: None,
        created_ms: None,
    };
    key.force_on(&mut metric);
    Family {
        name: Text::const_new(name),
        help: Some(Text::const_new(help)),
        kind: Kind::Gauge,
        unit: Text::default(),
        metrics: vec![metric],
    }
}
