//! The page of all groups: families of the same name from all groups under one header, the bridge's own metrics among them.

use std::sync::Arc;

use ahash::RandomState;
use hashbrown::{HashMap, HashSet};

pub use crate::exposition::Escaping;
use crate::exposition::{json, openmetrics, protobuf, text};
use crate::family::{Family, Text};
use crate::regex::Matcher;

use super::group::{Group, GroupKey, Stored};

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

/// The pieces of one family's part of the page.
#[derive(Default)]
struct Part<'a> {
    own: Option<Family>,
    stored: Vec<&'a Stored>,
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

    /// The whole page; with `names`, only the families of these names.
    pub fn render(&self, own: Vec<Family>, format: Format, names: Option<&[String]>) -> Vec<u8> {
        let wanted: Option<HashSet<&str>> = names.map(|n| n.iter().map(String::as_str).collect());
        let mut parts: HashMap<Text, Part<'_>, RandomState> = HashMap::with_hasher(RandomState::new());
        for family in own.into_iter().chain(self.push_times()) {
            let part = parts.entry(family.name.clone()).or_default();
            part.own = Some(family);
        }
        for (_, group) in &self.groups {
            for stored in &group.families {
                match parts.get_mut(&stored.name) {
                    Some(part) => part.stored.push(stored),
                    None => {
                        parts.insert(
                            stored.name.clone(),
                            Part {
                                own: None,
                                stored: vec![stored],
                            },
                        );
                    }
                }
            }
        }
        let mut parts: Vec<(Text, Part<'_>)> = parts
            .into_iter()
            .filter(|(n, _)| wanted.as_ref().is_none_or(|w| w.contains(n.as_str())))
            .collect();
        parts.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let parts = parts.into_iter().map(|(_, part)| part);
        match format {
            Format::Text(escaping) => {
                let mut out = String::new();
                parts.for_each(|part| part.text(escaping, &mut out));
                out.into_bytes()
            }
            Format::OpenMetrics(escaping) => {
                let mut out = String::new();
                parts
                    .filter_map(Part::whole)
                    .for_each(|f| openmetrics::family(&f, escaping, &mut out));
                openmetrics::finish(&mut out);
                out.into_bytes()
            }
            Format::Protobuf(escaping) => {
                let mut out = Vec::new();
                parts
                    .filter_map(Part::whole)
                    .for_each(|f| protobuf::family(&f, escaping, &mut out));
                out
            }
        }
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

impl Part<'_> {
    /// HELP, TYPE and the lines of all groups. The first HELP counts, the bridge's own before all others.
    fn text(self, escaping: Escaping, out: &mut String) {
        let own = self.own.as_ref().map(|f| (&f.name, f.help.as_ref(), f.kind));
        let first = self.stored.first().map(|s| (&s.name, s.help.as_ref(), s.kind));
        if let Some((name, help, kind)) = own.or(first) {
            text::family_header(name, help.map(Text::as_str), kind, escaping, out);
        }
        if let Some(own) = &self.own {
            text::family_lines(own, escaping, out);
        }
        for stored in &self.stored {
            if stored.legacy || escaping == Escaping::AllowUtf8 {
                out.push_str(stored.text());
            } else {
                text::family_lines(&stored.family(), escaping, out);
            }
        }
    }

    /// One family with the metrics of all groups.
    fn whole(self) -> Option<Family> {
        let mut families = self.own.into_iter().chain(self.stored.iter().map(|s| s.family()));
        let mut whole = families.next()?;
        for family in families {
            whole.metrics.extend(family.metrics);
        }
        Some(whole)
    }
}
