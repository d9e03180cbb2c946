//! What is told besides samples, as lines: exemplars, and types, units and helps of metrics.
//!
//! An exemplar has the tags of its series, and its own labels as text fields: a trace's id as a tag would make each trace a
//! series. Neither kind of line is a sample, so they stand for none.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::encode::{name_of, MAX_MS};
use super::lines::Lines;
use super::mapping::{place, FieldKey, Mapping, Options, Place};
use super::names::{put, rename, Role};
use super::number::put_float;
use super::tags::{put_series, put_time};
use crate::family::Kind;
use crate::labels::{Labels, METRIC_NAME};
use crate::metadata::Metadata;
use crate::outbound::{Fate, Route};
use crate::wal::ExemplarRow;

/// The field of an exemplar's value.
const VALUE: &str = "value";

/// Append the line of an exemplar of the series with `labels`; none when no field can hold its value, no time its time, or the
/// sink would not keep it.
pub fn put_exemplar(
    labels: Labels<'_>,
    kind: Option<Kind>,
    exemplar: &ExemplarRow,
    options: &Options,
    lines: &mut Lines,
) {
    let is_in_time = exemplar.t >= options.oldest && exemplar.t.unsigned_abs() <= MAX_MS;
    if !exemplar.value.is_finite() || !is_in_time {
        return;
    }
    let (measurement, number) = home(options.mapping, labels, kind);
    let measurement = [measurement, "_exemplar"].concat();
    let place = Place {
        number,
        ..Place::new(&measurement, FieldKey::Word(VALUE))
    };
    let out = lines.body_mut();
    put_series(out, labels, &place, options.mapping, None);
    out.push(b' ');
    place.field.put(out);
    out.push(b'=');
    put_float(out, exemplar.value);
    for (key, value) in Labels::trusted(&exemplar.labels).iter() {
        // A field must not be called as a tag or another field is.
        let is_taken = key == VALUE || !labels.get(key).is_empty();
        let key = if is_taken {
            Cow::Owned(["exemplar_", key].concat())
        } else {
            rename(key, Role::TagKey)
        };
        out.push(b',');
        put(out, &*key, Role::FieldKey);
        put_text(out, value);
    }
    put_time(out, exemplar.t);
    lines.end_line(0);
}

/// The metric, or the family where the mapping has those, that an exemplar belongs to, and the label that is a number there.
fn home<'a>(mapping: Mapping, labels: Labels<'a>, kind: Option<Kind>) -> (&'a str, &'static str) {
    let name = name_of(labels);
    let place = place(mapping, name, kind, |label| labels.get(label));
    if mapping.needs_kind() {
        (place.measurement, "")
    } else {
        (name, place.number)
    }
}

/// Append `="text"`; a newline, which would end the line, becomes `\n`.
fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(b"=\"");
    for b in text.bytes() {
        match b {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\\\n"),
            b'\r' => out.extend_from_slice(b"\\\\r"),
            _ => out.push(b),
        }
    }
    out.push(b'"');
}

/// Lines of type, unit and help of each metric that has series which `route` sends, as told at `t` ms. Of what its series
/// disagree about, the first in the order of types, units and helps is taken.
pub fn metadata_lines<'a>(told: impl Iterator<Item = (Labels<'a>, &'a Arc<Metadata>)>, route: &Route, t: i64) -> Lines {
    let rank = |metadata: &Metadata| (metadata.type_name(), metadata.unit.clone(), metadata.help.clone());
    let mut metrics: BTreeMap<String, &Arc<Metadata>> = BTreeMap::new();
    for (labels, metadata) in told {
        let Some(name) = name_sent(labels, route) else { continue };
        match metrics.get_mut(&*name) {
            Some(known) if **known == *metadata || rank(known) <= rank(metadata) => (),
            Some(known) => *known = metadata,
            None => {
                metrics.insert(name.into_owned(), metadata);
            }
        }
    }
    let mut lines = Lines::default();
    for (name, metadata) in metrics {
        let out = lines.body_mut();
        out.extend_from_slice(b"prom_metadata,metric=");
        put(out, &*name, Role::TagValue);
        out.extend_from_slice(b" type");
        put_text(out, metadata.type_name());
        out.extend_from_slice(b",unit");
        put_text(out, &metadata.unit);
        out.extend_from_slice(b",help");
        put_text(out, &metadata.help);
        put_time(out, t);
        lines.end_line(0);
    }
    lines
}

/// The name of the metric that a series is sent as; `None` when it is not sent, or has none.
fn name_sent<'a>(labels: Labels<'a>, route: &Route) -> Option<Cow<'a, str>> {
    let name = match route.fate(labels) {
        Fate::Filtered => return None,
        Fate::Same => Cow::Borrowed(labels.get(METRIC_NAME)),
        Fate::Changed(packed) => Cow::Owned(Labels::trusted(&packed).get(METRIC_NAME).to_owned()),
    };
    (!name.is_empty()).then_some(name)
}
