//! An index, as matchers ask it. Numbers are the references that postings lists have.

use super::{Damage, Index, Postings};
use crate::labels::Labels;
use crate::postings::{List, Source};

impl List for Postings<'_> {
    fn len(self) -> usize {
        Postings::len(&self)
    }

    fn get(self, place: usize) -> Option<u32> {
        Postings::get(&self, place)
    }
}

impl Source for Index {
    type Error = Damage;
    type List<'s> = Postings<'s>;

    fn all(&self) -> Result<Vec<u32>, Damage> {
        Index::all(self).map(Iterator::collect)
    }

    fn list(&self, name: &str, value: &str) -> Result<Option<Postings<'_>>, Damage> {
        // The list of all series stands under the empty pair, which no label has.
        if name.is_empty() {
            return Ok(None);
        }
        self.postings(name, value).map(Some)
    }

    fn lists(
        &self,
        name: &str,
        prefix: &str,
        accept: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Vec<Postings<'_>>, Damage> {
        if name.is_empty() {
            return Ok(Vec::new());
        }
        let beginning = self.pairs.of_name(self.bytes(), name, prefix);
        let fitting = beginning.take_while(|pair| pair.value.starts_with(prefix));
        let accepted = fitting.filter(|pair| accept(pair.value));
        accepted.map(|pair| Index::list(self, pair.list)).collect()
    }

    fn value_count(&self, name: &str) -> usize {
        self.pairs.value_count(self.bytes(), name)
    }

    fn visit_names(&self, visit: &mut dyn FnMut(&str)) -> Result<(), Damage> {
        self.names().for_each(visit);
        Ok(())
    }

    fn visit_labels(&self, series: u32, visit: &mut dyn FnMut(&str, &str)) -> Result<(), Damage> {
        let (mut labels, mut chunks) = (Vec::new(), Vec::new());
        self.series(series, &mut labels, &mut chunks)?;
        Labels::trusted(&labels)
            .iter()
            .for_each(|(name, value)| visit(name, value));
        Ok(())
    }
}
