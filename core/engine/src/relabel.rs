//! Relabelling: rules that change a label set, or drop it. Names, defaults and results are Prometheus'.
//!
//! | action                   | what it does                                                                         |
//! |--------------------------|--------------------------------------------------------------------------------------|
//! | `replace`                | where the source matches: target = replacement, both expanded; empty deletes         |
//! | `keep`, `drop`           | drop sets whose source does not match, or does                                       |
//! | `keepequal`, `dropequal` | drop sets whose source is not equal to the target, or is                             |
//! | `hashmod`                | target = last 8 bytes of the source's MD5, big-endian, modulo `modulus`              |
//! | `labelmap`               | each label whose name matches is also there under the expanded replacement           |
//! | `labeldrop`, `labelkeep` | delete labels whose name matches, or does not                                        |
//! | `lowercase`, `uppercase` | target = source in that case                                                         |
//!
//! The source is the values of `source_labels` with `separator` between them; patterns are anchored at both ends.

mod case;
mod rule;
mod working;

pub use rule::{Invalid, Rule, Settings};
pub use working::Working;

use crate::labels::{Labels, LabelsError};

/// Apply `rules` in their order to `labels`; false when one drops it, and then `out` is as it was. Else the new set is appended
/// to `out`, packed; it may be empty.
pub fn relabel(rules: &[Rule], labels: Labels<'_>, out: &mut Vec<u8>) -> Result<bool, LabelsError> {
    let mut working = Working::new(labels);
    if !rules.iter().all(|rule| rule.apply(&mut working)) {
        return Ok(false);
    }
    working.pack(out)?;
    Ok(true)
}

#[cfg(test)]
mod tests;
