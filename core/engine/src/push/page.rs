//! The page of all groups: families of the same name from all groups under one header, the bridge's own metrics among
//! them. It is written piece by piece: whole it may be larger than all that is kept.

use std::sync::Arc;

use ahash::RandomState;
use hashbrown::{HashMap, HashSet};

use crate::exposition::{openmetrics, protobuf, text, Escaping};
use crate::family::{Family, Text};

use super::group::{Group, GroupKey, Stored};
use super::render::Format;

/// A page under way. Holds no lock, only what was there when it began.
pub struct Page {
    groups: Vec<(Arc<GroupKey>, Arc<Group>)>,
    parts: std::vec::IntoIter<Part>,
    /// What is left of a family that is too long for one piece.
    rest: Option<std::vec::IntoIter<Place>>,
    format: Format,
    is_finished: bool,
}

/// One family of the page.
#[derive(Default)]
struct Part {
    own: Option<Family>,
    stored: Vec<Place>,
}

/// A stored family: of which group, and which one of it.
#[derive(Clone, Copy)]
struct Place {
    group: usize,
    family: usize,
}

impl Page {
    /// All groups in the order of the page, and families that no group has; with `names`, only those of these names.
    pub(super) fn new(
        groups: Vec<(Arc<GroupKey>, Arc<Group>)>,
        own: impl Iterator<Item = Family>,
        format: Format,
        names: Option<&[String]>,
    ) -> Self {
        let wanted: Option<HashSet<&str>> = names.map(|names| names.iter().map(String::as_str).collect());
        let is_wanted = |name: &Text| wanted.as_ref().is_none_or(|wanted| wanted.contains(name.as_str()));
        let mut parts: HashMap<Text, Part, RandomState> = HashMap::with_hasher(RandomState::new());
        for family in own.filter(|family| is_wanted(&family.name)) {
            let part = parts.entry(family.name.clone()).or_default();
            part.own = Some(family);
        }
        for (group, (_, content)) in groups.iter().enumerate() {
            for (family, stored) in content.families.iter().enumerate() {
                let place = Place { group, family };
                match parts.get_mut(&stored.name) {
                    Some(part) => part.stored.push(place),
                    None if is_wanted(&stored.name) => {
                        let stored_in = vec![place];
                        parts.insert(
                            stored.name.clone(),
                            Part {
                                own: None,
                                stored: stored_in,
                            },
                        );
                    }
                    None => {}
                }
            }
        }
        let mut parts: Vec<(Text, Part)> = parts.into_iter().collect();
        parts.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Self {
            groups,
            parts: parts.into_iter().map(|(_, part)| part).collect::<Vec<_>>().into_iter(),
            rest: None,
            format,
            is_finished: false,
        }
    }

    /// The next piece, of at least `size` bytes but for the last one; empty at the end.
    pub fn piece(&mut self, size: usize) -> Vec<u8> {
        match self.format {
            Format::Text(escaping) => self.text_piece(escaping, size).into_bytes(),
            Format::OpenMetrics(escaping) => self.openmetrics_piece(escaping, size).into_bytes(),
            Format::Protobuf(escaping) => {
                let mut out = Vec::new();
                while out.len() < size {
                    let Some(part) = self.parts.next() else { break };
                    self.whole(part)
                        .iter()
                        .for_each(|family| protobuf::family(family, escaping, &mut out));
                }
                out
            }
        }
    }

    fn text_piece(&mut self, escaping: Escaping, size: usize) -> String {
        let mut out = String::new();
        while out.len() < size {
            if let Some(rest) = &mut self.rest {
                let Some(place) = rest.next() else {
                    self.rest = None;
                    continue;
                };
                if let Some(stored) = stored_at(&self.groups, place) {
                    stored_lines(stored, escaping, &mut out);
                }
                continue;
            }
            let Some(part) = self.parts.next() else { break };
            self.text_header(&part, escaping, &mut out);
            if let Some(own) = &part.own {
                text::family_lines(own, escaping, &mut out);
            }
            self.rest = Some(part.stored.into_iter());
        }
        out
    }

    /// HELP and TYPE. The first HELP counts, the bridge's own before all others.
    fn text_header(&self, part: &Part, escaping: Escaping, out: &mut String) {
        let own = part.own.as_ref().map(|f| (&f.name, f.help.as_ref(), f.kind));
        let first = part.stored.first().and_then(|place| stored_at(&self.groups, *place));
        let first = first.map(|s| (&s.name, s.help.as_ref(), s.kind));
        if let Some((name, help, kind)) = own.or(first) {
            text::family_header(name, help.map(Text::as_str), kind, escaping, out);
        }
    }

    fn openmetrics_piece(&mut self, escaping: Escaping, size: usize) -> String {
        let mut out = String::new();
        while out.len() < size && !self.is_finished {
            match self.parts.next() {
                Some(part) => {
                    let family = self.whole(part);
                    family
                        .iter()
                        .for_each(|family| openmetrics::family(family, escaping, &mut out));
                }
                None => {
                    openmetrics::finish(&mut out);
                    self.is_finished = true;
                }
            }
        }
        out
    }

    /// One family with the metrics of all groups.
    fn whole(&self, part: Part) -> Option<Family> {
        let stored = part.stored.iter().filter_map(|place| stored_at(&self.groups, *place));
        let mut families = part.own.into_iter().chain(stored.map(Stored::family));
        let mut whole = families.next()?;
        for family in families {
            whole.metrics.extend(family.metrics);
        }
        Some(whole)
    }
}

fn stored_at(groups: &[(Arc<GroupKey>, Arc<Group>)], place: Place) -> Option<&Stored> {
    let (_, group) = groups.get(place.group)?;
    group.families.get(place.family).map(|stored| &**stored)
}

fn stored_lines(stored: &Stored, escaping: Escaping, out: &mut String) {
    if stored.legacy || escaping == Escaping::AllowUtf8 {
        out.push_str(stored.text());
    } else {
        text::family_lines(&stored.family(), escaping, out);
    }
}
