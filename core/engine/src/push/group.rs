//! Grouping keys and the state of a group.

use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

use crate::exposition;
use crate::family::{Family, Kind, Label, Metric, Text, Value};
use crate::labels::{is_legacy_label_name, is_legacy_metric_name};
use crate::wire::protobuf;

use super::shared::Shared;
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

    /// Leave a metric its own labels only, sorted: the key's win over labels of the same name.
    pub fn strip(&self, metric: &mut Metric) {
        metric.labels.retain(|l| self.0.iter().all(|k| k.name != l.name));
        metric.labels.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    }

    /// A stripped metric's labels and the key's, in name order: those of its series.
    pub fn with<'a>(&'a self, own: &'a [Label]) -> impl Iterator<Item = &'a Label> {
        let (mut own, mut key) = (own.iter().peekable(), self.0.iter().peekable());
        std::iter::from_fn(move || match (own.peek(), key.peek()) {
            (Some(o), Some(k)) if o.name < k.name => own.next(),
            (Some(_), None) => own.next(),
            _ => key.next(),
        })
    }

    /// Give a stripped metric the labels that it is shown with: the key's, and `instance` even if empty; sorted by name.
    pub fn force_on(&self, metric: &mut Metric) {
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
    /// The group's key, whose labels each metric has besides its own.
    pub key: Arc<GroupKey>,
    /// Family name.
    pub name: Text,
    /// HELP, if any was pushed.
    pub help: Option<Text>,
    /// OpenMetrics unit, else empty.
    pub unit: Text,
    /// Type.
    pub kind: Kind,
    /// When it was pushed, ms.
    pub stamp_ms: i64,
    /// The family, its metrics stripped and without timestamps, as a protobuf message: a fraction of the model's size.
    pub proto: Shared<u8>,
    /// Hash of each metric's name and labels, in order; what the index of owners is keyed by.
    pub hashes: Shared<u64>,
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
    /// Keep a family of stripped metrics, of which `proto` is the encoding.
    pub fn new(
        family: &Family,
        key: &Arc<GroupKey>,
        stamp_ms: i64,
        proto: Shared<u8>,
        hashes: Shared<u64>,
        extent: Extent,
    ) -> Self {
        Self {
            key: Arc::clone(key),
            name: family.name.clone(),
            help: family.help.clone(),
            unit: family.unit.clone(),
            kind: family.kind,
            stamp_ms,
            proto,
            hashes,
            series: extent.series,
            shape: extent.shape,
            legacy: is_legacy(family, key),
            text: OnceLock::new(),
        }
    }

    /// True when the family is said to be what it was.
    pub fn is_told_as(&self, family: &Family) -> bool {
        self.kind == family.kind && self.help == family.help && self.unit == family.unit
    }

    /// The family as a model again, its metrics stripped. The bytes are this process' own or checked when they were read,
    /// so an unreadable message can only be an empty family.
    pub fn stripped(&self) -> Family {
        protobuf::decode_family(&self.proto).unwrap_or_else(|_| Family {
            name: self.name.clone(),
            help: self.help.clone(),
            kind: self.kind,
            unit: Text::default(),
            metrics: Vec::new(),
        })
    }

    /// The family as it is shown: every metric with the group's labels.
    pub fn family(&self) -> Family {
        let mut family = self.stripped();
        family.metrics.iter_mut().for_each(|m| self.key.force_on(m));
        family
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

/// The series of a family in the store.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// How many there are.
    pub series: u32,
    /// See [`Stored::shape`].
    pub shape: u64,
}

fn is_legacy(family: &Family, key: &GroupKey) -> bool {
    let own = family.metrics.iter().flat_map(|m| &m.labels);
    is_legacy_metric_name(&family.name) && own.chain(key.labels()).all(|l| is_legacy_label_name(&l.name))
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

    /// Take over from `old` what this state holds nothing of.
    pub fn keep_from(&mut self, old: &Self) {
        let joined = Self::join(Some(old), Some(self));
        let kept: Vec<_> = joined
            .filter_map(|(old, new)| new.is_none().then_some(old?.clone()))
            .collect();
        self.families.extend(kept);
        self.families.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    }

    /// A family without metrics is none: it has ended the one of its name that was there before, and claims nothing.
    pub fn drop_empty(&mut self) {
        self.families.retain(|family| !family.hashes.is_empty());
    }

    /// Series in the store, the two push times among them.
    pub fn series(&self) -> usize {
        2 + self.families.iter().map(|f| f.series as usize).sum::<usize>()
    }

    /// The two families that every group has, stripped.
    pub fn push_times(&self) -> [Family; 2] {
        [
            time_family(PUSH_FAILURE_TIME, PUSH_FAILURE_TIME_HELP, self.failed_ms),
            time_family(PUSH_TIME, PUSH_TIME_HELP, self.pushed_ms),
        ]
    }

    /// The same as they are shown.
    pub fn shown_push_times(&self, key: &GroupKey) -> [Family; 2] {
        self.push_times().map(|mut family| {
            family.metrics.iter_mut().for_each(|m| key.force_on(m));
            family
        })
    }
}

fn time_family(name: &'static str, help: &'static str, ms: i64) -> Family {
    let metric = Metric {
        labels: Vec::new(),
        value: Value::Gauge(ms as f64 / 1000.0),
        timestamp_ms: None,
        created_ms: None,
    };
    Family {
        name: Text::const_new(name),
        help: Some(Text::const_new(help)),
        kind: Kind::Gauge,
        unit: Text::default(),
        metrics: vec![metric],
    }
}
