//! What a resource and a scope give to all points that they have: `job`, `instance`, promoted attributes, `target_info`.

use std::borrow::Cow;
use std::sync::Arc;

use super::labels::{Base, PointLabels};
use super::rows::At;
use super::translate::Translator;
use super::value::{read_pair, value_text};
use super::{Promote, Refused};
use crate::family::Kind;
use crate::metadata::Metadata;
use crate::wire::message::{text, Field, Fields, Malformed};

const NAMESPACE: &str = "service.namespace";
const NAME: &str = "service.name";
const INSTANCE: &str = "service.instance.id";

const TARGET_INFO: &str = "target_info";
/// Samples of `target_info` of one resource in one request: a time far back is more likely a mistake.
const MAX_TARGET_INFO: i64 = 1000;

type Attributes<'a> = Vec<(&'a str, Cow<'a, str>)>;

/// A `Resource`.
#[derive(Debug, Default)]
pub struct Resource<'a> {
    attributes: Attributes<'a>,
    job: Option<String>,
    instance: Option<String>,
}

/// The times of a resource's points, nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times(Option<(u64, u64)>);

impl Times {
    /// Take one in.
    pub fn add(&mut self, t: u64) {
        let (first, last) = self.0.unwrap_or((t, t));
        self.0 = Some((first.min(t), last.max(t)));
    }
}

impl<'a> Resource<'a> {
    /// That of a `ResourceMetrics`.
    pub fn read(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut resource = Self::default();
        for field in Fields::new(message) {
            if let (1, Field::Bytes(bytes)) = field? {
                read_attributes(bytes, 1, &mut resource.attributes)?;
            }
        }
        let of = |key| {
            resource
                .attributes
                .iter()
                .find(|(other, _)| *other == key)
                .map(|(_, value)| value)
        };
        resource.job = of(NAME).map(|name| match of(NAMESPACE) {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name.to_string(),
        });
        resource.instance = of(INSTANCE).map(ToString::to_string);
        Ok(resource)
    }

    /// What the points of a `ScopeMetrics` get from here.
    pub fn base(&self, message: &'a [u8], translator: &mut Translator<'a, '_>) -> Result<Base<'a>, Malformed> {
        let mut base = Base::default();
        let settings = translator.settings;
        for (key, value) in &self.attributes {
            if settings.promote.takes(key) {
                match translator.names.of(key) {
                    Ok(name) => base.offer(name, value.clone()),
                    Err(reason) => translator.tally.refuse(0, || format!("resource attribute {reason}")),
                }
            }
        }
        self.identify(&mut base);
        if settings.scope_metadata {
            self.scope(message, &mut base, translator)?;
        }
        Ok(base)
    }

    fn identify(&self, base: &mut Base<'a>) {
        for (label, value) in [("job", &self.job), ("instance", &self.instance)] {
            if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
                base.set(label, Cow::Owned(value.clone()));
            }
        }
    }

    fn scope(
        &self,
        message: &'a [u8],
        base: &mut Base<'a>,
        translator: &mut Translator<'a, '_>,
    ) -> Result<(), Malformed> {
        let (mut name, mut version, mut url) = ("", "", "");
        let mut attributes = Attributes::new();
        for field in Fields::new(message) {
            match field? {
                (1, Field::Bytes(scope)) => {
                    for field in Fields::new(scope) {
                        match field? {
                            (1, Field::Bytes(bytes)) => name = text(bytes)?,
                            (2, Field::Bytes(bytes)) => version = text(bytes)?,
                            _ => {}
                        }
                    }
                    read_attributes(scope, 3, &mut attributes)?;
                }
                (3, Field::Bytes(bytes)) => url = text(bytes)?,
                _ => {}
            }
        }
        if name.is_empty() {
            return Ok(());
        }
        for (key, value) in attributes {
            match translator.settings.label_namer().name(&format!("otel_scope_{key}")) {
                Ok(name) => base.set(name, value),
                Err(reason) => translator.tally.refuse(0, || format!("scope attribute {reason}")),
            }
        }
        for (label, value) in [
            ("otel_scope_name", name),
            ("otel_scope_version", version),
            ("otel_scope_schema_url", url),
        ] {
            base.set(label, Cow::Borrowed(value));
        }
        Ok(())
    }

    /// The attributes that are labels of `target_info`; none when it would tell nothing, or nobody's.
    fn described(&self, keep_identifying: bool) -> Option<Attributes<'a>> {
        let identifies = |key: &str| matches!(key, NAMESPACE | NAME | INSTANCE);
        let has = |value: &Option<String>| value.as_ref().is_some_and(|value| !value.is_empty());
        let tells = self.attributes.iter().any(|(key, _)| !identifies(key));
        if !tells || !(has(&self.job) || has(&self.instance)) {
            return None;
        }
        let kept = self
            .attributes
            .iter()
            .filter(|(key, _)| keep_identifying || !identifies(key));
        Some(kept.cloned().collect())
    }
}

impl<'a> Translator<'a, '_> {
    /// Samples of `target_info` from the first to the last time of the resource's points, so near to each other that a query
    /// at any time between finds one.
    pub(super) fn target_info(&mut self, resource: &Resource<'a>, times: Times) -> Result<(), Refused> {
        let described = resource.described(self.settings.keep_identifying);
        let (Some((first, last)), Some(mut attributes)) = (times.0, described) else {
            return Ok(());
        };
        let (mut base, mut labels) = (Base::default(), PointLabels::default());
        resource.identify(&mut base);
        if let Err(reason) = labels.begin(&mut attributes, &base, &mut self.names) {
            self.tally.refuse(0, || format!("resource attribute {reason}"));
            return Ok(());
        }
        let mut packed = Vec::new();
        labels.put((TARGET_INFO, ""), None, &mut packed);
        self.rows.tell(Arc::new(Metadata {
            kind: Kind::Gauge,
            unit: "".into(),
            help: "Target metadata".into(),
        }));
        let (first, last) = (super::points::ms(first), super::points::ms(last));
        let step = (self.settings.lookback / 2).max(1);
        let steps = ((last - first + step - 1) / step).min(MAX_TARGET_INFO);
        let first = if steps == MAX_TARGET_INFO {
            last - steps * step
        } else {
            first
        };
        for t in (0..steps).map(|n| first + n * step).chain([last]) {
            if self.targets.insert((packed.clone(), t)) {
                self.rows.float(
                    &labels,
                    (TARGET_INFO, ""),
                    None,
                    At {
                        t,
                        start: None,
                        ended: false,
                    },
                    1.0,
                );
            }
            self.rows.check()?;
        }
        Ok(())
    }
}

fn read_attributes<'a>(message: &'a [u8], number: u32, out: &mut Attributes<'a>) -> Result<(), Malformed> {
    for field in Fields::new(message) {
        if let (found, Field::Bytes(pair)) = field? {
            if found == number {
                let (key, value) = read_pair(pair)?;
                out.push((key, value_text(value)?));
            }
        }
    }
    Ok(())
}

impl Promote {
    fn takes(&self, attribute: &str) -> bool {
        match self {
            Self::Only(names) => names.iter().any(|name| name == attribute),
            Self::AllBut(names) => !names.iter().any(|name| name == attribute),
        }
    }
}
