//! What is told about a metric besides its samples.

use crate::family::{Family, Kind, Text};

/// Type, unit and help of a metric.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Metadata {
    /// Its type; untyped when it has none or an unknown one.
    pub kind: Kind,
    /// Empty when it has none.
    pub unit: Text,
    /// Empty when it has none.
    pub help: Text,
}

/// The number of a type in the log and in remote write.
pub fn kind_number(kind: Kind) -> u8 {
    match kind {
        Kind::Untyped => 0,
        Kind::Counter => 1,
        Kind::Gauge => 2,
        Kind::Histogram => 3,
        Kind::GaugeHistogram => 4,
        Kind::Summary => 5,
        Kind::Info => 6,
        Kind::StateSet => 7,
    }
}

/// The type of a number; numbers that later versions may give out say nothing.
pub fn kind_of_number(number: u64) -> Kind {
    match number {
        1 => Kind::Counter,
        2 => Kind::Gauge,
        3 => Kind::Histogram,
        4 => Kind::GaugeHistogram,
        5 => Kind::Summary,
        6 => Kind::Info,
        7 => Kind::StateSet,
        _ => Kind::Untyped,
    }
}

impl Metadata {
    /// What a family tells; `None` when that is nothing.
    pub fn of(family: &Family) -> Option<Self> {
        let told = family.kind != Kind::Untyped || family.help.is_some() || !family.unit.is_empty();
        told.then(|| Self {
            kind: family.kind,
            unit: family.unit.clone(),
            help: family.help.clone().unwrap_or_default(),
        })
    }

    /// It tells nothing.
    pub fn is_empty(&self) -> bool {
        self.kind == Kind::Untyped && self.unit.is_empty() && self.help.is_empty()
    }

    /// The type as Prometheus' API writes it.
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Untyped => "unknown",
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::GaugeHistogram => "gaugehistogram",
            Kind::Summary => "summary",
            Kind::Info => "info",
            Kind::StateSet => "stateset",
        }
    }
}
