//! Postings: which series have which labels, asked of any inverted index.
//!
//! The head and each block have an index of their own kind. What they share is a [`Source`]: ascending lists of series
//! numbers by label pair. [`select`] turns matchers into one such list; [`names`] and [`values`] tell what labels there are.

mod labels;
mod list;
mod select;

pub use labels::{names, values};
pub use list::List;
pub use select::select;

/// An inverted index over series that are known by numbers.
///
/// Invariant of every implementation: a list ascends strictly, and no series is in the lists of two values of one name.
pub trait Source {
    /// Why an index cannot be read.
    type Error;
    /// A list of series.
    type List<'s>: List
    where
        Self: 's;

    /// All series.
    fn all(&self) -> Result<Vec<u32>, Self::Error>;

    /// The series that have this pair.
    fn list(&self, name: &str, value: &str) -> Result<Option<Self::List<'_>>, Self::Error>;

    /// The lists of those values of `name` that begin with `prefix` and that `accept` takes, in any order.
    fn lists(
        &self,
        name: &str,
        prefix: &str,
        accept: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Vec<Self::List<'_>>, Self::Error>;

    /// How many values `name` has, about.
    fn value_count(&self, name: &str) -> usize;

    /// Show each label name, in any order.
    fn visit_names(&self, visit: &mut dyn FnMut(&str)) -> Result<(), Self::Error>;

    /// Show each label of one series.
    fn visit_labels(&self, series: u32, visit: &mut dyn FnMut(&str, &str)) -> Result<(), Self::Error>;
}
