//! What stands around the fields of a line: measurement and tags before, the time behind.

use std::borrow::Cow;

use super::mapping::{as_number, Mapping, Place};
use super::names::{put, rename, Role};
use super::number::put_int;
use crate::labels::{Labels, METRIC_NAME};

/// Append the end of a line, but for the newline.
pub(super) fn put_time(out: &mut Vec<u8>, t: i64) {
    out.push(b' ');
    put_int(out, t);
}

/// Append measurement and tags of a series, and one more tag.
pub(super) fn put_series(
    out: &mut Vec<u8>,
    labels: Labels<'_>,
    place: &Place<'_>,
    mapping: Mapping,
    more: Option<(&str, &str)>,
) {
    put(out, &rename(place.measurement, Role::Measurement), Role::Measurement);
    let tags = labels
        .iter()
        .filter(|(key, _)| *key != METRIC_NAME && *key != place.without);
    let tags = tags.map(|(key, value)| {
        let number = (key == place.number).then(|| as_number(value)).flatten();
        (key, number.map_or(Cow::Borrowed(value), Cow::Owned))
    });
    let name = (mapping == Mapping::Influx1Compat).then_some((METRIC_NAME, place.measurement));
    let start = out.len();
    let mut is_sorted = name.is_none() && more.is_none();
    for (key, value) in tags.clone() {
        is_sorted &= matches!(rename(key, Role::TagKey), Cow::Borrowed(_));
        if !is_sorted {
            break;
        }
        put_tag(out, key, &value);
    }
    if !is_sorted {
        out.truncate(start);
        let more = more.map(|(key, value)| (rename(key, Role::TagKey), value.into()));
        let name = name.map(|(key, value)| (key.into(), value.into()));
        let tags = tags.map(|(key, value)| (rename(key, Role::TagKey), value));
        put_sorted(out, tags.chain(name).chain(more));
    }
}

/// Renaming and further tags break the order that labels have, so these few are sorted again.
fn put_sorted<'a>(out: &mut Vec<u8>, tags: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>) {
    let mut tags: Vec<_> = tags.collect();
    tags.sort_unstable();
    for (key, value) in tags {
        put_tag(out, &key, &value);
    }
}

fn put_tag(out: &mut Vec<u8>, key: &str, value: &str) {
    out.push(b',');
    put(out, key, Role::TagKey);
    out.push(b'=');
    put(out, value, Role::TagValue);
}
