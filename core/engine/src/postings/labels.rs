//! What label names there are, and what values.

use std::collections::BTreeSet;

use super::{select, Source};
use crate::regex::Matcher;

/// Add to `out` the label names of the series that meet all of `matchers`.
pub fn names<S: Source>(source: &S, matchers: &[Matcher], out: &mut BTreeSet<String>) -> Result<(), S::Error> {
    if matchers.is_empty() {
        return source.visit_names(&mut |name| add(out, name));
    }
    for series in select(source, matchers)? {
        source.visit_labels(series, &mut |name, _| add(out, name))?;
    }
    Ok(())
}

/// Add to `out` the values that `name` has in the series that meet all of `matchers`.
pub fn values<S: Source>(
    source: &S,
    name: &str,
    matchers: &[Matcher],
    out: &mut BTreeSet<String>,
) -> Result<(), S::Error> {
    if matchers.is_empty() {
        let mut look = |value: &str| {
            add(out, value);
            false
        };
        return source.lists(name, "", &mut look).map(drop);
    }
    for series in select(source, matchers)? {
        source.visit_labels(series, &mut |label, value| {
            if label == name {
                add(out, value);
            }
        })?;
    }
    Ok(())
}

/// Most texts are there already: copy only those that are not.
fn add(out: &mut BTreeSet<String>, text: &str) {
    if !out.contains(text) {
        out.insert(text.to_owned());
    }
}
