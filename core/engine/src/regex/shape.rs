//! Patterns that need no automaton: some texts, or anything between a prefix and a suffix.

use regex_syntax::hir::literal::{ExtractKind, Extractor};
use regex_syntax::hir::{Hir, HirKind};

/// More texts than this are better told apart by an automaton.
const MAX_TEXTS: usize = 1000;

/// A pattern's meaning, when it is a simple one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// `a|b|c[de]`: one of these, sorted.
    Set(Vec<String>),
    /// `prefix.*suffix` or `prefix.+suffix`.
    Gap {
        prefix: String,
        suffix: String,
        /// How many characters at least stand between them: 0 or 1.
        between: usize,
    },
}

impl Shape {
    /// The shape of a pattern that is anchored at both ends.
    pub fn of(pattern: &Hir) -> Option<Self> {
        Self::set(pattern).or_else(|| Self::gap(pattern))
    }

    /// True when `text` is of this shape.
    pub fn is_match(&self, text: &str) -> bool {
        match self {
            Self::Set(texts) => texts.binary_search_by(|wanted| wanted.as_str().cmp(text)).is_ok(),
            Self::Gap {
                prefix,
                suffix,
                between,
            } => {
                let rest = text.strip_prefix(prefix.as_str());
                rest.is_some_and(|rest| rest.len() >= suffix.len() + between && rest.ends_with(suffix.as_str()))
            }
        }
    }

    fn set(pattern: &Hir) -> Option<Self> {
        // The extractor steps over assertions as if they always held.
        if !pattern.properties().look_set().is_empty() {
            return None;
        }
        let texts = Extractor::new()
            .limit_class(MAX_TEXTS)
            .limit_repeat(MAX_TEXTS)
            .limit_literal_len(usize::MAX)
            .limit_total(MAX_TEXTS)
            .extract(pattern);
        if !texts.is_exact() {
            return None;
        }
        let texts = texts
            .literals()?
            .iter()
            .map(|text| String::from_utf8(text.as_bytes().to_vec()));
        let mut texts = texts.collect::<Result<Vec<_>, _>>().ok()?;
        texts.sort_unstable();
        texts.dedup();
        Some(Self::Set(texts))
    }

    fn gap(pattern: &Hir) -> Option<Self> {
        let parts = match ungrouped(pattern).kind() {
            HirKind::Concat(parts) => parts.as_slice(),
            _ => std::slice::from_ref(pattern),
        };
        let (prefix, between, suffix) = match parts {
            [gap] => (String::new(), any(gap)?, String::new()),
            [first, last] => match any(first) {
                Some(between) => (String::new(), between, text(last)?),
                None => (text(first)?, any(last)?, String::new()),
            },
            [first, gap, last] => (text(first)?, any(gap)?, text(last)?),
            _ => return None,
        };
        Some(Self::Gap {
            prefix,
            suffix,
            between,
        })
    }
}

/// How each text begins that matches a pattern which is anchored at both ends; "" when that is not known.
pub fn prefix(pattern: &Hir) -> String {
    let beginnings = Extractor::new().kind(ExtractKind::Prefix).extract(pattern);
    let shared = beginnings.longest_common_prefix().unwrap_or_default();
    // What all beginnings share may end inside of a character.
    let whole = shared.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    whole.to_owned()
}

/// The pattern inside of capture groups.
fn ungrouped(mut pattern: &Hir) -> &Hir {
    while let HirKind::Capture(group) = pattern.kind() {
        pattern = &group.sub;
    }
    pattern
}

fn text(pattern: &Hir) -> Option<String> {
    match ungrouped(pattern).kind() {
        HirKind::Literal(literal) => String::from_utf8(literal.0.to_vec()).ok(),
        _ => None,
    }
}

/// The least length of `.*` or `.+`.
fn any(pattern: &Hir) -> Option<usize> {
    let HirKind::Repetition(repetition) = ungrouped(pattern).kind() else {
        return None;
    };
    let every_char = Hir::dot(regex_syntax::hir::Dot::AnyChar);
    let counts = repetition.max.is_none() && repetition.min <= 1;
    (counts && *ungrouped(&repetition.sub) == every_char).then_some(repetition.min as usize)
}
