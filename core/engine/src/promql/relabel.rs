//! `label_replace`, `label_join`, `count_values`, and the order by which `limit_ratio` chooses.

use std::borrow::Cow;

use hashbrown::HashMap;

use super::aggregate::{Cells, Groups};
use super::label_sets::{Grouping, LabelSets};
use super::room::Room;
use super::xxh64::xxh64;
use crate::labels::Labels;
use crate::query::Failed;
use crate::regex::Rewrite;

impl LabelSets {
    /// `target` set to `template` with what `pattern` captures in the value of `source`, in the sets where it matches; and which
    /// those are (1).
    pub fn replaced(
        &self,
        target: &str,
        template: &str,
        source: &str,
        pattern: &Rewrite,
        room: &mut Room,
    ) -> Result<(Self, Vec<u8>), Failed> {
        let captures = template.bytes().filter(|byte| *byte == b'$').count();
        let mut replace = |labels: Labels<'_>| {
            let value = labels.get(source);
            let longest = captures.saturating_mul(value.len()).saturating_add(template.len());
            room.take(longest.saturating_add(labels.packed().len()))?;
            Ok(pattern.apply(value, template))
        };
        let values: Vec<Option<String>> = self.iter().map(&mut replace).collect::<Result<_, Failed>>()?;
        let matched = values.iter().map(|value| value.is_some().into()).collect();
        Ok((
            self.with_label(target, values.into_iter().map(|value| value.map(Cow::from))),
            matched,
        ))
    }

    /// `target` set to the values of `sources`, with `separator` between them.
    pub fn joined(&self, target: &str, separator: &str, sources: &[String], room: &mut Room) -> Result<Self, Failed> {
        let mut join = |labels: Labels<'_>| {
            let values: Vec<&str> = sources.iter().map(|source| labels.get(source)).collect();
            let long: usize = values.iter().map(|value| value.len() + separator.len()).sum();
            room.take(long + labels.packed().len())?;
            Ok(Some(Cow::from(values.join(separator))))
        };
        let values: Vec<Option<Cow<'_, str>>> = self.iter().map(&mut join).collect::<Result<_, Failed>>()?;
        Ok(self.with_label(target, values.into_iter()))
    }

    /// Prometheus' own hash of each set, as a part of the largest one.
    pub fn ratios(&self) -> Vec<f64> {
        let mut bytes = Vec::new();
        let ratio = |labels: Labels<'_>| {
            bytes.clear();
            for (name, value) in labels.iter() {
                for text in [name, value] {
                    match u8::try_from(text.len()) {
                        Ok(short) if short < u8::MAX => bytes.push(short),
                        _ => {
                            let [a, b, c, ..] = (text.len() as u32).to_le_bytes();
                            bytes.extend_from_slice(&[u8::MAX, a, b, c]);
                        }
                    }
                    bytes.extend_from_slice(text.as_bytes());
                }
            }
            xxh64(&bytes) as f64 / u64::MAX as f64
        };
        self.iter().map(ratio).collect()
    }

    /// How many floats have each value in each group: series whose label `name` is the value.
    pub fn count_values(&self, name: &str, grouping: &Grouping, cells: &Cells<'_>) -> (Self, Groups) {
        let steps = cells.values.len().checked_div(self.len()).unwrap_or(0);
        let mut numbers: HashMap<(u32, u64), usize> = HashMap::new();
        let mut rows: Vec<(u32, u64)> = Vec::new();
        let mut counts = Groups::default();
        for (n, group) in cells.groups.iter().enumerate() {
            let range = n * steps..(n + 1) * steps;
            let values = cells.values.get(range.clone()).unwrap_or_default();
            let present = cells.present.get(range).unwrap_or_default();
            for (step, (value, _)) in values
                .iter()
                .zip(present)
                .enumerate()
                .filter(|(_, (_, there))| **there != 0)
            {
                // All NaNs print alike; the two zeros do not.
                let bits = if value.is_nan() {
                    f64::NAN.to_bits()
                } else {
                    value.to_bits()
                };
                let key = (*group, bits);
                let row = *numbers.entry(key).or_insert_with(|| {
                    rows.push(key);
                    counts.values.resize(rows.len() * steps, 0.0);
                    counts.present.resize(rows.len() * steps, 0);
                    rows.len() - 1
                });
                if let (Some(count), Some(there)) = (
                    counts.values.get_mut(row * steps + step),
                    counts.present.get_mut(row * steps + step),
                ) {
                    *count += 1.0;
                    *there = 1;
                }
            }
        }
        let group_rows: Vec<i64> = rows.iter().map(|(group, _)| i64::from(*group)).collect();
        let texts = rows.iter().map(|(_, bits)| {
            let value = f64::from_bits(*bits);
            // All digits, and never an exponent.
            Some(Cow::from(if value.is_infinite() {
                format!("{value:+}").replace("inf", "Inf")
            } else {
                value.to_string()
            }))
        });
        let (_, groups) = self.group(grouping);
        (groups.take(&group_rows).with_label(name, texts), counts)
    }
}
