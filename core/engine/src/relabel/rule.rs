//! One rule.

use super::case::{lower, upper};
use super::working::Working;
use crate::quote::Quoted;
use crate::regex::{Capture, RegexError};

const SEPARATOR: &str = ";";
const REGEX: &str = "(.*)";
const REPLACEMENT: &str = "$1";

/// A rule as it is written in a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The action, in any case.
    pub action: String,
    /// Labels whose values make the source.
    pub source_labels: Vec<String>,
    /// What stands between them.
    pub separator: String,
    /// The pattern.
    pub regex: String,
    /// For `hashmod`.
    pub modulus: u64,
    /// The label that is set or compared with.
    pub target_label: String,
    /// What it is set to.
    pub replacement: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            action: "replace".into(),
            source_labels: Vec::new(),
            separator: SEPARATOR.into(),
            regex: REGEX.into(),
            modulus: 0,
            target_label: String::new(),
            replacement: REPLACEMENT.into(),
        }
    }
}

/// Why settings are no rule, in Prometheus' words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(String);

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Invalid {}

impl From<RegexError> for Invalid {
    fn from(error: RegexError) -> Self {
        Self(error.to_string())
    }
}

/// A rule, ready to be applied.
#[derive(Debug, Clone)]
pub struct Rule {
    action: Action,
    source_labels: Vec<String>,
    separator: String,
    regex: Capture,
    modulus: u64,
    target_label: String,
    replacement: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Replace,
    Keep,
    Drop,
    KeepEqual,
    DropEqual,
    HashMod,
    LabelMap,
    LabelDrop,
    LabelKeep,
    Lowercase,
    Uppercase,
}

impl Action {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "replace" => Self::Replace,
            "keep" => Self::Keep,
            "drop" => Self::Drop,
            "keepequal" => Self::KeepEqual,
            "dropequal" => Self::DropEqual,
            "hashmod" => Self::HashMod,
            "labelmap" => Self::LabelMap,
            "labeldrop" => Self::LabelDrop,
            "labelkeep" => Self::LabelKeep,
            "lowercase" => Self::Lowercase,
            "uppercase" => Self::Uppercase,
            _ => return None,
        })
    }

    /// It reads or writes `target_label`.
    fn has_target(self) -> bool {
        !matches!(
            self,
            Self::Keep | Self::Drop | Self::LabelMap | Self::LabelDrop | Self::LabelKeep
        )
    }

    /// What it writes or compares with is not for `replacement` to say.
    fn has_own_replacement(self) -> bool {
        matches!(
            self,
            Self::Lowercase | Self::Uppercase | Self::KeepEqual | Self::DropEqual
        )
    }
}

impl Settings {
    fn check(&self) -> Result<Action, Invalid> {
        let name = self.action.to_lowercase();
        let action = Action::named(&name)
            .ok_or_else(|| Invalid(format!("unknown relabel action {}", Quoted(self.action.as_bytes()))))?;
        let invalid = |text: String| Err(Invalid(text));
        if action == Action::HashMod && self.modulus == 0 {
            return invalid("relabel configuration for hashmod requires non-zero modulus".into());
        }
        if action.has_target() && self.target_label.is_empty() {
            return invalid(format!(
                "relabel configuration for {name} action requires 'target_label' value"
            ));
        }
        if action.has_own_replacement() && self.replacement != REPLACEMENT {
            return invalid(format!("'replacement' can not be set for {name} action"));
        }
        if action == Action::LabelMap && self.replacement.is_empty() {
            return invalid(format!("\"\" is invalid 'replacement' for {name} action"));
        }
        let plain = self.modulus == 0 && self.separator == SEPARATOR && self.replacement == REPLACEMENT;
        if matches!(action, Action::KeepEqual | Action::DropEqual) && !(plain && self.regex == REGEX) {
            return invalid(format!(
                "{name} action requires only 'source_labels' and `target_label`, and no other fields"
            ));
        }
        let only_regex = plain && self.source_labels.is_empty() && self.target_label.is_empty();
        if matches!(action, Action::LabelDrop | Action::LabelKeep) && !only_regex {
            return invalid(format!("{name} action requires only 'regex', and no other fields"));
        }
        Ok(action)
    }
}

impl Rule {
    /// Check and compile.
    pub fn new(settings: Settings) -> Result<Self, Invalid> {
        let action = settings.check()?;
        Ok(Self {
            action,
            source_labels: settings.source_labels,
            separator: settings.separator,
            regex: Capture::new(&settings.regex)?,
            modulus: settings.modulus,
            target_label: settings.target_label,
            replacement: settings.replacement,
        })
    }

    /// Change `labels`; false when they are to be dropped.
    pub fn apply(&self, labels: &mut Working<'_>) -> bool {
        match self.action {
            Action::LabelDrop => labels.retain(|name| !self.regex.is_match(name)),
            Action::LabelKeep => labels.retain(|name| self.regex.is_match(name)),
            Action::LabelMap => self.map(labels),
            _ => return self.apply_to_source(labels),
        }
        true
    }

    fn apply_to_source(&self, labels: &mut Working<'_>) -> bool {
        let source = self.source(labels);
        match self.action {
            Action::Keep => return self.regex.is_match(&source),
            Action::Drop => return !self.regex.is_match(&source),
            Action::KeepEqual => return labels.get(&self.target_label) == source,
            Action::DropEqual => return labels.get(&self.target_label) != source,
            Action::Lowercase => labels.set(&self.target_label, lower(&source)),
            Action::Uppercase => labels.set(&self.target_label, upper(&source)),
            Action::HashMod => {
                let hash = u128::from_be_bytes(md5::compute(source.as_bytes()).0) as u64;
                let part = hash.checked_rem(self.modulus).unwrap_or_default();
                labels.set(&self.target_label, part.to_string());
            }
            _ => self.replace(&source, labels),
        }
        true
    }

    fn source(&self, labels: &Working<'_>) -> String {
        let mut source = String::new();
        for (n, name) in self.source_labels.iter().enumerate() {
            if n > 0 {
                source.push_str(&self.separator);
            }
            source.push_str(labels.get(name));
        }
        source
    }

    fn replace(&self, source: &str, labels: &mut Working<'_>) {
        let Some(groups) = self.regex.groups(source) else {
            return;
        };
        let target = groups.expand(&self.target_label);
        if !target.is_empty() {
            labels.set(&target, groups.expand(&self.replacement));
        }
    }

    fn map(&self, labels: &mut Working<'_>) {
        for (name, value) in labels.snapshot() {
            if let Some(groups) = self.regex.groups(&name) {
                let target = groups.expand(&self.replacement);
                if !target.is_empty() {
                    labels.set(&target, value);
                }
            }
        }
    }
}
