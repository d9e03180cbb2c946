//! The head's index, as matchers ask it. Numbers are slots.

use std::convert::Infallible;

use super::series::Series;
use super::Head;
use crate::postings::Source;

impl Source for Head {
    type Error = Infallible;
    type List<'s> = &'s [u32];

    fn all(&self) -> Result<Vec<u32>, Infallible> {
        let series = self.series.from(0).map(|(slot, _)| slot);
        Ok(series.take_while(|slot| *slot < self.index.visible()).collect())
    }

    fn list(&self, name: &str, value: &str) -> Result<Option<&[u32]>, Infallible> {
        let values = self.index.values(name);
        Ok(values.and_then(|values| values.get(value)).map(Vec::as_slice))
    }

    fn lists(&self, name: &str, prefix: &str, accept: &mut dyn FnMut(&str) -> bool) -> Result<Vec<&[u32]>, Infallible> {
        let values = self.index.values(name).into_iter().flatten();
        let found = values.filter(|(value, _)| value.starts_with(prefix) && accept(value));
        Ok(found.map(|(_, list)| list.as_slice()).collect())
    }

    fn value_count(&self, name: &str) -> usize {
        self.index.values(name).map_or(0, |values| values.len())
    }

    fn visit_names(&self, visit: &mut dyn FnMut(&str)) -> Result<(), Infallible> {
        self.index.names().for_each(visit);
        Ok(())
    }

    fn visit_labels(&self, series: u32, visit: &mut dyn FnMut(&str, &str)) -> Result<(), Infallible> {
        let labels = self.series.get(series as usize).map(Series::labels).unwrap_or_default();
        labels.iter().for_each(|(name, value)| visit(name, value));
        Ok(())
    }
}
