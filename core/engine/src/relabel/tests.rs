#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::labels::pack;

fn packed(labels: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    pack(&mut labels.to_vec(), &mut out).unwrap();
    out
}

/// A rule from `name=value` pairs; `source_labels` is a comma-separated list.
fn rule(fields: &[(&str, &str)]) -> Result<Rule, Invalid> {
    let mut settings = Settings::default();
    for (name, value) in fields {
        let text = (*value).to_owned();
        match *name {
            "action" => settings.action = text,
            "source" => settings.source_labels = value.split(',').map(str::to_owned).collect(),
            "separator" => settings.separator = text,
            "regex" => settings.regex = text,
            "modulus" => settings.modulus = value.parse().unwrap(),
            "target" => settings.target_label = text,
            "replacement" => settings.replacement = text,
            other => panic!("no field {other}"),
        }
    }
    Rule::new(settings)
}

type Pairs = &'static [(&'static str, &'static str)];

fn run(labels: Pairs, rules: &[Pairs]) -> Option<Vec<(String, String)>> {
    let rules: Vec<Rule> = rules.iter().map(|fields| rule(fields).unwrap()).collect();
    let (mut out, labels) = (Vec::new(), packed(labels));
    let kept = relabel(&rules, Labels::trusted(&labels), &mut out).unwrap();
    let found = Labels::checked(&out).unwrap();
    kept.then(|| found.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect())
}

fn expect(what: &str, labels: Pairs, rules: &[Pairs], want: Option<Pairs>) {
    let want = want.map(|pairs| pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect());
    assert_eq!(run(labels, rules), want, "{what}");
}

const ABC: Pairs = &[("a", "foo"), ("b", "bar"), ("c", "baz")];

#[test]
fn replace() {
    let cases: [(&str, &[Pairs], Pairs); 13] = [
        (
            "a part of a value",
            &[&[
                ("source", "a"),
                ("regex", "f(.*)"),
                ("target", "d"),
                ("replacement", "ch${1}-ch${1}"),
            ]],
            &[("a", "foo"), ("b", "bar"), ("c", "baz"), ("d", "choo-choo")],
        ),
        (
            "one rule sees what the one before it did",
            &[
                &[
                    ("source", "a,b"),
                    ("regex", "f(.*);(.*)r"),
                    ("target", "a"),
                    ("replacement", "b${1}${2}m"),
                ],
                &[
                    ("source", "c,a"),
                    ("regex", "(b).*b(.*)ba(.*)"),
                    ("target", "d"),
                    ("replacement", "$1$2$2$3"),
                ],
            ],
            &[("a", "boobam"), ("b", "bar"), ("c", "baz"), ("d", "boooom")],
        ),
        (
            "no match, no change",
            &[&[("source", "a"), ("regex", "o"), ("target", "d"), ("replacement", "x")]],
            ABC,
        ),
        (
            "an empty result deletes",
            &[&[
                ("source", "a"),
                ("regex", "(f).*"),
                ("target", "b"),
                ("replacement", "$2"),
            ]],
            &[("a", "foo"), ("c", "baz")],
        ),
        (
            "no source is an empty one",
            &[&[("target", "d"), ("replacement", "static")]],
            &[("a", "foo"), ("b", "bar"), ("c", "baz"), ("d", "static")],
        ),
        (
            "a missing label is empty",
            &[&[
                ("source", "x,y"),
                ("regex", ";"),
                ("target", "d"),
                ("replacement", "none"),
            ]],
            &[("a", "foo"), ("b", "bar"), ("c", "baz"), ("d", "none")],
        ),
        (
            "the target is a template too",
            &[&[
                ("source", "a"),
                ("regex", "(f)(oo)"),
                ("target", "${1}_$2"),
                ("replacement", "x"),
            ]],
            &[("a", "foo"), ("b", "bar"), ("c", "baz"), ("f_oo", "x")],
        ),
        (
            "a target that comes to nothing is none",
            &[&[("source", "a"), ("target", "${3}"), ("replacement", "x")]],
            ABC,
        ),
        (
            "another separator",
            &[&[("source", "a,b,c"), ("separator", "||"), ("target", "all")]],
            &[("a", "foo"), ("all", "foo||bar||baz"), ("b", "bar"), ("c", "baz")],
        ),
        (
            "no separator",
            &[&[("source", "a,b"), ("separator", ""), ("target", "b")]],
            &[("a", "foo"), ("b", "foobar"), ("c", "baz")],
        ),
        (
            "names are any UTF-8",
            &[&[("source", "a"), ("target", "über.alles")]],
            &[("a", "foo"), ("b", "bar"), ("c", "baz"), ("über.alles", "foo")],
        ),
        (
            "an alternation is anchored as a whole",
            &[&[
                ("source", "a"),
                ("regex", "fo|o"),
                ("target", "a"),
                ("replacement", "x"),
            ]],
            ABC,
        ),
        (
            "flags within the pattern",
            &[&[
                ("source", "a"),
                ("regex", "(?i)FOO"),
                ("target", "a"),
                ("replacement", "x"),
            ]],
            &[("a", "x"), ("b", "bar"), ("c", "baz")],
        ),
    ];
    for (what, rules, want) in cases {
        expect(what, ABC, rules, Some(want));
    }
}

