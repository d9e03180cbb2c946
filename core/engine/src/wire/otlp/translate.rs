//! From resources to series, as Prometheus 3 translates them
//! (`prometheus/prometheus`, `storage/remote/otlptranslator/prometheusremotewrite`).

use std::fmt::Write;

use ahash::RandomState;
use hashbrown::HashSet;

use super::deltas::Deltas;
use super::exemplars::{self, Exemplar};
use super::histogram::{check_scale, custom, native, BadHistogram};
use super::labels::{Base, Extra, Names, PointLabels};
use super::metric::{Metric, Shape};
use super::points::{self, Explicit, Exponential, Point, Summary};
use super::resource::{Resource, Times};
use super::rows::{At, Rows};
use super::{Refused, Settings, Tally};
use crate::histogram::Histogram;
use crate::wire::message::{Field, Fields, Malformed};

/// How far ahead of us a client's clock may be, ms: one sample from next year would keep those of this year out.
const AHEAD: i64 = 600_000;

/// A request being translated.
pub struct Translator<'a, 's> {
    pub(super) settings: &'s Settings,
    pub(super) names: Names<'a>,
    pub(super) rows: Rows,
    pub(super) tally: Tally,
    /// Samples of `target_info` that there are already: several resources may describe one target.
    pub(super) targets: HashSet<(Vec<u8>, i64), RandomState>,
    deltas: Option<&'s mut Deltas>,
    now: i64,
    // Used again from point to point.
    labels: PointLabels<'a>,
    point: Point<'a>,
    explicit: Explicit,
    exponential: Exponential,
    summary: Summary,
    key: Vec<u8>,
    text: String,
}

/// Why a point is not taken.
type Reason = Box<dyn std::fmt::Display>;

fn because<R: std::fmt::Display + 'static>(reason: R) -> Reason {
    Box::new(reason)
}

impl<'a, 's> Translator<'a, 's> {
    /// `now` in ms; `limit` bounds the bytes of labels.
    pub fn new(settings: &'s Settings, deltas: Option<&'s mut Deltas>, now: i64, limit: usize) -> Self {
        Self {
            settings,
            names: Names::new(settings.label_namer()),
            rows: Rows::new(now, limit),
            tally: Tally::default(),
            targets: HashSet::default(),
            deltas,
            now,
            labels: PointLabels::default(),
            point: Point::default(),
            explicit: Explicit::default(),
            exponential: Exponential::default(),
            summary: Summary::default(),
            key: Vec::new(),
            text: String::new(),
        }
    }

    /// Translate an `ExportMetricsServiceRequest`.
    pub fn request(&mut self, message: &'a [u8]) -> Result<(), Refused> {
        for field in Fields::new(message) {
            if let (1, Field::Bytes(resource_metrics)) = field? {
                self.resource_metrics(resource_metrics)?;
            }
        }
        Ok(())
    }

    fn resource_metrics(&mut self, message: &'a [u8]) -> Result<(), Refused> {
        let resource = Resource::read(message)?;
        let mut times = Times::default();
        for field in Fields::new(message) {
            if let (2, Field::Bytes(scope_metrics)) = field? {
                let base = resource.base(scope_metrics, self)?;
                for field in Fields::new(scope_metrics) {
                    if let (2, Field::Bytes(metric)) = field? {
                        self.metric(metric, &base, &mut times)?;
                    }
                }
            }
        }
        self.target_info(&resource, times)
    }

    fn metric(&mut self, message: &'a [u8], base: &Base<'_>, times: &mut Times) -> Result<(), Refused> {
        let metric = Metric::read(message)?;
        let refusal = metric.refusal(self.deltas.is_some()).map(because);
        let name = refusal.map_or_else(|| metric.translated(self.settings.metric_namer()).map_err(because), Err);
        self.rows.tell(metric.metadata());
        for point in metric.points() {
            self.tally.points += 1;
            let taken = match &name {
                Ok(name) => self.point(point?, &metric, name, base)?,
                Err(reason) => Err(because(reason.to_string())),
            };
            match taken {
                Ok(()) => times.add(self.point.time),
                Err(reason) => self.tally.refuse(1, || format!("metric {:?}: {reason}", metric.name)),
            }
            self.rows.check()?;
        }
        if let (0, Err(reason)) = (metric.points().count(), &name) {
            self.tally.refuse(0, || format!("metric {:?}: {reason}", metric.name));
        }
        Ok(())
    }

    /// The series of one point; the inner error is why there are none.
    fn point(
        &mut self,
        message: &'a [u8],
        metric: &Metric<'a>,
        name: &str,
        base: &Base<'_>,
    ) -> Result<Result<(), Reason>, Malformed> {
        let mut value = 0.0;
        match metric.shape {
            Some(Shape::Gauge | Shape::Sum) => value = points::number(message, &mut self.point)?,
            Some(Shape::Explicit) => points::explicit(message, &mut self.point, &mut self.explicit)?,
            Some(Shape::Exponential) => points::exponential(message, &mut self.point, &mut self.exponential)?,
            Some(Shape::Summary) => points::summary(message, &mut self.point, &mut self.summary)?,
            None => {}
        }
        if self.point.time == 0 {
            return Ok(Err(because("a point without a time")));
        }
        if self.point.t() > self.now.saturating_add(AHEAD) {
            return Ok(Err(because("a point more than 10 minutes ahead")));
        }
        let begun = self.labels.begin(&mut self.point.attributes, base, &mut self.names);
        if let Err(reason) = begun {
            return Ok(Err(because(format!("attribute {reason}"))));
        }
        let exemplars = match metric.shape {
            Some(Shape::Gauge | Shape::Summary) | None => Vec::new(),
            _ => self
                .point
                .exemplars
                .iter()
                .copied()
                .map(exemplars::read)
                .collect::<Result<_, _>>()?,
        };
        if metric.is_delta() && matches!(metric.shape, Some(Shape::Sum | Shape::Explicit | Shape::Exponential)) {
            if let Err(reason) = self.accumulate(metric, name, &mut value) {
                return Ok(Err(reason));
            }
        }
        Ok(self.emit(metric, name, value, &exemplars))
    }

