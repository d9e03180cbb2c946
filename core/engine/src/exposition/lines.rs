//! What the lines of both text formats have in common: names, labels and escapes.

use crate::exposition::Escaping;
use crate::family::Label;
use crate::labels::{is_legacy_label_name, is_legacy_metric_name};

/// Append `text` with its line feeds and backslashes escaped, and with `quotes` its double quotes too.
pub(super) fn push_escaped(out: &mut String, text: &str, quotes: bool) {
    let mut rest = text;
    loop {
        let special = if quotes {
            memchr::memchr3(b'\\', b'\n', b'"', rest.as_bytes())
        } else {
            memchr::memchr2(b'\\', b'\n', rest.as_bytes())
        };
        let Some((plain, tail)) = special.and_then(|at| rest.split_at_checked(at)) else {
            break;
        };
        let (special, tail) = tail.split_at_checked(1).unwrap_or_default();
        out.push_str(plain);
        out.push('\\');
        out.push_str(if special == "\n" { "n" } else { special });
        rest = tail;
    }
    out.push_str(rest);
}

pub(super) fn push_quoted(out: &mut String, parts: &[&str]) {
    out.push('"');
    for part in parts {
        push_escaped(out, part, true);
    }
    out.push('"');
}

/// Append a metric's name, quoted when it is not a legacy one.
pub(super) fn push_metric_name(out: &mut String, name: &str) {
    if is_legacy_metric_name(name) {
        out.push_str(name);
    } else {
        push_quoted(out, &[name]);
    }
}

/// Append `a="b",c="d"` without braces.
pub(super) fn push_labels<'l>(out: &mut String, labels: impl Iterator<Item = &'l Label>, escaping: Escaping) {
    push_pairs(
        out,
        labels.map(|label| (label.name.as_str(), label.value.as_str())),
        escaping,
    );
}

/// The same of names and values.
pub(super) fn push_pairs<'l>(out: &mut String, pairs: impl Iterator<Item = (&'l str, &'l str)>, escaping: Escaping) {
    for (i, (name, value)) in pairs.enumerate() {
        if i > 0 {
            out.push(',');
        }
        match escaping.label_name(name) {
            name if is_legacy_label_name(&name) => out.push_str(&name),
            name => push_quoted(out, &[&name]),
        }
        out.push('=');
        push_quoted(out, &[value]);
    }
}

/// The beginnings of a family's lines. A metric's labels are written once for all of its lines.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    name: &'a str,
    is_legacy: bool,
    escaping: Escaping,
    labels: &'a [Label],
    /// The same as text.
    shown: String,
}

impl<'a> Lines<'a> {
    /// For a family whose samples begin with `name`, which is escaped already.
    pub(super) fn new(name: &'a str, escaping: Escaping) -> Self {
        Self {
            is_legacy: is_legacy_metric_name(name),
            name,
            escaping,
            labels: &[],
            shown: String::new(),
        }
    }

    /// The lines from here on are those of a metric with these labels.
    pub(super) fn set_labels(&mut self, labels: &'a [Label]) {
        self.labels = labels;
        self.shown.clear();
        push_labels(&mut self.shown, labels.iter(), self.escaping);
    }

    /// Append name and labels, `le` or `quantile` last, and the blank before the value.
    pub(super) fn push_head(
        &self,
        out: &mut String,
        suffix: &str,
        bound: Option<(&str, f64)>,
        push_bound: fn(&mut String, f64),
    ) {
        if self.is_legacy {
            out.push_str(self.name);
            out.push_str(suffix);
            if self.labels.is_empty() && bound.is_none() {
                out.push(' ');
                return;
            }
            out.push('{');
        } else {
            out.push('{');
            push_quoted(out, &[self.name, suffix]);
            if !self.labels.is_empty() || bound.is_some() {
                out.push(',');
            }
        }
        let Some((label, bound)) = bound else {
            out.push_str(&self.shown);
            out.push_str("} ");
            return;
        };
        self.push_labels_but(label, out);
        out.push_str(label);
        out.push_str("=\"");
        push_bound(out, bound);
        out.push_str("\"} ");
    }

    /// Labels with a comma behind each. One of the bound's own name gives way to it: a label named twice would cost the
    /// reader the whole page.
    fn push_labels_but(&self, bound: &str, out: &mut String) {
        let start = out.len();
        if self.labels.iter().any(|l| l.name == bound) {
            push_labels(out, self.labels.iter().filter(|l| l.name != bound), self.escaping);
        } else {
            out.push_str(&self.shown);
        }
        if out.len() > start {
            out.push(',');
        }
    }
}
