//! Patterns mean what they mean to Go's regexp, in Prometheus' wrapping `^(?s:...)$`.
//! Expectations were checked against Go 1.26, where this and 200,000 random patterns over the same elements agreed.
#![allow(clippy::unwrap_used)]

use engine::regex::{Matcher, Operator, Regex};

/// (pattern, texts that match, texts that don't)
const MEANINGS: &[(&str, &[&str], &[&str])] = &[
    ("", &[""], &["a"]),
    ("abc", &["abc"], &["ab", "abcd", "xabc"]),
    ("a|b", &["a", "b"], &["ab", "", "c"]),
    ("a.c", &["abc", "a\nc", "aéc"], &["ac"]),
    ("(?-s:a.c)", &["abc"], &["a\nc"]),
    ("(?-s).", &["a"], &["\n"]),
    ("a$|b", &["a", "b"], &["a\n"]),
    ("(?m)a$.b", &["a\nb"], &["a\n"]),
    // Perl classes are ASCII, and \s has no vertical tab.
    (r"\d", &["1"], &["٣", "a"]),
    (r"\D", &["٣", "\n"], &["1"]),
    (r"\s", &[" ", "\t", "\u{c}"], &["\u{b}", "\u{a0}"]),
    (r"\w+", &["a_1"], &["é", "-"]),
    (r"[^\W\d]", &["a", "_"], &["1", "é"]),
    (r"(?i)\w", &["ſ", "K"], &["é"]),
    (r"é\b", &[], &["é"]),
    (r"a\bé", &["aé"], &[]),
    (r"\Ba|b\B-", &[], &["a"]),
    // What nests and combines in Rust's classes are characters in Go's.
    ("[a[b]", &["a", "[", "b"], &["]"]),
    ("[a-c&&b]", &["a", "b", "&"], &["d"]),
    ("[a~~b]", &["~"], &["c"]),
    ("[+--]", &["+", ",", "-"], &["a"]),
    ("[]a]", &["]", "a"], &["b"]),
    ("[^]a]", &["b", "\n"], &["]", "a"]),
    ("[a-]", &["a", "-"], &["b"]),
    (r"[\d-z]", &["1", "-", "z"], &["a"]),
    (r"[\]\-\\]", &["]", "-", "\\"], &["a"]),
    ("[[:alpha:]_]", &["a", "_"], &["1", ":"]),
    ("[[:^digit:]]", &["a"], &["1"]),
    ("[[:a]", &["[", ":", "a"], &["]"]),
    (r"[\pL\d]", &["é", "1"], &["-"]),
    // Escapes.
    (r"\Qa.b\E+", &["a.b", "a.bb"], &["axb"]),
    (r"\Q(", &["("], &[]),
    (r"\<a\>", &["<a>"], &["a"]),
    (r"\_\-\/\#\ ", &["_-/# "], &[]),
    (r"\x41\x{e9}\101\0", &["AéA\0"], &[]),
    (r"\a\f\t\n\r\v", &["\x07\x0c\t\n\r\x0b"], &[]),
    (r"\pL\PL\p{Greek}\p{^Greek}\P{Greek}", &["é1αaa"], &["11αaa", "é1aaa"]),
    (r"\Aab\z", &["ab"], &["ab\n"]),
    // A brace that opens no count is a character.
    ("a{", &["a{"], &["a"]),
    ("a{,2}", &["a{,2}"], &["aa"]),
    ("{a}", &["{a}"], &[]),
    ("a{2}", &["aa"], &["a", "aaa"]),
    ("a{1,}", &["a", "aaa"], &[""]),
    ("(a{0,2}){1}?", &["", "aa"], &["aaa"]),
    // Groups and flags.
    ("(?P<x>a)(?<y>b)(?:c)", &["abc"], &[]),
    ("(?i)É", &["é", "É"], &["e"]),
    ("a(?i:b)c", &["aBc"], &["ABc"]),
    ("(?i)a(?-i)b", &["Ab"], &["AB"]),
    ("(?ii-ss:a.)", &["Ab"], &["A\n"]),
    ("(?i-i:a)", &["a"], &["A"]),
    ("(?U)a+?", &["aa"], &[]),
    ("(?)a", &["a"], &[]),
    ("(|a)(b|)", &["", "ab"], &["ba"]),
    // Shapes that need no automaton.
    (".*", &["", "a\nb"], &[]),
    (".+", &["a", "\n"], &[""]),
    ("foo.*", &["foo", "foobar"], &["fo", "xfoo"]),
    ("foo.+", &["foobar"], &["foo"]),
    (".*foo", &["foo", "xfoo"], &["foox"]),
    ("(foo).+(bar)", &["foo-bar"], &["foobar", "foo"]),
    ("a.*a", &["aa"], &["a"]),
    (".*foo.*", &["xfoox", "foo"], &["fo"]),
    ("(foo|ba[rz])(1|2)?", &["foo", "bar1", "baz2"], &["foo3", "ba1"]),
    ("(a|b)^|c", &["c"], &["a"]),
    ("(?i)ab", &["ab", "AB", "aB"], &["a"]),
];

