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
    put(out, &*rename(place.measurement, Role::Measurement), Role::Measurement);
    let name = (mapping == Mapping::Influx1Compat).then_some(place.measurement);
    let start = out.len();
    if more.is_some() || !put_in_order(out, labels, place, name) {
        out.truncate(start);
        put_sorted(out, labels, place, name, more);
    }
}

/// Append the tags in the order that labels have, the metric's name as one of them in its place. Every sample comes this way,
/// so texts stay the bytes that they are. False when a label has another name as a tag, which breaks that order.
fn put_in_order(out: &mut Vec<u8>, labels: Labels<'_>, place: &Place<'_>, mut name: Option<&str>) -> bool {
    let mut texts = labels.texts();
    while let (Some(key), Some(value)) = (texts.next(), texts.next()) {
        if key == METRIC_NAME.as_bytes() || key == place.without.as_bytes() {
            continue;
        }
        if Role::TagKey.is_reserved(key) {
            return false;
        }
        if let Some(name) = name.take_if(|_| key > METRIC_NAME.as_bytes()) {
            put_tag(out, METRIC_NAME.as_bytes(), name.as_bytes());
        }
        match number_of(place, key, value) {
            Some(number) => put_tag(out, key, number.as_bytes()),
            None => put_tag(out, key, value),
        }
    }
    if let Some(name) = name {
        put_tag(out, METRIC_NAME.as_bytes(), name.as_bytes());
    }
    true
}

/// Append the tags in the order of the names that they have as such.
fn put_sorted(
    out: &mut Vec<u8>,
    labels: Labels<'_>,
    place: &Place<'_>,
    name: Option<&str>,
    more: Option<(&str, &str)>,
) {
    let own = labels
        .iter()
        .filter(|(key, _)| *key != METRIC_NAME && *key != place.without);
    let own = own.map(|(key, value)| {
        let number = number_of(place, key.as_bytes(), value.as_bytes());
        (
            rename(key, Role::TagKey),
            number.map_or(Cow::Borrowed(value), Cow::Owned),
        )
    });
    let name = name.map(|name| (METRIC_NAME.into(), name.into()));
    let more = more.map(|(key, value)| (rename(key, Role::TagKey), value.into()));
    let mut tags: Vec<(Cow<'_, str>, Cow<'_, str>)> = own.chain(name).chain(more).collect();
    tags.sort_unstable();
    for (key, value) in tags {
        put_tag(out, key.as_bytes(), value.as_bytes());
    }
}

/// The value of the label that is printed as Go prints numbers.
fn number_of(place: &Place<'_>, key: &[u8], value: &[u8]) -> Option<String> {
    (key == place.number.as_bytes()).then(|| as_number(value)).flatten()
}

fn put_tag(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    out.push(b',');
    put(out, key, Role::TagKey);
    out.push(b'=');
    put(out, value, Role::TagValue);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::labels::pack;
    use crate::wire::influx::mapping::FieldKey;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn labels_that_are_in_order_give_the_tags_that_sorting_gives(
            labels in proptest::collection::btree_map("[A-Zl-u_]{1,3}|__name__|label_|le|time", "[a-z, =%\\\\é]{1,3}|\\+Inf|1e3", 0..6),
            name in proptest::option::of("[a-z#, ]{1,3}"),
            (without, number) in (prop_oneof![Just(""), Just("le")], prop_oneof![Just(""), Just("le")]),
        ) {
            let mut pairs: Vec<_> = labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            let mut packed = Vec::new();
            pack(&mut pairs, &mut packed).unwrap();
            let place = Place { without, number, ..Place::new("m", FieldKey::Word("value")) };
            let (mut quick, mut sorted) = (Vec::new(), Vec::new());
            let is_in_order = put_in_order(&mut quick, Labels::trusted(&packed), &place, name.as_deref());
            put_sorted(&mut sorted, Labels::trusted(&packed), &place, name.as_deref(), None);
            let is_renamed = |key: &&str| ![METRIC_NAME, without].contains(key) && rename(key, Role::TagKey) != *key;
            prop_assert_eq!(is_in_order, !labels.keys().any(|key| is_renamed(&key.as_str())));
            if is_in_order {
                prop_assert_eq!(String::from_utf8(quick), String::from_utf8(sorted));
            }
        }
    }
}
