//! The label sets of points: their own attributes, and what resource and scope give to all of their points.
//!
//! Of several labels of one name the upper one stands:
//!
//! | from | |
//! |---|---|
//! | the translation | `__name__`, `le`, `quantile` |
//! | scope, if promoted | `otel_scope_*`; one that is empty removes the label |
//! | resource | `job`, `instance` |
//! | the point | its attributes; those that get one name share it, `a;b` |
//! | resource, if promoted | its attributes |

use std::borrow::Cow;
use std::ops::Range;

use ahash::RandomState;
use hashbrown::HashMap;

use super::names::{LabelNamer, NoName};
use crate::bytes::{put_prefixed, put_uvarint};
use crate::family::Text;
use crate::labels::METRIC_NAME;

/// Names of labels, each made once.
pub struct Names<'a> {
    namer: LabelNamer,
    made: HashMap<&'a str, Text, RandomState>,
}

impl<'a> Names<'a> {
    /// None yet.
    pub fn new(namer: LabelNamer) -> Self {
        let made = HashMap::default();
        Self { namer, made }
    }

    /// The label for an attribute.
    pub fn of(&mut self, attribute: &'a str) -> Result<Text, NoName> {
        if let Some(name) = self.made.get(attribute) {
            return Ok(name.clone());
        }
        let name = Text::from(self.namer.name(attribute)?);
        self.made.insert(attribute, name.clone());
        Ok(name)
    }

    /// Different attributes may get one name.
    fn collide(&self) -> bool {
        self.namer.escape
    }
}

/// A label of a resource or a scope.
#[derive(Debug, Clone)]
struct Shared<'a> {
    name: Text,
    value: Cow<'a, str>,
    /// It stands whatever the point says.
    stands: bool,
}

/// What resource and scope give to all of their points.
#[derive(Debug, Clone, Default)]
pub struct Base<'a>(Vec<Shared<'a>>);

impl<'a> Base<'a> {
    /// Let a label stand; an empty value removes it.
    pub fn set(&mut self, name: impl Into<Text>, value: Cow<'a, str>) {
        self.put(name.into(), value, true);
    }

    /// A label for the points that have none of that name.
    pub fn offer(&mut self, name: Text, value: Cow<'a, str>) {
        self.put(name, value, false);
    }

    fn put(&mut self, name: Text, value: Cow<'a, str>, stands: bool) {
        let shared = Shared { name, value, stands };
        match self.0.binary_search_by(|other| other.name.cmp(&shared.name)) {
            Ok(place) => {
                if let Some(other) = self.0.get_mut(place) {
                    *other = shared;
                }
            }
            Err(place) => self.0.insert(place, shared),
        }
    }
}

/// The label set of a point, to which each of its series adds a name and perhaps a bucket.
#[derive(Debug, Default)]
pub struct PointLabels<'a> {
    own: Vec<(Text, Cow<'a, str>)>,
    packed: Vec<u8>,
    /// Where in `packed` the labels of [`ADDED`] belong; not empty where the point has such a label itself.
    places: [Range<usize>; ADDED.len()],
    /// Places that are known so far.
    known: usize,
}

/// A label that tells the series of one point apart; the number is its place in [`ADDED`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extra {
    /// `le`
    Bucket = 1,
    /// `quantile`
    Quantile = 2,
}

/// What series add to the labels of their point, in the order of names.
const ADDED: [&str; 3] = [METRIC_NAME, "le", "quantile"];

impl<'a> PointLabels<'a> {
    /// Begin with the attributes of a point, which are taken, and what its resource and scope give.
    pub fn begin(
        &mut self,
        attributes: &mut Vec<(&'a str, Cow<'a, str>)>,
        base: &Base<'_>,
        names: &mut Names<'a>,
    ) -> Result<(), NoName> {
        attributes.sort_by_key(|(key, _)| *key);
        self.own.clear();
        for (key, value) in attributes.drain(..) {
            if key != METRIC_NAME {
                self.own.push((names.of(key)?, value));
            }
        }
        if names.collide() {
            self.own.sort_by(|a, b| a.0.cmp(&b.0));
        }
        self.own.dedup_by(|(name, value), (first_name, first)| {
            let same = name == first_name;
            if same && names.collide() {
                *first = if first.is_empty() {
                    std::mem::take(value)
                } else {
                    Cow::Owned(format!("{first};{value}"))
                };
            }
            same
        });
        self.pack(base);
        Ok(())
    }

    fn pack(&mut self, base: &Base<'_>) {
        self.packed.clear();
        self.known = 0;
        let mut own = std::mem::take(&mut self.own);
        let mut shared = base.0.iter().peekable();
        for (name, value) in &own {
            while let Some(other) = shared.next_if(|other| other.name < *name) {
                self.put_label(&other.name, &other.value);
            }
            match shared.next_if(|other| other.name == *name) {
                Some(other) if other.stands || value.is_empty() => self.put_label(name, &other.value),
                _ => self.put_label(name, value),
            }
        }
        shared.for_each(|other| self.put_label(&other.name, &other.value));
        self.pass(|_| true);
        own.clear();
        self.own = own;
    }