#[test]
fn keep_and_drop() {
    let keep: Pairs = &[("source", "a"), ("regex", "fo+"), ("action", "keep")];
    let keep_not: Pairs = &[("source", "a"), ("regex", "o"), ("action", "keep")];
    let drop: Pairs = &[("source", "a,b"), ("regex", "foo;.*"), ("action", "drop")];
    let drop_not: Pairs = &[("source", "a"), ("regex", "f"), ("action", "DROP")];
    expect("kept", ABC, &[keep, drop_not], Some(ABC));
    expect("not kept", ABC, &[keep_not], None);
    expect("dropped", ABC, &[keep, drop], None);
    let missing: Pairs = &[("source", "nope"), ("regex", ".+"), ("action", "keep")];
    expect("a missing label is empty", ABC, &[missing], None);
}

#[test]
fn keep_and_drop_equal() {
    let labels: Pairs = &[("port", "9100"), ("wanted", "9100"), ("other", "80")];
    let equal = |action| [("source", "port"), ("target", "wanted"), ("action", action)];
    let unequal = |action| [("source", "port"), ("target", "other"), ("action", action)];
    let passes = |fields: [(&str, &str); 3]| {
        let (mut out, labels) = (Vec::new(), packed(labels));
        relabel(&[rule(&fields).unwrap()], Labels::trusted(&labels), &mut out).unwrap()
    };
    assert!(passes(equal("keepequal")) && !passes(unequal("keepequal")));
    assert!(!passes(equal("dropequal")) && passes(unequal("dropequal")));
    let absent: Pairs = &[("source", "x"), ("target", "y"), ("action", "keepequal")];
    expect(
        "two missing labels are equal",
        labels,
        &[absent],
        Some(&[("other", "80"), ("port", "9100"), ("wanted", "9100")]),
    );
}

#[test]
fn hashmod_is_the_end_of_md5() {
    // printf 'foo' | md5sum: acbd18db4cc2f85c edef654fccc4a4d8; printf 'foo;bar': f37f9e5ffd94a2ff 9e4dd7f4f5aeee25? computed below
    for (source, modulus, want) in [
        ("a", "1000", 0xedef_654f_ccc4_a4d8_u64 % 1000),
        ("a", "7", 0xedef_654f_ccc4_a4d8 % 7),
        ("x", "18446744073709551615", 0xe980_0998_ecf8_427e), // of nothing: d41d8cd98f00b204 e9800998ecf8427e
    ] {
        let fields = [
            ("source", source),
            ("modulus", modulus),
            ("target", "d"),
            ("action", "hashmod"),
        ];
        let (mut out, labels) = (Vec::new(), packed(ABC));
        assert!(relabel(&[rule(&fields).unwrap()], Labels::trusted(&labels), &mut out).unwrap());
        assert_eq!(Labels::checked(&out).unwrap().get("d"), want.to_string());
    }
}

