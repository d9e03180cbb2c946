//! All groups at one moment, as they are shown.

use std::sync::Arc;

use crate::exposition::json;
pub use crate::exposition::Escaping;
use crate::family::Family;
use crate::regex::Matcher;

use super::group::{Group, GroupKey};
use super::page::Page;

/// Which exposition format, and what to do with names that are not legacy ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text 0.0.4 (and 1.0.0 with quoted names).
    Text(Escaping),
    /// OpenMetrics 1.0.0.
    OpenMetrics(Escaping),
    /// Delimited `io.prometheus.client.MetricFamily`.
    Protobuf(Escaping),
}

impl Format {
    /// By the names that content negotiation uses.
    pub fn parse(format: &str, escaping: &str) -> Option<Self> {
        let escaping = Escaping::parse(escaping)?;
        match format {
            "text" => Some(Self::Text(escaping)),
            "openmetrics" => Some(Self::OpenMetrics(escaping)),
            "protobuf" => Some(Self::Protobuf(escaping)),
            _ => None,
        }
    }
}

/// All groups at one moment; holds no lock.
pub struct Snapshot {
    groups: Vec<(Arc<GroupKey>, Arc<Group>)>,
}

impl Snapshot {
    /// Groups in the order of the page: fewer labels first, then by their names and values, as client_golang sorts metrics.
    pub fn new(mut groups: Vec<(Arc<GroupKey>, Arc<Group>)>) -> Self {
        groups.sort_unstable_by(|(a, _), (b, _)| (a.labels().len(), a.labels()).cmp(&(b.labels().len(), b.labels())));
        Self { groups }
    }

    /// Keys of groups that all matchers of one of the selectors match; no selector matches all.
    pub fn matching<'a>(&'a self, selectors: &'a [Vec<Matcher>]) -> impl Iterator<Item = &'a GroupKey> + 'a {
        self.groups.iter().map(|(key, _)| &**key).filter(move |key| {
            selectors.is_empty()
                || selectors
                    .iter()
                    .any(|matchers| matchers.iter().all(|m| m.matches(key.get(m.name()))))
        })
    }

    /// The page; with `names`, only the families of these names.
    pub fn page(self, own: Vec<Family>, format: Format, names: Option<&[String]>) -> Page {
        let times = self.push_times();
        Page::new(self.groups, own.into_iter().chain(times), format, names)
    }

    /// The two families of push times, over all groups.
    fn push_times(&self) -> Vec<Family> {
        let mut families: Vec<Family> = Vec::new();
        for (key, group) in &self.groups {
            for (i, family) in group.shown_push_times(key).into_iter().enumerate() {
                match families.get_mut(i) {
                    Some(known) => known.metrics.extend(family.metrics),
                    None => families.push(family),
                }
            }
        }
        families
    }

    /// `data` of `GET /api/v1/metrics`: an array with an object per group.
    pub fn api_json(&self) -> Vec<u8> {
        let mut out = String::from("[");
        for (i, (key, group)) in self.groups.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            json::group_open(key.labels(), group.failed_ms <= group.pushed_ms, &mut out);
            for family in group.shown_push_times(key) {
                json::family(&family, group.pushed_ms.max(group.failed_ms), &mut out);
            }
            for stored in &group.families {
                json::family(&stored.family(), stored.stamp_ms, &mut out);
            }
            out.push('}');
        }
        out.push(']');
        out.into_bytes()
    }
}
