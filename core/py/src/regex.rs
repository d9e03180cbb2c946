//! Patterns of matchers, as far as the language asks about them.

use engine::regex::Regex;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(pattern_matches_empty, module)?)
}

/// True when the pattern matches "".
#[pyfunction]
fn pattern_matches_empty(py: Python<'_>, pattern: &str) -> PyResult<bool> {
    py.detach(|| Regex::new(pattern).map(|regex| regex.is_match("")))
        .map_err(|error| PyValueError::new_err(error.to_string()))
}
