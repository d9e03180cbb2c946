//! Finding a label name that a sample has twice.

use ahash::RandomState;
use hashbrown::HashSet;

use crate::family::{Label, Text};

/// Up to this many labels a name is compared with each.
const FEW: usize = 16;

/// The names of a sample's labels, kept only once they are many: a line of a million labels must not cost a million times
/// a million comparisons.
#[derive(Debug, Default)]
pub(super) struct LabelNames(HashSet<Text, RandomState>);

impl LabelNames {
    /// True when `labels` have one of this name already; else the name is remembered. `labels` only grow between calls,
    /// or start again empty.
    pub(super) fn is_repeated(&mut self, labels: &[Label], name: &str) -> bool {
        if labels.len() < FEW {
            self.0.clear();
            return labels.iter().any(|l| l.name == name);
        }
        if self.0.is_empty() {
            self.0.extend(labels.iter().map(|l| l.name.clone()));
        }
        !self.0.insert(Text::from(name))
    }
}
