//! Pushgateway's consistency rules (client_golang's `Gatherers`), asked of the pushed series only.

use std::fmt::Write;
use std::ops::RangeInclusive;

use hashbrown::HashMap;

use crate::family::{Family, Kind, Label, Metric, Text, Value};
use crate::float::push_go;
use crate::labels::quote;

use super::group::{Group, GroupKey, Stored};
use super::index::{GroupId, Index};
use super::refusal::Errors;

/// What the check may look at.
pub struct Scope<'a> {
    /// Claims of all groups.
    pub index: &'a Index,
    /// Names of the bridge's own metrics.
    pub reserved: &'a HashMap<Text, Kind, ahash::RandomState>,
    /// The pushed group.
    pub group: GroupId,
    /// Its key.
    pub key: &'a GroupKey,
    /// Its newest state, if it exists.
    pub current: Option<&'a Group>,
    /// Types in the group as it would be after the push.
    pub after: &'a HashMap<&'a str, Kind>,
    /// Reads the families of another group, to tell a real duplicate from equal hashes.
    pub family_of: &'a dyn Fn(GroupId, &str) -> Option<std::sync::Arc<Stored>>,
}

impl Scope<'_> {
    /// The type of a name anywhere but in the group itself, the bridge's own metrics first.
    fn kind_elsewhere(&self, name: &str) -> Option<Kind> {
        let own = self.current.is_some_and(|g| g.family(name).is_some());
        self.reserved
            .get(name)
            .copied()
            .or_else(|| self.index.kind_elsewhere(name, own))
    }

    fn kind_after(&self, name: &str) -> Option<Kind> {
        self.after.get(name).copied().or_else(|| self.kind_elsewhere(name))
    }

    /// Every rule between families, for one whose metrics are stripped; `hashes` are theirs, in order.
    pub fn check(&self, family: &Family, hashes: &[u64], errors: &mut Errors) {
        if family.metrics.is_empty() {
            return;
        }
        if let Some(reserved) = self.reserved.get(&family.name).filter(|k| **k != family.kind) {
            errors.add(|| {
                format!(
                    "gathered metric family {} has type {} but should have {}",
                    family.name,
                    family.kind.upper(),
                    reserved.upper()
                )
            });
            return;
        }
        let elsewhere = self.kind_elsewhere(&family.name).filter(|k| *k != family.kind);
        if let Some(kind) = elsewhere {
            if let Some(metric) = family.metrics.first() {
                errors.add(|| format!("{} is not a {}", describe(&family.name, metric, self.key), kind.upper()));
                return;
            }
        }
        if let Some(collision) = self.suffix_collision(family) {
            errors.add(|| collision);
            return;
        }
        self.check_unique(family, hashes, errors);
    }

    /// A histogram or summary `x` makes the series `x_count`, `x_sum` and `x_bucket`: no other family may be named so.
    fn suffix_collision(&self, family: &Family) -> Option<String> {
        let name = family.name.as_str();
        for suffix in ["_count", "_sum", "_bucket"] {
            let Some(base) = name.strip_suffix(suffix) else {
                continue;
            };
            let kind = match self.kind_after(base) {
                Some(Kind::Histogram | Kind::GaugeHistogram) => "histogram",
                Some(Kind::Summary) if suffix != "_bucket" => "summary",
                _ => continue,
            };
            return Some(format!(
                "collected metric named {name:?} collides with previously collected {kind} named {base:?}"
            ));
        }
        let (what, suffixes): (&str, &[&str]) = match family.kind {
            Kind::Summary => ("histogram or summary", &["_count", "_sum"]),
            Kind::Histogram | Kind::GaugeHistogram => ("histogram or summary", &["_count", "_sum", "_bucket"]),
            _ => return None,
        };
        let taken = suffixes
            .iter()
            .map(|s| format!("{name}{s}"))
            .find(|n| self.kind_after(n).is_some())?;
        let what = if taken.ends_with("_bucket") { "histogram" } else { what };
        Some(format!(
            "collected {what} named {name:?} collides with previously collected metric named {taken:?}"
        ))
    }

    fn check_unique(&self, family: &Family, hashes: &[u64], errors: &mut Errors) {
        let mut seen = Seen::new(hashes.len());
        for (metric, &hash) in family.metrics.iter().zip(hashes) {
            let twice = seen
                .insert(hash, metric)
                .is_some_and(|m| same_labels(m.labels.iter(), metric.labels.iter()));
            if twice || self.owned_elsewhere(family, metric, hash) {
                errors.add(|| {
                    let metric = describe(&family.name, metric, self.key);
                    format!("{metric} was collected before with the same name and label values")
                });
            }
        }
    }

    fn owned_elsewhere(&self, family: &Family, metric: &Metric, hash: u64) -> bool {
        self.index.other_owners(hash, self.group).any(|other| {
            (self.family_of)(other, &family.name).is_some_and(|stored| {
                let mine = || self.key.with(&metric.labels);
                let theirs = stored.stripped().metrics;
                theirs.iter().any(|m| same_labels(stored.key.with(&m.labels), mine()))
            })
        })
    }
}