    /// Replace a delta by the sum of all so far.
    fn accumulate(&mut self, metric: &Metric<'_>, name: &str, value: &mut f64) -> Result<(), Reason> {
        let Some(deltas) = &mut self.deltas else {
            return Ok(());
        };
        self.key.clear();
        self.labels.put((name, ""), None, &mut self.key);
        let (key, span) = (self.key.as_slice(), (self.point.start, self.point.time));
        if self.point.ended {
            deltas.end(key);
            return Ok(());
        }
        let added = match metric.shape {
            Some(Shape::Explicit) => deltas.explicit(key, span, self.now, &mut self.explicit),
            Some(Shape::Exponential) => {
                check_scale(&self.exponential).map_err(because)?;
                deltas.exponential(key, span, self.now, &mut self.exponential)
            }
            _ => deltas.number(key, span, self.now, value),
        };
        added.map_err(because)
    }

    fn emit(&mut self, metric: &Metric<'_>, name: &str, value: f64, exemplars: &[Exemplar]) -> Result<(), Reason> {
        let at = At {
            t: self.point.t(),
            start: self.start(metric),
            ended: self.point.ended,
        };
        let ended = |made: Result<Histogram, BadHistogram>| if at.ended { Ok(made.unwrap_or_default()) } else { made };
        match metric.shape {
            Some(Shape::Gauge | Shape::Sum) => self.rows.float(&self.labels, (name, ""), None, at, value),
            Some(Shape::Explicit) if self.settings.custom_buckets => {
                let made = ended(custom(&self.explicit)).map_err(because)?;
                self.rows.histogram(&self.labels, name, at, made);
            }
            Some(Shape::Exponential) => {
                let made = ended(native(&self.exponential)).map_err(because)?;
                self.rows.histogram(&self.labels, name, at, made);
            }
            Some(Shape::Explicit) => {
                self.classic(name, at, exemplars);
                return Ok(());
            }
            Some(Shape::Summary) => self.quantiles(name, at),
            None => {}
        }
        exemplars.iter().for_each(|exemplar| self.rows.exemplar(exemplar, at.t));
        Ok(())
    }

    /// When the series of a point began with nothing, if that is wanted and told: only what counts begins so.
    fn start(&self, metric: &Metric<'_>) -> Option<i64> {
        let start = self.point.start();
        let begins = self.settings.start_samples && metric.counts() && !metric.is_delta() && !self.point.ended;
        (begins && start > 0 && start < self.point.t()).then_some(start)
    }

    /// A histogram as `_sum`, `_count` and a series for each bucket, with the exemplars that lie in it.
    fn classic(&mut self, name: &str, at: At, exemplars: &[Exemplar]) {
        let Self {
            rows,
            labels,
            explicit,
            text,
            ..
        } = self;
        if let Some(sum) = explicit.sum {
            rows.float(labels, (name, "_sum"), None, at, sum);
        }
        rows.float(labels, (name, "_count"), None, at, explicit.count as f64);
        let mut cumulative = 0u64;
        let mut below = f64::NEG_INFINITY;
        let finite = explicit
            .bounds
            .iter()
            .zip(&explicit.counts)
            .filter(|(bound, _)| bound.is_finite());
        for (bound, count) in finite {
            cumulative = cumulative.saturating_add(*count);
            text.clear();
            let _ = write!(text, "{bound}");
            rows.float(
                labels,
                (name, "_bucket"),
                Some((Extra::Bucket, text)),
                at,
                cumulative as f64,
            );
            let inside = |exemplar: &&Exemplar| exemplar.value > below && exemplar.value <= *bound;
            exemplars
                .iter()
                .filter(inside)
                .for_each(|exemplar| rows.exemplar(exemplar, at.t));
            below = below.max(*bound);
        }
        let count = explicit.count as f64;
        rows.float(labels, (name, "_bucket"), Some((Extra::Bucket, "+Inf")), at, count);
        let beyond = |exemplar: &&Exemplar| exemplar.value > below || exemplar.value.is_nan();
        exemplars
            .iter()
            .filter(beyond)
            .for_each(|exemplar| rows.exemplar(exemplar, at.t));
    }

    /// A summary as `_sum`, `_count` and a series for each quantile.
    fn quantiles(&mut self, name: &str, at: At) {
        let Self {
            rows,
            labels,
            summary,
            text,
            ..
        } = self;
        rows.float(labels, (name, "_sum"), None, at, summary.sum);
        rows.float(labels, (name, "_count"), None, at, summary.count as f64);
        for (quantile, value) in &summary.quantiles {
            text.clear();
            let _ = write!(text, "{quantile}");
            rows.float(labels, (name, ""), Some((Extra::Quantile, text)), at.unbegun(), *value);
        }
    }
}
