//! A family being read: its metadata, its finished metrics and the one that is not finished.

use ahash::RandomState;
use hashbrown::HashSet;

use crate::bytes::put_prefixed;
use crate::family::{Family, Kind, Label, Metric, Text};
use crate::wire::openmetrics::line::{unescape, Read, Sample};
use crate::wire::openmetrics::point::{suffixes, take_bound, Point, Role};

#[derive(Debug)]
pub(super) struct Draft {
    /// As metadata has it, without the suffixes of samples.
    pub(super) name: Text,
    kind: Option<Kind>,
    help: Option<Text>,
    unit: Option<Text>,
    metrics: Vec<Metric>,
    point: Option<Point>,
    /// Label sets of earlier metrics: they must not come back.
    closed: HashSet<Vec<u8>, RandomState>,
}

impl Draft {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            kind: None,
            help: None,
            unit: None,
            metrics: Vec::new(),
            point: None,
            closed: HashSet::default(),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind.unwrap_or(Kind::Untyped)
    }

    /// True once a sample was read: from then on the metadata is settled.
    pub(super) fn has_samples(&self) -> bool {
        self.point.is_some() || !self.metrics.is_empty()
    }

    /// Take a metadata line.
    pub(super) fn describe(&mut self, keyword: &str, text: &str) -> Read<()> {
        if self.has_samples() {
            return Err(format!("{keyword} of {:?} behind its samples", self.name));
        }
        let repeated = match keyword {
            "TYPE" => self.kind.replace(kind_of(text)?).is_some(),
            "HELP" => self.help.replace(Text::from(unescape(text))).is_some(),
            _ => self.unit.replace(Text::from(text)).is_some(),
        };
        if repeated {
            return Err(format!("second {keyword} of {:?}", self.name));
        }
        Ok(())
    }

    /// Check what metadata lines mean together.
    pub(super) fn check(&self) -> Read<()> {
        let Some(unit) = self.unit.as_ref().filter(|unit| !unit.is_empty()) else {
            return Ok(());
        };
        if matches!(self.kind(), Kind::Info | Kind::StateSet) {
            return Err(format!("{:?} cannot have a unit", self.name));
        }
        if !self
            .name
            .strip_suffix(unit.as_str())
            .is_some_and(|rest| rest.ends_with('_'))
        {
            return Err(format!("the name {:?} does not end in its unit {unit:?}", self.name));
        }
        Ok(())
    }

    /// Names that belong to the family.
    pub(super) fn names(&self) -> impl Iterator<Item = Text> + '_ {
        let samples = suffixes(self.kind()).iter().map(|(suffix, _)| *suffix);
        std::iter::once("")
            .chain(samples.filter(|suffix| !suffix.is_empty()))
            .map(|suffix| self.name.clone() + suffix)
    }

    /// What a sample of this name tells of the family; `None` when it is another family's.
    pub(super) fn role_of(&self, sample: &str) -> Read<Option<Role>> {
        let Some(suffix) = sample.strip_prefix(self.name.as_str()) else {
            return Ok(None);
        };
        let known = suffixes(self.kind());
        let role = known.iter().find(|(s, _)| *s == suffix).map(|(_, role)| *role);
        if role.is_none() && suffix.is_empty() {
            let wanted: Vec<&str> = known.iter().map(|(s, _)| *s).collect();
            return Err(format!("the samples of {:?} end in {}", self.name, wanted.join(", ")));
        }
        Ok(role)
    }

    /// Take a sample. `count` grows by the metrics, buckets and quantiles that begin with it.
    pub(super) fn add(&mut self, role: Role, mut sample: Sample<'_>, count: &mut usize) -> Read<()> {
        let bound = match role {
            Role::Bucket => Some(take_bound(&mut sample.labels, "le")?),
            Role::Quantile => Some(take_bound(&mut sample.labels, "quantile")?),
            _ => None,
        };
        let kind = self.kind();
        if kind == Kind::StateSet && sample.labels.iter().all(|l| l.name != self.name) {
            return Err(format!("a state needs the label {:?}", self.name));
        }
        *count += usize::from(bound.is_some());
        self.turn_to(&mut sample, count)?.add(kind, role, bound, sample)
    }

    /// The point of this sample, whose labels are moved there when it is a new one.
    fn turn_to(&mut self, sample: &mut Sample<'_>, count: &mut usize) -> Read<&mut Point> {
        let is_next = match &self.point {
            None => true,
            Some(point) if is_same(&point.labels, &sample.labels) => match (point.time, sample.time) {
                (None, None) => false,
                (Some(before), Some(now)) if before > now => return Err("timestamps of a metric go back".into()),
                (Some(before), Some(now)) => before < now,
                _ => return Err("timestamps on some samples of a metric only".into()),
            },
            Some(point) => {
                self.closed.insert(key(&point.labels));
                if self.closed.contains(&key(&sample.labels)) {
                    return Err("the samples of a metric do not stand together".into());
                }
                true
            }
        };
        if is_next {
            self.close_point()?;
            *count += 1;
        }
        let labels = &mut sample.labels;
        Ok(self
            .point
            .get_or_insert_with(|| Point::new(std::mem::take(labels), sample.time)))
    }

    fn close_point(&mut self) -> Read<()> {
        if let Some(point) = self.point.take() {
            let metric = point.close(self.kind());
            self.metrics
                .push(metric.map_err(|why| format!("{:?}: {why}", self.name))?);
        }
        Ok(())
    }

    /// The family, unless it has no samples.
    pub(super) fn finish(mut self) -> Read<Option<Family>> {
        self.close_point()?;
        let kind = self.kind();
        let name = match kind {
            Kind::Counter => self.name + "_total",
            Kind::Info => self.name + "_info",
            _ => self.name,
        };
        let family = Family {
            name,
            help: self.help,
            kind,
            unit: self.unit.unwrap_or_default(),
            metrics: self.metrics,
        };
        Ok(Some(family).filter(|f| !f.metrics.is_empty()))
    }
}

fn kind_of(word: &str) -> Read<Kind> {
    match word {
        "counter" => Ok(Kind::Counter),
        "gauge" => Ok(Kind::Gauge),
        "histogram" => Ok(Kind::Histogram),
        "gaugehistogram" => Ok(Kind::GaugeHistogram),
        "summary" => Ok(Kind::Summary),
        "info" => Ok(Kind::Info),
        "stateset" => Ok(Kind::StateSet),
        "unknown" => Ok(Kind::Untyped),
        _ => Err(format!("unknown metric type {word:?}")),
    }
}

/// Label sets are equal in any order; they mostly come in the same.
fn is_same(a: &[Label], b: &[Label]) -> bool {
    a == b || (a.len() == b.len() && key(a) == key(b))
}

fn key(labels: &[Label]) -> Vec<u8> {
    let mut sorted: Vec<&Label> = labels.iter().collect();
    sorted.sort_unstable();
    let mut key = Vec::new();
    for label in sorted {
        put_prefixed(&mut key, label.name.as_bytes());
        put_prefixed(&mut key, label.value.as_bytes());
    }
    key
}
