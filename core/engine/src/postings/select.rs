//! From matchers to series.

use super::list::{retain, union, List};
use super::Source;
use crate::regex::Matcher;

/// To test one series' label costs about as much as to test this many values of the index: it has to be found first.
const LABEL_COST: usize = 4;

/// The series of `source` that meet all of `matchers`, ascending.
///
/// A matcher that "" satisfies also holds for series without the label, which no list names: such a matcher takes away
/// the series whose value it rejects, the others keep the series whose value they accept. Matchers that name their
/// values come first, the shortest lists in front; one that has to try values tries the labels of the series that are
/// left, when these are fewer.
pub fn select<S: Source>(source: &S, matchers: &[Matcher]) -> Result<Vec<u32>, S::Error> {
    let conditions = matchers
        .iter()
        .filter(|matcher| !matcher.matches_all())
        .map(Condition::of);
    let (named, mut others): (Vec<_>, Vec<_>) =
        conditions.partition(|condition| condition.keep && condition.is_named());
    let mut found = intersection(source, &named)?;
    others.sort_by_key(|condition| {
        (
            !condition.keep,
            !condition.is_named(),
            source.value_count(condition.name()),
        )
    });
    for condition in others {
        found = Some(condition.narrow(source, found)?);
    }
    found.map_or_else(|| source.all(), Ok)
}

/// The series that meet all of `conditions`, which keep and are named; None when there are no conditions.
fn intersection<S: Source>(source: &S, conditions: &[Condition<'_>]) -> Result<Option<Vec<u32>>, S::Error> {
    let mut sets = Vec::with_capacity(conditions.len());
    for condition in conditions {
        let lists = condition.lists(source)?;
        let length: usize = lists.iter().map(|list| list.len()).sum();
        sets.push((length, lists));
    }
    sets.sort_by_key(|(length, _)| *length);
    let mut sets = sets.into_iter().map(|(_, lists)| lists);
    let Some(shortest) = sets.next() else {
        return Ok(None);
    };
    let mut found = union(&shortest);
    for lists in sets {
        keep(&mut found, &lists);
    }
    Ok(Some(found))
}

/// Keep the numbers that are in any of `lists`.
fn keep<L: List>(numbers: &mut Vec<u32>, lists: &[L]) {
    match lists {
        [list] => retain(numbers, *list, true),
        lists => retain(numbers, union(lists).as_slice(), true),
    }
}

/// A matcher, seen as a set of values and what to do with the series that have one of them.
struct Condition<'m> {
    matcher: &'m Matcher,
    /// Whether series in the set stay, and all others go; or the other way round.
    keep: bool,
    /// Whether the set is of the values that the matcher's text or pattern fits.
    fits: bool,
}

impl<'m> Condition<'m> {
    fn of(matcher: &'m Matcher) -> Self {
        let keep = !matcher.matches("");
        Self {
            matcher,
            keep,
            fits: keep != matcher.is_negated(),
        }
    }

    fn name(&self) -> &'m str {
        self.matcher.name()
    }

    /// All values of the set are known without a look at the index.
    fn is_named(&self) -> bool {
        self.fits && self.matcher.literals().is_some()
    }

    fn has(&self, value: &str) -> bool {
        self.matcher.fits(value) == self.fits
    }

    /// The lists of the values in the set.
    fn lists<'s, S: Source>(&self, source: &'s S) -> Result<Vec<S::List<'s>>, S::Error> {
        if let Some(literals) = self.matcher.literals().filter(|_| self.fits) {
            let lists = literals.iter().map(|value| source.list(self.name(), value));
            return lists.filter_map(Result::transpose).collect();
        }
        let prefix = if self.fits { self.matcher.prefix() } else { "" };
        source.lists(self.name(), prefix, &mut |value| self.has(value))
    }

    /// What is left of `found`; None stands for all series.
    fn narrow<S: Source>(&self, source: &S, found: Option<Vec<u32>>) -> Result<Vec<u32>, S::Error> {
        let mut found = match found {
            Some(found) => found,
            None if self.keep => return self.lists(source).map(|lists| union(&lists)),
            None => source.all()?,
        };
        if !self.is_named() && found.len().saturating_mul(LABEL_COST) < source.value_count(self.name()) {
            return self.test_each(source, found);
        }
        let lists = self.lists(source)?;
        if self.keep {
            keep(&mut found, &lists);
        } else if let [list] = lists.as_slice() {
            retain(&mut found, *list, false);
        } else {
            retain(&mut found, union(&lists).as_slice(), false);
        }
        Ok(found)
    }

    /// Ask the series instead of the index.
    fn test_each<S: Source>(&self, source: &S, mut found: Vec<u32>) -> Result<Vec<u32>, S::Error> {
        let mut failed = None;
        found.retain(|series| {
            // A missing label is an empty one, and "" is in the set of no condition.
            let mut has = false;
            let mut look = |name: &str, value: &str| has |= name == self.name() && self.has(value);
            if let Err(error) = source.visit_labels(*series, &mut look) {
                failed.get_or_insert(error);
            }
            has == self.keep
        });
        failed.map_or(Ok(found), Err)
    }
}