#[test]
fn label_names() {
    let meta: Pairs = &[("__meta_a", "1"), ("__meta_b_c", "2"), ("b_c", "old"), ("job", "j")];
    let map: Pairs = &[("regex", "__meta_(.+)"), ("action", "labelmap")];
    let drop: Pairs = &[("regex", "__meta_.*"), ("action", "labeldrop")];
    let keep: Pairs = &[("regex", "job|b_c"), ("action", "labelkeep")];
    let all: Pairs = &[
        ("__meta_a", "1"),
        ("__meta_b_c", "2"),
        ("a", "1"),
        ("b_c", "2"),
        ("job", "j"),
    ];
    expect("labelmap adds and overwrites", meta, &[map], Some(all));
    expect(
        "labeldrop",
        meta,
        &[map, drop],
        Some(&[("a", "1"), ("b_c", "2"), ("job", "j")]),
    );
    expect("labelkeep", meta, &[map, keep], Some(&[("b_c", "2"), ("job", "j")]));
    let prefix: Pairs = &[("regex", "job"), ("replacement", "x_${0}"), ("action", "labelmap")];
    expect(
        "a template",
        &[("job", "j")],
        &[prefix],
        Some(&[("job", "j"), ("x_job", "j")]),
    );
    let nothing: Pairs = &[("regex", ".*"), ("action", "labeldrop")];
    expect("nothing left", meta, &[nothing], Some(&[]));
    // Of two that become one, the later counts: first those that no rule has touched, then the others.
    let touch: Pairs = &[("target", "a1"), ("replacement", "touched")];
    let merge: Pairs = &[("regex", "a[0-9]"), ("replacement", "a"), ("action", "labelmap")];
    let want: Pairs = &[("a", "touched"), ("a1", "touched"), ("a2", "y")];
    expect(
        "the order of labelmap",
        &[("a1", "x"), ("a2", "y")],
        &[touch, merge],
        Some(want),
    );
}

#[test]
fn cases() {
    let lower: Pairs = &[("source", "a"), ("target", "l"), ("action", "lowercase")];
    let upper: Pairs = &[
        ("source", "a,a"),
        ("separator", "-"),
        ("target", "u"),
        ("action", "uppercase"),
    ];
    let want: Pairs = &[("a", "Äb"), ("l", "äb"), ("u", "ÄB-ÄB")];
    expect("both", &[("a", "Äb")], &[lower, upper], Some(want));
    let missing: Pairs = &[("source", "x"), ("target", "a"), ("action", "lowercase")];
    expect("of nothing", &[("a", "b")], &[missing], Some(&[]));
}

#[test]
fn what_is_no_rule() {
    let only = "requires only 'source_labels' and `target_label`, and no other fields";
    let cases: [(&[(&str, &str)], &str); 14] = [
        (
            &[("action", "jump"), ("target", "a")],
            "unknown relabel action \"jump\"",
        ),
        (
            &[("action", "hashmod"), ("target", "a")],
            "relabel configuration for hashmod requires non-zero modulus",
        ),
        (
            &[],
            "relabel configuration for replace action requires 'target_label' value",
        ),
        (
            &[("action", "hashmod"), ("modulus", "1")],
            "relabel configuration for hashmod action requires 'target_label' value",
        ),
        (
            &[("action", "Lowercase")],
            "relabel configuration for lowercase action requires 'target_label' value",
        ),
        (
            &[("action", "keepequal")],
            "relabel configuration for keepequal action requires 'target_label' value",
        ),
        (
            &[("action", "uppercase"), ("target", "a"), ("replacement", "x")],
            "'replacement' can not be set for uppercase action",
        ),
        (
            &[("action", "labelmap"), ("replacement", "")],
            "\"\" is invalid 'replacement' for labelmap action",
        ),
        (
            &[("action", "keepequal"), ("target", "a"), ("regex", "x")],
            &format!("keepequal action {only}"),
        ),
        (
            &[("action", "dropequal"), ("target", "a"), ("separator", ",")],
            &format!("dropequal action {only}"),
        ),
        (
            &[("action", "labeldrop"), ("target", "a")],
            "labeldrop action requires only 'regex', and no other fields",
        ),
        (
            &[("action", "labelkeep"), ("source", "a")],
            "labelkeep action requires only 'regex', and no other fields",
        ),
        (
            &[("action", "labelkeep"), ("modulus", "2")],
            "labelkeep action requires only 'regex', and no other fields",
        ),
        (
            &[("action", "keep"), ("regex", "(")],
            "cannot use regular expression \"(\": error parsing regexp: missing closing ): `(`",
        ),
    ];
    for (fields, want) in cases {
        assert_eq!(rule(fields).unwrap_err().to_string(), want, "{fields:?}");
    }
}
