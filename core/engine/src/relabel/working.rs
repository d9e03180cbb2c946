//! A label set while rules change it.

use std::borrow::Cow;

use crate::labels::{pack, Labels, LabelsError};

/// Labels by name, none empty: those that no rule has touched, then the others in the order in which they were set.
#[derive(Debug, Clone, Default)]
pub struct Working<'a> {
    labels: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// How many are untouched.
    untouched: usize,
}

impl<'a> Working<'a> {
    /// A set before any rule.
    pub fn new(labels: Labels<'a>) -> Self {
        let labels: Vec<_> = labels.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let untouched = labels.len();
        Self { labels, untouched }
    }

    /// The value of `name`, or "".
    pub fn get(&self, name: &str) -> &str {
        self.place(name)
            .and_then(|place| self.labels.get(place))
            .map_or("", |(_, value)| value)
    }

    /// Set `name` to `value`; an empty one deletes it.
    pub fn set(&mut self, name: &str, value: impl Into<Cow<'a, str>>) {
        let value = value.into();
        match self.place(name) {
            _ if value.is_empty() => self.delete(name),
            Some(place) if place >= self.untouched => {
                if let Some(label) = self.labels.get_mut(place) {
                    label.1 = value;
                }
            }
            place => {
                if let Some(place) = place {
                    self.remove(place);
                }
                self.labels.push((Cow::Owned(name.to_owned()), value));
            }
        }
    }

    /// Delete `name`, where it is.
    pub fn delete(&mut self, name: &str) {
        if let Some(place) = self.place(name) {
            self.remove(place);
        }
    }

    /// Keep the labels whose name `wanted` wants.
    pub fn retain(&mut self, wanted: impl Fn(&str) -> bool) {
        let untouched = self.labels.iter().take(self.untouched);
        let untouched = untouched.filter(|(name, _)| wanted(name)).count();
        self.labels.retain(|(name, _)| wanted(name));
        self.untouched = untouched;
    }

    /// Names and values as they are now.
    pub fn snapshot(&self) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
        self.labels.clone()
    }

    /// Append the set to `out`, packed.
    pub fn pack(&self, out: &mut Vec<u8>) -> Result<(), LabelsError> {
        let pairs = self.labels.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        pack(&mut pairs.collect::<Vec<_>>(), out)
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.labels.iter().position(|(other, _)| other == name)
    }

    fn remove(&mut self, place: usize) {
        self.labels.remove(place);
        self.untouched -= usize::from(place < self.untouched);
    }
}
