//! Label sets of many series.

use std::borrow::Cow;

use engine::labels::{format_labels, pack};
use engine::promql::{Grouping, LabelSets, Room};
use engine::regex::Rewrite;
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::buffer::{Numbers, Slice, View};
use crate::column::labels_dict;
use crate::gil::detach_if_long;
use crate::selected::{failure, limit_of};

/// Add this file's class to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyLabelSets>()
}

/// The label sets of many series.
#[pyclass(name = "LabelSets", frozen, module = "bridge._core")]
pub struct PyLabelSets(pub LabelSets);

#[pymethods]
impl PyLabelSets {
    #[new]
    fn new(sets: Vec<Bound<'_, PyDict>>) -> PyResult<Self> {
        let packed = |labels: &Bound<'_, PyDict>| {
            let labels: Vec<(String, String)> = labels.items().extract()?;
            let mut pairs: Vec<(&str, &str)> = labels.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let mut out = Vec::new();
            pack(&mut pairs, &mut out).map_err(|error| PyValueError::new_err(error.to_string()))?;
            Ok(out.into())
        };
        let sets = sets.iter().map(packed).collect::<PyResult<_>>()?;
        Ok(Self(LabelSets::new(sets)))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn labels<'py>(&self, py: Python<'py>, series: usize) -> PyResult<Bound<'py, PyDict>> {
        let labels = self
            .0
            .get(series)
            .ok_or_else(|| PyIndexError::new_err("no such series"))?;
        labels_dict(py, labels)
    }

    fn packed<'py>(&self, py: Python<'py>, series: usize) -> PyResult<Bound<'py, PyBytes>> {
        let labels = self
            .0
            .get(series)
            .ok_or_else(|| PyIndexError::new_err("no such series"))?;
        Ok(PyBytes::new(py, labels.packed()))
    }

    fn text(&self, series: usize) -> PyResult<String> {
        let labels = self
            .0
            .get(series)
            .ok_or_else(|| PyIndexError::new_err("no such series"))?;
        let mut out = String::new();
        format_labels(labels, &mut out);
        Ok(out)
    }

    fn values(&self, name: &str) -> Vec<String> {
        self.0.values(name).map(Into::into).collect()
    }

    fn take(&self, rows: Slice<i64>) -> Self {
        Self(self.0.take(rows.as_slice()))
    }

    fn concat(&self, other: PyRef<'_, Self>) -> Self {
        Self(self.0.concat(&other.0))
    }

    fn is_same(&self, other: PyRef<'_, Self>) -> bool {
        self.0.is_same(&other.0)
    }

    fn group<'py>(&self, py: Python<'py>, names: Vec<String>, without: bool) -> PyResult<(View<'py>, Self)> {
        let grouping = Grouping::new(names, without);
        let (ids, sets) = detach_if_long(py, self.0.len(), || self.0.group(&grouping));
        Ok((Numbers::Groups(ids).view(py)?, Self(sets)))
    }

    fn match_groups<'py>(
        &self,
        py: Python<'py>,
        other: PyRef<'_, Self>,
        names: Vec<String>,
        without: bool,
    ) -> PyResult<(View<'py>, View<'py>, Self)> {
        let grouping = Grouping::new(names, without);
        let other: &Self = &other;
        let size = self.0.len() + other.0.len();
        let (left, right, sets) = detach_if_long(py, size, || self.0.match_groups(&other.0, &grouping));
        Ok((
            Numbers::Groups(left).view(py)?,
            Numbers::Groups(right).view(py)?,
            Self(sets),
        ))
    }

    fn duplicates<'py>(&self, py: Python<'py>) -> PyResult<Option<(View<'py>, Self)>> {
        let found = detach_if_long(py, self.0.len(), || self.0.duplicates());
        found
            .map(|(ids, sets)| Ok((Numbers::Groups(ids).view(py)?, Self(sets))))
            .transpose()
    }

    fn order<'py>(&self, py: Python<'py>) -> PyResult<Option<View<'py>>> {
        let order = detach_if_long(py, self.0.len(), || self.0.order());
        order.map(|order| Numbers::Integers(order).view(py)).transpose()
    }

    fn without_metadata(&self, which: Slice<u8>) -> Self {
        Self(self.0.without_metadata(which.as_slice()))
    }

    fn with_label(&self, name: &str, values: Vec<Option<String>>) -> Self {
        Self(
            self.0
                .with_label(name, values.into_iter().map(|value| value.map(Cow::from))),
        )
    }

    fn dropped(&self, names: Vec<String>) -> Self {
        Self(self.0.dropped(&names))
    }

    fn distinct(&self, name: &str) -> Vec<&str> {
        self.0.distinct(name)
    }

    fn replaced<'py>(
        &self,
        py: Python<'py>,
        target: &str,
        template: &str,
        source: &str,
        pattern: &str,
        max_bytes: usize,
    ) -> PyResult<(Self, View<'py>, usize)> {
        let pattern = Rewrite::new(pattern).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let mut room = Room::new(limit_of(max_bytes));
        let replaced = detach_if_long(py, self.0.len(), || {
            self.0.replaced(target, template, source, &pattern, &mut room)
        });
        let (labels, matched) = replaced.map_err(|failed| failure(py, failed))?;
        Ok((Self(labels), Numbers::Flags(matched).view(py)?, room.taken()))
    }

    fn joined(
        &self,
        py: Python<'_>,
        target: &str,
        separator: &str,
        sources: Vec<String>,
        max_bytes: usize,
    ) -> PyResult<(Self, usize)> {
        let mut room = Room::new(limit_of(max_bytes));
        let joined = detach_if_long(py, self.0.len(), || {
            self.0.joined(target, separator, &sources, &mut room)
        });
        Ok((Self(joined.map_err(|failed| failure(py, failed))?), room.taken()))
    }

    fn ratios<'py>(&self, py: Python<'py>) -> PyResult<View<'py>> {
        Numbers::Floats(self.0.ratios()).view(py)
    }

    fn kept(&self, names: Vec<String>, without: bool) -> Self {
        Self(self.0.kept(&Grouping::new(names, without)))
    }

    fn including(
        &self,
        py: Python<'_>,
        other: PyRef<'_, Self>,
        names: Vec<String>,
        max_bytes: usize,
    ) -> PyResult<(Self, usize)> {
        let mut room = Room::new(limit_of(max_bytes));
        let (ours, theirs) = (&self.0, &other.0);
        let included = detach_if_long(py, ours.len(), || ours.including(theirs, &names, &mut room));
        Ok((Self(included.map_err(|failed| failure(py, failed))?), room.taken()))
    }
}
