//! A metric, without its points.

use std::sync::Arc;

use super::names::{self, MetricNamer};
use super::Settings;
use crate::family::{Kind, Text};
use crate::metadata::Metadata;
use crate::wire::message::{text, Field, Fields, Malformed};

/// What a metric's points are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `Gauge`
    Gauge,
    /// `Sum`
    Sum,
    /// `Histogram`
    Explicit,
    /// `ExponentialHistogram`
    Exponential,
    /// `Summary`
    Summary,
}

/// What the points of sums and histograms count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temporality {
    /// Not told, which is an error; nor is it asked of gauges and summaries.
    Unspecified,
    /// From the point before.
    Delta,
    /// From the start of the series.
    Cumulative,
}

/// A `Metric`.
#[derive(Debug, Clone, Copy)]
pub struct Metric<'a> {
    /// As it came.
    pub name: &'a str,
    description: &'a str,
    unit: &'a str,
    /// None when it has no data.
    pub shape: Option<Shape>,
    /// Of its points.
    pub temporality: Temporality,
    monotonic: bool,
    data: &'a [u8],
}

impl<'a> Metric<'a> {
    /// Read the message.
    pub fn read(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut metric = Self {
            name: "",
            description: "",
            unit: "",
            shape: None,
            temporality: Temporality::Unspecified,
            monotonic: false,
            data: &[],
        };
        for field in Fields::new(message) {
            let (number, Field::Bytes(bytes)) = field? else {
                continue;
            };
            let shape = match number {
                5 => Shape::Gauge,
                7 => Shape::Sum,
                9 => Shape::Explicit,
                10 => Shape::Exponential,
                11 => Shape::Summary,
                1 => {
                    metric.name = text(bytes)?;
                    continue;
                }
                2 => {
                    metric.description = text(bytes)?;
                    continue;
                }
                3 => {
                    metric.unit = text(bytes)?;
                    continue;
                }
                _ => continue,
            };
            (metric.shape, metric.data) = (Some(shape), bytes);
        }
        for field in Fields::new(metric.data) {
            match field? {
                (2, Field::Varint(1)) => metric.temporality = Temporality::Delta,
                (2, Field::Varint(2)) => metric.temporality = Temporality::Cumulative,
                (2, Field::Varint(_)) => metric.temporality = Temporality::Unspecified,
                (3, Field::Varint(v)) => metric.monotonic = v != 0,
                _ => {}
            }
        }
        Ok(metric)
    }

    /// The messages of its points.
    pub fn points(&self) -> impl Iterator<Item = Result<&'a [u8], Malformed>> {
        Fields::new(self.data).filter_map(|field| match field {
            Ok((1, Field::Bytes(point))) => Some(Ok(point)),
            Ok(_) => None,
            Err(malformed) => Some(Err(malformed)),
        })
    }

    /// True when its points count from the one before.
    pub fn is_delta(&self) -> bool {
        self.temporality == Temporality::Delta
    }

    /// True when its points count from 0 on.
    pub fn counts(&self) -> bool {
        match self.shape {
            Some(Shape::Sum) => self.monotonic,
            Some(Shape::Explicit | Shape::Exponential | Shape::Summary) => true,
            Some(Shape::Gauge) | None => false,
        }
    }

    /// Why its points cannot be taken. `converts`: deltas are added up.
    pub fn refusal(&self, converts: bool) -> Option<&'static str> {
        let Some(shape) = self.shape else {
            return Some("no data of a known type");
        };
        if matches!(shape, Shape::Gauge | Shape::Summary) {
            return None;
        }
        match self.temporality {
            Temporality::Cumulative => None,
            Temporality::Delta if converts => None,
            Temporality::Delta => Some("delta temporality is not taken (otlp.delta_to_cumulative is off)"),
            Temporality::Unspecified => Some("no aggregation temporality"),
        }
    }

    /// Its name here.
    pub fn translated(&self, namer: MetricNamer) -> Result<String, names::NoName> {
        let kind = match self.shape {
            Some(Shape::Sum) if self.monotonic => names::Kind::Counter,
            Some(Shape::Gauge) => names::Kind::Gauge,
            _ => names::Kind::Other,
        };
        namer.name(self.name, self.unit, kind)
    }

    /// What it tells of itself.
    pub fn metadata(&self) -> Arc<Metadata> {
        let kind = match self.shape {
            Some(Shape::Sum) if self.monotonic => Kind::Counter,
            Some(Shape::Gauge | Shape::Sum) => Kind::Gauge,
            Some(Shape::Explicit | Shape::Exponential) => Kind::Histogram,
            Some(Shape::Summary) => Kind::Summary,
            None => Kind::Untyped,
        };
        Arc::new(Metadata {
            kind,
            unit: Text::from(names::unit_name(self.unit)),
            help: Text::from(self.description),
        })
    }
}

impl Settings {
    /// How metrics are named.
    pub(super) fn metric_namer(&self) -> MetricNamer {
        MetricNamer {
            escape: self.escape,
            suffixes: self.suffixes,
        }
    }
}