    /// What is added by these names belongs here.
    fn pass(&mut self, names: impl Fn(&str) -> bool) {
        let here = self.packed.len();
        while let Some((place, _)) = self
            .places
            .get_mut(self.known)
            .zip(ADDED.get(self.known))
            .filter(|(_, name)| names(name))
        {
            *place = here..here;
            self.known += 1;
        }
    }

    fn put_label(&mut self, name: &str, value: &str) {
        if value.is_empty() || name == METRIC_NAME {
            return;
        }
        self.pass(|added| added < name);
        let start = self.packed.len();
        put_prefixed(&mut self.packed, name.as_bytes());
        put_prefixed(&mut self.packed, value.as_bytes());
        if ADDED.get(self.known) == Some(&name) {
            if let Some(place) = self.places.get_mut(self.known) {
                *place = start..self.packed.len();
            }
            self.known += 1;
        }
    }

    /// Append the label set of a series: the metric's name in two parts, and what tells it apart.
    pub fn put(&self, name: (&str, &str), extra: Option<(Extra, &str)>, out: &mut Vec<u8>) {
        let part = |range: Range<usize>| self.packed.get(range).unwrap_or_default();
        let place = |added: usize| self.places.get(added).cloned().unwrap_or_default();
        let mut end = place(0).end;
        out.extend_from_slice(part(0..place(0).start));
        put_prefixed(out, METRIC_NAME.as_bytes());
        put_uvarint(out, (name.0.len() + name.1.len()) as u64);
        out.extend_from_slice(name.0.as_bytes());
        out.extend_from_slice(name.1.as_bytes());
        if let Some((extra, value)) = extra {
            let place = place(extra as usize);
            out.extend_from_slice(part(end..place.start));
            put_prefixed(out, ADDED.get(extra as usize).unwrap_or(&"").as_bytes());
            put_prefixed(out, value.as_bytes());
            end = place.end;
        }
        out.extend_from_slice(part(end..self.packed.len()));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::labels::{format_labels, Labels};

    fn namer(escape: bool) -> LabelNamer {
        LabelNamer {
            escape,
            key_before_underscore: true,
            keep_underscores: true,
        }
    }

    fn set(
        escape: bool,
        own: &[(&'static str, &'static str)],
        base: &Base<'_>,
        extra: Option<(Extra, &str)>,
    ) -> String {
        let mut attributes: Vec<_> = own.iter().map(|(key, value)| (*key, Cow::Borrowed(*value))).collect();
        let mut labels = PointLabels::default();
        labels
            .begin(&mut attributes, base, &mut Names::new(namer(escape)))
            .unwrap();
        let (mut packed, mut text) = (Vec::new(), String::new());
        labels.put(("m", "_x"), extra, &mut packed);
        format_labels(Labels::checked(&packed).unwrap(), &mut text);
        text
    }

    #[test]
    fn attributes_of_one_name_share_it() {
        let own = [("a.b", "1"), ("a_b", "2"), ("a-b", ""), ("Z", "z"), ("__name__", "no")];
        let text = set(true, &own, &Base::default(), None);
        assert_eq!(text, r#"{Z="z", __name__="m_x", a_b="1;2"}"#);
        let text = set(false, &own, &Base::default(), None);
        assert_eq!(text, r#"{Z="z", __name__="m_x", "a.b"="1", a_b="2"}"#);
    }

    #[test]
    fn what_stands_and_what_gives_way() {
        let mut base = Base::default();
        base.offer("region".into(), "eu".into());
        base.offer("job".into(), "promoted".into());
        base.set("job", "j".into());
        base.set("otel_scope_version", "".into());
        let own = [("job", "own"), ("region", "own"), ("otel_scope_version", "own")];
        let text = set(true, &own, &base, None);
        assert_eq!(text, r#"{__name__="m_x", job="j", region="own"}"#);
        let text = set(true, &[("region", "")], &base, None);
        assert_eq!(text, r#"{__name__="m_x", job="j", region="eu"}"#);
    }

    #[test]
    fn buckets_and_quantiles_find_their_place() {
        for (own, extra, wanted) in [
            (
                &[("a", "1"), ("z", "2")][..],
                (Extra::Bucket, "+Inf"),
                r#"{__name__="m_x", a="1", le="+Inf", z="2"}"#,
            ),
            (
                &[("le", "own"), ("z", "2")],
                (Extra::Bucket, "1"),
                r#"{__name__="m_x", le="1", z="2"}"#,
            ),
            (
                &[("A", "1")],
                (Extra::Quantile, "0.5"),
                r#"{A="1", __name__="m_x", quantile="0.5"}"#,
            ),
            (
                &[("le", "own")],
                (Extra::Quantile, "0.5"),
                r#"{__name__="m_x", le="own", quantile="0.5"}"#,
            ),
        ] {
            assert_eq!(set(true, own, &Base::default(), Some(extra)), wanted);
        }
    }
}
