//! Matchers find in an index what they find in a plain list of label sets.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use engine::batch::{Batch, BATCH_TIME};
use engine::head::Head;
use engine::labels::pack;
use engine::postings::{names, select, values, Source};
use engine::regex::{Matcher, Operator};
use proptest::prelude::*;

type LabelSet = BTreeMap<String, String>;

fn head_of(series: &BTreeSet<LabelSet>) -> Head {
    let mut batch = Batch::new(1);
    for labels in series {
        let mut pairs: Vec<(&str, &str)> = labels.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        pack(&mut pairs, batch.arena()).unwrap();
        batch.push_float(BATCH_TIME, 1.0);
    }
    let mut head = Head::new();
    let staged = head.stage(&batch).unwrap();
    head.commit(staged.id).unwrap();
    head
}

/// Label sets by the number that the index knows them by.
fn by_number(head: &Head) -> BTreeMap<u32, LabelSet> {
    let Ok(all) = head.all();
    let labels_of = |series| {
        let mut labels = LabelSet::new();
        let Ok(()) = head.visit_labels(series, &mut |name, value| {
            labels.insert(name.into(), value.into());
        });
        labels
    };
    all.into_iter().map(|series| (series, labels_of(series))).collect()
}

fn matches(labels: &LabelSet, matchers: &[Matcher]) -> bool {
    let value = |matcher: &Matcher| labels.get(matcher.name()).cloned().unwrap_or_default();
    matchers.iter().all(|matcher| matcher.matches(&value(matcher)))
}

fn label_sets() -> impl Strategy<Value = BTreeSet<LabelSet>> {
    let value = prop_oneof![3 => "(a|b|ab|é)", 2 => "v-[0-9]{1,3}"];
    let labels = proptest::collection::btree_map("[xyz]", value, 1..4);
    proptest::collection::btree_set(labels, 1..120)
}

fn matchers() -> impl Strategy<Value = Vec<Matcher>> {
    let operator = prop_oneof![
        Just(Operator::Equal),
        Just(Operator::NotEqual),
        Just(Operator::Matches),
        Just(Operator::MatchesNot),
    ];
    let value = prop_oneof![
        Just(""),
        Just("a"),
        Just("v-1"),
        Just(".*"),
        Just(".+"),
        Just("a|b"),
        Just("|a"),
        Just("v-.*"),
        Just("v-.+2"),
        Just("v-[0-4]+"),
        Just("(a|v-1.*)"),
        Just("nothing"),
        Just("(?i)AB?"),
        Just("é|è"),
        Just("a.?"),
        Just("[^v].*"),
    ];
    let matcher = ("[wxyz]", operator, value);
    let matcher = matcher.prop_map(|(name, operator, value)| Matcher::new(&name, operator, value).unwrap());
    proptest::collection::vec(matcher, 0..4)
}

proptest! {
    #[test]
    fn matchers_find_what_a_plain_look_finds(series in label_sets(), matchers in matchers()) {
        let head = head_of(&series);
        let known = by_number(&head);
        prop_assert_eq!(known.values().cloned().collect::<BTreeSet<_>>(), series);
        let wanted: Vec<u32> = known.iter().filter(|(_, l)| matches(l, &matchers)).map(|(n, _)| *n).collect();
        let Ok(found) = select(&head, &matchers);
        prop_assert_eq!(&found, &wanted);

        let found = || known.iter().filter(|(n, _)| wanted.contains(n)).flat_map(|(_, labels)| labels);
        let mut out = BTreeSet::new();
        let Ok(()) = names(&head, &matchers, &mut out);
        prop_assert_eq!(out, found().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>());
        for label in ["w", "x"] {
            let mut out = BTreeSet::new();
            let Ok(()) = values(&head, label, &matchers, &mut out);
            let values = found().filter(|(name, _)| *name == label).map(|(_, value)| value.clone());
            prop_assert_eq!(out, values.collect::<BTreeSet<_>>());
        }
    }
}

/// An index that counts how many values were tried.
struct Counting<'h>(&'h Head, std::cell::Cell<usize>);

impl Source for Counting<'_> {
    type Error = std::convert::Infallible;
    type List<'s>
        = &'s [u32]
    where
        Self: 's;

    fn all(&self) -> Result<Vec<u32>, Self::Error> {
        self.0.all()
    }

    fn list(&self, name: &str, value: &str) -> Result<Option<&[u32]>, Self::Error> {
        self.0.list(name, value)
    }

    fn lists(
        &self,
        name: &str,
        prefix: &str,
        accept: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Vec<&[u32]>, Self::Error> {
        let mut counting = |value: &str| {
            self.1.set(self.1.get() + 1);
            accept(value)
        };
        self.0.lists(name, prefix, &mut counting)
    }

    fn value_count(&self, name: &str) -> usize {
        self.0.value_count(name)
    }

    fn visit_names(&self, visit: &mut dyn FnMut(&str)) -> Result<(), Self::Error> {
        self.0.visit_names(visit)
    }

    fn visit_labels(&self, series: u32, visit: &mut dyn FnMut(&str, &str)) -> Result<(), Self::Error> {
        self.0.visit_labels(series, visit)
    }
}

#[test]
fn no_value_is_tried_that_need_not_be() {
    let series = (0..1000).map(|i| {
        let mut labels = LabelSet::new();
        labels.insert("job".into(), if i < 10 { "small" } else { "large" }.into());
        labels.insert("instance".into(), format!("host-{i}"));
        labels
    });
    let head = head_of(&series.collect());
    let tried = |matchers: &[(&str, &str, &str)]| {
        let compile = |(n, o, v): &(&str, &str, &str)| Matcher::new(n, Operator::parse(o).unwrap(), v).unwrap();
        let matchers: Vec<Matcher> = matchers.iter().map(compile).collect();
        let counting = Counting(&head, Default::default());
        let Ok(found) = select(&counting, &matchers);
        (found.len(), counting.1.get())
    };
    assert_eq!(tried(&[("job", "=", "small")]), (10, 0));
    assert_eq!(tried(&[("instance", "=~", "host-1|host-2")]), (2, 0));
    assert_eq!(
        tried(&[("job", "=~", "large"), ("instance", "!~", "host-(1|20)")]),
        (989, 0)
    );
    assert_eq!(tried(&[("instance", "=~", "host-99.*")]), (11, 11));
    assert_eq!(tried(&[("instance", "=~", ".*9")]), (100, 1000));
    assert_eq!(tried(&[("instance", "=~", "host-(9[0-9][0-9])+x?")]), (100, 111));
    assert_eq!(tried(&[("job", "=", "small"), ("instance", "=~", ".*-[2-5]")]), (4, 0));
    assert_eq!(tried(&[("job", "=", "small"), ("instance", "!~", ".*-[2-5]")]), (6, 0));
    assert_eq!(tried(&[("job", "=~", ".*")]), (1000, 0));
}

#[test]
fn the_beginning_of_a_pattern_is_known() {
    let prefix = |pattern| {
        Matcher::new("x", Operator::Matches, pattern)
            .unwrap()
            .prefix()
            .to_owned()
    };
    for (pattern, wanted) in [
        ("foo.*", "foo"),
        ("foo(bar|baz)[0-9]+", "fooba"),
        ("(foo|fox)+", "fo"),
        ("foo?.*", "fo"),
        ("(?i)foo.+x", ""),
        (".*foo", ""),
        ("(é|è)+.*", ""),
        ("xé?.*y|xè", "x"),
        ("(?m)a$.+b", "a"),
        ("a{3}b*c", "aaa"),
    ] {
        assert_eq!(prefix(pattern), wanted, "{pattern}");
    }
}