const REFUSED: &[&str] = &[
    "(",
    ")",
    "a)b(",
    "a(b",
    "[a",
    "[]",
    "[^]",
    "[b-a]",
    "[a--b]",
    "[a-[:digit:]]",
    "[[:foo:]]",
    "*",
    "a**",
    "a*+",
    "a{1}{2}",
    "+a",
    "(*)",
    "a|*",
    "{2}",
    "a{2,1}",
    "a{1001}",
    "a{1,1001}",
    "(?x)a",
    "(?u)a",
    "(?R)a",
    "(?i-)a",
    "(?i",
    "(?=a)",
    "(?!a)",
    "(?<=a)",
    "(?P=x)",
    "(?P<a-b>c)",
    r"\1",
    r"\8",
    r"\e",
    r"\Z",
    r"\C",
    r"\é",
    r"\",
    r"\x4",
    r"\x{110000}",
    r"\p{Nope}",
    r"\p",
    r"[\Q]",
    r"[a-\d]",
];

#[test]
fn patterns_mean_what_they_mean_to_go() {
    for (pattern, matching, other) in MEANINGS {
        let regex = Regex::new(pattern).unwrap();
        for text in *matching {
            assert!(regex.is_match(text), "{pattern:?} should match {text:?}");
        }
        for text in *other {
            assert!(!regex.is_match(text), "{pattern:?} should not match {text:?}");
        }
    }
}

#[test]
fn what_go_refuses_is_refused() {
    for pattern in REFUSED {
        assert!(Regex::new(pattern).is_err(), "{pattern:?} should be refused");
    }
}

#[test]
fn what_is_wrong_is_told_in_the_words_of_go() {
    let error = Regex::new("a**").unwrap_err().to_string();
    assert_eq!(error, "error parsing regexp: invalid nested repetition operator: `**`");
}

#[test]
fn a_pattern_that_would_take_too_much_memory_is_refused() {
    assert!(Regex::new(r"(\pL{1000}){1000}").is_err());
    assert!(Regex::new(&"(".repeat(100_000)).is_err());
    let deep = format!("{}a{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(Regex::new(&deep).is_err());
}

#[test]
fn texts_are_named_where_they_are_few() {
    let texts = |pattern: &str| Regex::new(pattern).unwrap().literals().map(<[String]>::to_vec);
    assert_eq!(texts("b|a|b").unwrap(), ["a", "b"]);
    assert_eq!(texts("x(a|b)?").unwrap(), ["x", "xa", "xb"]);
    assert_eq!(texts("a.*"), None);
    assert_eq!(texts(r"a\b"), None);
    assert_eq!(texts(r"[\x{0}-\x{10ffff}]"), None);
}

#[test]
fn matchers_take_a_missing_label_for_an_empty_one() {
    let matcher = |operator: &str, value: &str| Matcher::new("x", Operator::parse(operator).unwrap(), value).unwrap();
    assert!(matcher("=", "").matches(""));
    assert!(matcher("!=", "a").matches(""));
    assert!(matcher("=~", "a*").matches(""));
    assert!(!matcher("!~", "a*").matches(""));
    assert!(Operator::parse("==").is_none());
}