/// The metrics of one family met so far, by hash. Most families have a few: for these a look at each is cheaper than a table.
enum Seen<'a> {
    Few(Vec<(u64, &'a Metric)>),
    Many(HashMap<u64, &'a Metric, ahash::RandomState>),
}

impl<'a> Seen<'a> {
    fn new(metrics: usize) -> Self {
        if metrics <= 16 {
            Self::Few(Vec::with_capacity(metrics))
        } else {
            Self::Many(HashMap::with_capacity_and_hasher(metrics, ahash::RandomState::new()))
        }
    }

    /// Remember a metric; the one with the same hash, if there was one.
    fn insert(&mut self, hash: u64, metric: &'a Metric) -> Option<&'a Metric> {
        match self {
            Self::Few(seen) => {
                let known = seen.iter().find(|(h, _)| *h == hash).map(|(_, m)| *m);
                seen.push((hash, metric));
                known
            }
            Self::Many(seen) => seen.insert(hash, metric),
        }
    }
}

fn same_labels<'l>(a: impl Iterator<Item = &'l Label>, b: impl Iterator<Item = &'l Label>) -> bool {
    let full = |l: &&Label| !l.value.is_empty();
    a.filter(full).eq(b.filter(full))
}

/// The rules that concern a family alone.
pub fn check_values(family: &Family, key: &GroupKey, errors: &mut Errors) {
    for metric in &family.metrics {
        check_metric(family, metric, key, errors);
    }
}

fn check_metric(family: &Family, metric: &Metric, key: &GroupKey, errors: &mut Errors) {
    if !matches_kind(family.kind, &metric.value) {
        let kind = family.kind.upper();
        errors.add(|| format!("{} is not a {kind}", describe(&family.name, metric, key)));
        return;
    }
    if let Some(wrong) = broken_native(&metric.value) {
        errors.add(|| format!("{} {wrong}", describe(&family.name, metric, key)));
        return;
    }
    let mut previous: Option<&str> = None;
    for label in key.with(&metric.labels) {
        let name = label.name.as_str();
        let wrong = if previous == Some(name) {
            format!("has two or more labels with the same name: {name}")
        } else if name.is_empty() || name.starts_with("__") {
            format!("has a label with an invalid name: {name}")
        } else if name == "quantile" && family.kind == Kind::Summary {
            "must not have an explicit \"quantile\" label".to_owned()
        } else {
            previous = Some(name);
            continue;
        };
        errors.add(|| format!("{} {wrong}", describe(&family.name, metric, key)));
        return;
    }
}

/// Resolutions that Prometheus has bucket bounds for: before version 3 it panics on others when they are queried.
const SCHEMAS: RangeInclusive<i32> = -4..=8;

/// What is wrong with a native histogram. Pushgateway does not look; whoever reads the buckets walks the spans and takes a
/// count for each one that they promise.
fn broken_native(value: &Value) -> Option<String> {
    let Value::Histogram(histogram) = value else {
        return None;
    };
    let native = histogram.native.as_deref()?;
    if !SCHEMAS.contains(&native.schema) {
        return Some(format!(
            "has the native histogram schema {}, not one of -4 to 8",
            native.schema
        ));
    }
    let floats = histogram.is_float();
    [("negative", &native.negative), ("positive", &native.positive)]
        .into_iter()
        .find_map(|(side, buckets)| {
            let counts = if floats {
                buckets.counts.len()
            } else {
                buckets.deltas.len()
            };
            let promised: u64 = buckets.spans.iter().map(|(_, length)| u64::from(*length)).sum();
            let gap = buckets.spans.iter().skip(1).find(|(offset, _)| *offset < 0);
            let indices = buckets.spans.iter().try_fold(0i32, |end, (offset, length)| {
                end.checked_add(*offset)?.checked_add_unsigned(*length)
            });
            if promised != counts as u64 {
                Some(format!(
                    "has {side} spans of {promised} buckets, and counts of {counts}"
                ))
            } else if let Some((offset, _)) = gap {
                Some(format!("has {side} spans that overlap: one has the offset {offset}"))
            } else {
                let beyond = || format!("has {side} spans that lead beyond the last bucket that there can be");
                indices.is_none().then(beyond)
            }
        })
}

fn matches_kind(kind: Kind, value: &Value) -> bool {
    matches!(
        (kind, value),
        (Kind::Counter, Value::Counter(..))
            | (Kind::Gauge | Kind::Info | Kind::StateSet, Value::Gauge(_))
            | (Kind::Untyped, Value::Untyped(_))
            | (Kind::Summary, Value::Summary(_))
            | (Kind::Histogram | Kind::GaugeHistogram, Value::Histogram(_))
    )
}

/// `collected metric "x" { label:{name:"a" value:"b"} untyped:{value:1}}`, as a Go program prints the message.
fn describe(name: &str, metric: &Metric, key: &GroupKey) -> String {
    let mut shown = metric.clone();
    key.force_on(&mut shown);
    let mut out = String::from("collected metric ");
    quote(name, &mut out);
    out.push_str(" {");
    for label in &shown.labels {
        out.push_str(" label:{name:");
        quote(&label.name, &mut out);
        out.push_str(" value:");
        quote(&label.value, &mut out);
        out.push('}');
    }
    match &metric.value {
        Value::Counter(v, _) => describe_value("counter", *v, &mut out),
        Value::Gauge(v) => describe_value("gauge", *v, &mut out),
        Value::Untyped(v) => describe_value("untyped", *v, &mut out),
        Value::Summary(s) => {
            let _ = write!(out, " summary:{{sample_count:{} sample_sum:", s.count);
            push_go(&mut out, s.sum);
            out.push('}');
        }
        Value::Histogram(h) => {
            let _ = write!(out, " histogram:{{sample_count:{} sample_sum:", h.count);
            push_go(&mut out, h.sum);
            out.push('}');
        }
        Value::Missing => {}
    }
    out.push('}');
    out
}

fn describe_value(field: &str, value: f64, out: &mut String) {
    let _ = write!(out, " {field}:{{value:");
    push_go(out, value);
    out.push('}');
}
