//! Label sets as JSON, as `/api/v1/series` gives them.

use std::sync::Arc;

use crate::exposition::json::push_string;
use crate::labels::Labels;

/// An array of objects with the labels of each packed set.
pub fn listing(series: &[Arc<[u8]>]) -> String {
    let bytes: usize = series.iter().map(|packed| packed.len()).sum();
    let mut out = String::with_capacity(2 * bytes + 2);
    out.push('[');
    for (i, packed) in series.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        push_labels(Labels::trusted(packed), &mut out);
    }
    out.push(']');
    out
}

fn push_labels(labels: Labels<'_>, out: &mut String) {
    out.push('{');
    for (i, (name, value)) in labels.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        push_string(name, out);
        out.push(':');
        push_string(value, out);
    }
    out.push('}');
}
