//! Names for readers that know legacy names only (source: prometheus/common `model.EscapeMetricFamily`).

use std::borrow::Cow;
use std::fmt::Write;

use crate::labels::{is_legacy_label_name, is_legacy_metric_name};

/// What to do with a name that is not a legacy one. Legacy names stay as they are in every scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escaping {
    /// Leave it; formats quote it.
    AllowUtf8,
    /// Each wrong character becomes `_`. Two names may become one.
    Underscores,
    /// `_` becomes `__`, `.` becomes `_dot_`, other wrong characters `__`.
    Dots,
    /// `U__`, then `_` as `__` and wrong characters as `_` hex `_`. Can be undone.
    Values,
}

impl Escaping {
    /// By the name that content negotiation uses.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "allow-utf-8" => Some(Self::AllowUtf8),
            "underscores" => Some(Self::Underscores),
            "dots" => Some(Self::Dots),
            "values" => Some(Self::Values),
            _ => None,
        }
    }

    /// A metric's name as the reader gets it.
    pub fn metric_name(self, name: &str) -> Cow<'_, str> {
        self.apply(name, is_legacy_metric_name(name), true)
    }

    /// A label's name as the reader gets it: no colons there.
    pub fn label_name(self, name: &str) -> Cow<'_, str> {
        self.apply(name, is_legacy_label_name(name), false)
    }

    fn apply(self, name: &str, is_legacy: bool, colons: bool) -> Cow<'_, str> {
        if self == Self::AllowUtf8 || is_legacy {
            return Cow::Borrowed(name);
        }
        let mut out = String::with_capacity(name.len() + 8);
        if self == Self::Values {
            out.push_str("U__");
        }
        for (i, c) in name.chars().enumerate() {
            let legacy = c == '_' || (colons && c == ':') || c.is_ascii_alphabetic() || (i > 0 && c.is_ascii_digit());
            match self {
                Self::Dots | Self::Values if c == '_' => out.push_str("__"),
                Self::Dots if c == '.' => out.push_str("_dot_"),
                _ if legacy => out.push(c),
                Self::Dots => out.push_str("__"),
                Self::Values => {
                    let _ = write!(out, "_{:x}_", c as u32);
                }
                _ => out.push('_'),
            }
        }
        Cow::Owned(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_as_prometheus_does() {
        // Columns printed by model.EscapeName of prometheus/common 0.69.0.
        for (name, underscores, dots, values) in [
            (
                "http.status:sum",
                "http_status:sum",
                "http_dot_status:sum",
                "U__http_2e_status:sum",
            ),
            (
                "label with 😱",
                "label_with__",
                "label__with____",
                "U__label_20_with_20__1f631_",
            ),
            ("my_metric.2", "my_metric_2", "my__metric_dot_2", "U__my__metric_2e_2"),
            ("0día", "_d_a", "__d__a", "U___30_d_ed_a"),
        ] {
            assert_eq!(Escaping::Underscores.metric_name(name), underscores);
            assert_eq!(Escaping::Dots.metric_name(name), dots);
            assert_eq!(Escaping::Values.metric_name(name), values);
            assert_eq!(Escaping::AllowUtf8.metric_name(name), name);
        }
    }

    #[test]
    fn colons_are_for_metrics_only() {
        assert_eq!(Escaping::Dots.metric_name("a_b:c"), "a_b:c");
        assert_eq!(Escaping::Underscores.label_name("a:b"), "a_b");
        assert_eq!(Escaping::Values.label_name("a:b"), "U__a_3a_b");
    }
}
