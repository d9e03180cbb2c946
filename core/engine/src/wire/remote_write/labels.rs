//! Label sets of strangers: sorted, checked and packed, or refused with a text that shows them.

use super::request::Pair;
use super::{Limits, ReplicaLabels};
use crate::bytes::put_prefixed;
use crate::labels::{is_legacy_label_name, METRIC_NAME};
use crate::quote::Quoted;

/// Bytes of a label set that are shown in an error.
const SHOWN: usize = 400;

/// Why a label set is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LabelsRefused {
    /// No metric name, an empty name, bytes that are no UTF-8, or a name twice.
    Invalid(String),
    /// A limit.
    Limit(&'static str, String),
}

/// Append a label set in packed form to `out`, without empty labels and without that of the replica.
pub(super) fn pack(
    pairs: &mut Vec<Pair<'_>>,
    limits: &Limits,
    replica: Option<&ReplicaLabels>,
    out: &mut Vec<u8>,
) -> Result<(), LabelsRefused> {
    if let Some(labels) = replica {
        labels.take_off(pairs);
    }
    if !pairs.is_sorted_by(|a, b| a.0 < b.0) {
        pairs.sort_by_key(|pair| pair.0);
        if let Some(name) = repeated(pairs) {
            return Err(LabelsRefused::Invalid(format!(
                "invalid labels for series, labels {}, duplicated label {}",
                show(pairs),
                Quoted(name)
            )));
        }
    }
    if !is_valid(pairs) {
        return Err(LabelsRefused::Invalid(format!(
            "invalid metric name or labels, got {}",
            show(pairs)
        )));
    }
    check_limits(pairs, limits)?;
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        put_prefixed(out, name);
        put_prefixed(out, value);
    }
    Ok(())
}

fn repeated<'a>(sorted: &[Pair<'a>]) -> Option<&'a [u8]> {
    let next = sorted.iter().skip(1);
    let twice = sorted.iter().zip(next).find(|(a, b)| a.0 == b.0);
    twice.map(|(pair, _)| pair.0)
}

fn is_valid(pairs: &[Pair<'_>]) -> bool {
    let named = pairs
        .iter()
        .any(|(name, value)| *name == METRIC_NAME.as_bytes() && !value.is_empty());
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok();
    named
        && pairs
            .iter()
            .all(|(name, value)| !name.is_empty() && text(name) && text(value))
}

fn check_limits(pairs: &[Pair<'_>], limits: &Limits) -> Result<(), LabelsRefused> {
    let over = |size: usize, limit: usize| limit > 0 && size > limit;
    let count = pairs.iter().filter(|(_, value)| !value.is_empty()).count();
    if over(count, limits.labels) {
        let text = format!("{count} labels, {} allowed: {}", limits.labels, show(pairs));
        return Err(LabelsRefused::Limit("max_labels", text));
    }
    for (name, value) in pairs {
        let (reason, what, size, limit) = if over(name.len(), limits.name) {
            ("max_label_name", "name", name.len(), limits.name)
        } else if over(value.len(), limits.value) {
            ("max_label_value", "value", value.len(), limits.value)
        } else {
            continue;
        };
        let label = shortened(&Quoted(name).to_string());
        let text = format!(
            "label {label} has a {what} of {size} bytes, {limit} allowed: {}",
            show(pairs)
        );
        return Err(LabelsRefused::Limit(reason, text));
    }
    Ok(())
}

/// `{a="b", c="d"}`, cut short.
pub(super) fn show(pairs: &[Pair<'_>]) -> String {
    use std::fmt::Write;
    let mut out = String::from("{");
    for (i, (name, value)) in pairs.iter().enumerate() {
        if out.len() > SHOWN {
            out.push_str(", ...");
            break;
        }
        if i > 0 {
            out.push_str(", ");
        }
        match std::str::from_utf8(name) {
            Ok(name) if is_legacy_label_name(name) => out.push_str(&shortened(name)),
            _ => out.push_str(&shortened(&Quoted(name).to_string())),
        }
        let _ = write!(out, "={}", shortened(&Quoted(value).to_string()));
    }
    out.push('}');
    out
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN / 4) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text.into(),
    }
}
