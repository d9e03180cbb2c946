//! Label sets as operators need them.

use super::*;
use crate::labels::{format_labels, pack};

/// Label sets of these pairs.
pub(in crate::promql) fn sets(sets: &[&[(&str, &str)]]) -> LabelSets {
    let packed = |labels: &&[(&str, &str)]| {
        let mut out = Vec::new();
        pack(&mut labels.to_vec(), &mut out).unwrap();
        out.into()
    };
    LabelSets::new(sets.iter().map(packed).collect())
}

fn texts(sets: &LabelSets) -> Vec<String> {
    let text = |labels| {
        let mut out = String::new();
        format_labels(labels, &mut out);
        out
    };
    sets.iter().map(text).collect()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn groups_are_numbered_as_they_appear() {
    let given = sets(&[
        &[("__name__", "m"), ("a", "1"), ("b", "x")],
        &[("__name__", "m"), ("a", "2")],
        &[("__name__", "n"), ("a", "1"), ("b", "x"), ("c", "y")],
    ]);
    let (ids, groups) = given.group(&Grouping::new(names(&["b", "a"]), false));
    assert_eq!(
        (ids, texts(&groups)),
        (vec![0, 1, 0], vec![r#"{a="1", b="x"}"#.into(), r#"{a="2"}"#.into()])
    );
    let (ids, groups) = given.group(&Grouping::new(names(&["c"]), true));
    assert_eq!(
        (ids, texts(&groups)),
        (vec![0, 1, 0], vec![r#"{a="1", b="x"}"#.into(), r#"{a="2"}"#.into()])
    );
    let (ids, groups) = given.group(&Grouping::new(vec![], false));
    assert_eq!((ids, texts(&groups)), (vec![0, 0, 0], vec!["{}".into()]));
}

#[test]
fn both_sides_of_a_match_share_numbers() {
    let left = sets(&[&[("__name__", "m"), ("a", "1"), ("x", "1")], &[("a", "2")]]);
    let right = sets(&[&[("__name__", "n"), ("a", "2"), ("y", "1")], &[("a", "3")]]);
    let (left, right, keys) = left.match_groups(&right, &Grouping::new(names(&["a"]), false));
    assert_eq!((left, right, keys.len()), (vec![0, 1], vec![1, 2], 3));
}

#[test]
fn labels_are_set_kept_and_taken_away() {
    let given = sets(&[&[("__name__", "m"), ("b", "1")], &[("a", "1"), ("c", "2")]]);
    let set = given.with_label("b", [Some("2".into()), Some("".into())].into_iter());
    assert_eq!(texts(&set), [r#"{__name__="m", b="2"}"#, r#"{a="1", c="2"}"#]);
    let set = given.with_label("d", [None, Some("z".into())].into_iter());
    assert_eq!(texts(&set), [r#"{__name__="m", b="1"}"#, r#"{a="1", c="2", d="z"}"#]);
    assert_eq!(
        texts(&given.without_metadata(&[1, 1])),
        [r#"{b="1"}"#, r#"{a="1", c="2"}"#]
    );
    let other = sets(&[&[("a", "5")], &[("c", "6")]]);
    assert_eq!(
        texts(
            &given
                .including(&other, &names(&["c", "a"]), &mut Room::new(usize::MAX))
                .unwrap()
        ),
        [r#"{__name__="m", a="5", b="1"}"#, r#"{c="6"}"#]
    );
}

#[test]
fn finds_equal_sets_and_their_order() {
    let given = sets(&[&[("b", "1")], &[("a", "1")], &[("b", "1")]]);
    assert_eq!(given.duplicates().map(|(ids, _)| ids), Some(vec![0, 1, 0]));
    assert_eq!(given.order(), Some(vec![1, 0, 2]));
    let given = given.take(&[1, 0]);
    assert!(given.duplicates().is_none() && given.order().is_none());
}
