//! Regular expressions, for whoever has single texts to match: in time linear in them.

use engine::regex::Regex;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Add this file's class to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyPattern>()
}

/// A regular expression that has to match the whole of a text.
#[pyclass(name = "Pattern", frozen, module = "bridge._core")]
pub struct PyPattern(Regex);

#[pymethods]
impl PyPattern {
    #[new]
    fn new(text: &str) -> PyResult<Self> {
        let compiled = Regex::new(text);
        compiled
            .map(Self)
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}
