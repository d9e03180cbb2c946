//! The buckets of a native histogram: `[boundary rule, "lower", "upper", "count"]` rows, ascending, without empty ones.

use crate::family::{Buckets, Histogram, Native, Text};
use crate::float::{push_go, push_u64};
use crate::native::upper_bound;

/// Which of its bounds belong to a bucket: the number that the API has for it.
#[derive(Clone, Copy)]
enum Rule {
    /// `(lower, upper]`
    LeftOpen = 0,
    /// `[lower, upper)`
    RightOpen = 1,
    /// `[lower, upper]`
    Closed = 3,
}

/// Append the array of rows.
pub(super) fn push_native(histogram: &Histogram, native: &Native, out: &mut String) {
    let is_float = histogram.count_float > 0.0 || native.zero_count_float > 0.0;
    let mut rows = Vec::new();
    each_bucket(&native.negative, is_float, |index, count| {
        let (near, far) = bounds(native.schema, index);
        rows.push((Rule::RightOpen, -far, -near, count));
    });
    rows.reverse();
    let zero = if is_float {
        float(native.zero_count_float)
    } else {
        integer(native.zero_count)
    };
    if let Some(count) = zero {
        rows.push((Rule::Closed, -native.zero_threshold, native.zero_threshold, count));
    }
    each_bucket(&native.positive, is_float, |index, count| {
        let (near, far) = bounds(native.schema, index);
        rows.push((Rule::LeftOpen, near, far, count));
    });
    push_rows(&rows, out);
}

fn push_rows(rows: &[(Rule, f64, f64, Text)], out: &mut String) {
    out.push('[');
    for (i, (rule, lower, upper, count)) in rows.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push('[');
        push_u64(out, *rule as u64);
        out.push_str(",\"");
        push_go(out, *lower);
        out.push_str("\",\"");
        push_go(out, *upper);
        out.push_str("\",\"");
        out.push_str(count);
        out.push_str("\"]");
    }
    out.push(']');
}

fn bounds(schema: i32, index: i32) -> (f64, f64) {
    (upper_bound(schema, index.saturating_sub(1)), upper_bound(schema, index))
}

/// Emit index and printed count of each bucket that is not empty. Spans longer than the buckets that are there end with them.
fn each_bucket(side: &Buckets, is_float: bool, mut emit: impl FnMut(i32, Text)) {
    let indices = side.spans.iter().scan(0i32, |next, (offset, length)| {
        let start = next.saturating_add(*offset);
        *next = start.saturating_add_unsigned(*length);
        Some(start..*next)
    });
    let indices = indices.flatten();
    if is_float {
        for (index, count) in indices.zip(&side.counts) {
            if let Some(count) = float(*count) {
                emit(index, count);
            }
        }
        return;
    }
    let mut count = 0i64;
    for (index, delta) in indices.zip(&side.deltas) {
        count = count.wrapping_add(*delta);
        if let Some(count) = integer(count as u64) {
            emit(index, count);
        }
    }
}

fn float(count: f64) -> Option<Text> {
    let mut text = Text::default();
    push_go(&mut text, count);
    (count != 0.0).then_some(text)
}

fn integer(count: u64) -> Option<Text> {
    let mut text = Text::default();
    push_u64(&mut text, count);
    (count != 0).then_some(text)
}
