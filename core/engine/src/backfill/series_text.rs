//! `name{label="value",...}` of a line of text: where it ends, and the label set that it means.

use std::borrow::Cow;

use crate::labels::{self, is_legacy_label_name, is_legacy_metric_name, LabelsError, METRIC_NAME};

/// Where the series' text at the start of a line ends; the same text always means the same series. `None`: it does not end.
pub(crate) fn end(line: &[u8]) -> Option<usize> {
    let mut at = memchr::memchr2(b'{', b' ', line)?;
    if line.get(at) == Some(&b' ') {
        return Some(at);
    }
    loop {
        at += 1;
        at += memchr::memchr2(b'"', b'}', line.get(at..)?)?;
        if line.get(at) == Some(&b'}') {
            return Some(at + 1);
        }
        at = closing_quote(line, at)?;
    }
}

/// Where the quote at `open` is closed.
fn closing_quote(line: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', line.get(at..)?)?;
        if line.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

/// Append the label set that `text`, as [`end`] cuts it, means.
pub(crate) fn pack(text: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let text = std::str::from_utf8(text).map_err(|_| "the series is not UTF-8")?;
    let (name, rest) = text
        .split_at_checked(text.find('{').unwrap_or(text.len()))
        .unwrap_or_default();
    if !name.is_empty() && !is_legacy_metric_name(name) {
        return Err(format!("invalid metric name {name:?}"));
    }
    let mut found = Vec::with_capacity(12);
    if !name.is_empty() {
        found.push((Cow::Borrowed(METRIC_NAME), Cow::Borrowed(name)));
    }
    braces(rest, &mut found)?;
    let mut pairs: Vec<(&str, &str)> = found.iter().map(|(name, value)| (&**name, &**value)).collect();
    labels::pack(&mut pairs, out).map_err(|error| match error {
        LabelsError::Duplicate(name) if name == METRIC_NAME => "the metric's name is given twice".into(),
        error => error.to_string(),
    })
}

type Label<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The labels in `{...}`, or none. A quoted string alone is the metric's name.
pub(super) fn braces<'a>(text: &'a str, found: &mut Vec<Label<'a>>) -> Result<(), String> {
    let Some(mut rest) = text.strip_prefix('{') else {
        return Ok(());
    };
    loop {
        if rest == "}" {
            return Ok(());
        }
        let name = if rest.starts_with('"') {
            quoted(&mut rest)?
        } else {
            bare(&mut rest)?
        };
        if let Some(tail) = rest.strip_prefix('=') {
            rest = tail;
            found.push((name, quoted(&mut rest)?));
        } else {
            found.push((Cow::Borrowed(METRIC_NAME), name));
        }
        match rest.strip_prefix(',') {
            Some(tail) => rest = tail,
            None if rest == "}" => {}
            None => return Err(format!("expected \",\" or \"}}\" behind a label, found {rest:.20?}")),
        }
    }
}

fn bare<'a>(rest: &mut &'a str) -> Result<Cow<'a, str>, String> {
    let end = rest.find(['=', ',', '}', '"']).unwrap_or(rest.len());
    let (name, tail) = rest.split_at_checked(end).unwrap_or_default();
    if !is_legacy_label_name(name) {
        return Err(format!("invalid label name {name:?}"));
    }
    if !tail.starts_with('=') {
        return Err(format!("expected \"=\" behind the label name {name:?}"));
    }
    *rest = tail;
    Ok(Cow::Borrowed(name))
}

fn quoted<'a>(rest: &mut &'a str) -> Result<Cow<'a, str>, String> {
    let body = rest.strip_prefix('"').ok_or("a label's value is not in quotes")?;
    let end = closing_quote(rest.as_bytes(), 0).ok_or("a quoted string is not closed")?;
    let text = body.get(..end - 1).unwrap_or_default();
    *rest = rest.get(end + 1..).unwrap_or_default();
    Ok(unescape(text))
}

/// Undo `\n`, `\"` and `\\`; a backslash before any other character is just a backslash.
fn unescape(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        out.push_str(plain);
        let (meant, length) = match escaped.as_bytes().first() {
            Some(b'n') => ('\n', 1),
            Some(b'"') => ('"', 1),
            Some(b'\\') => ('\\', 1),
            _ => ('\\', 0),
        };
        out.push(meant);
        rest = escaped.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::labels::{format_labels, Labels};
    use proptest::prelude::*;

    fn read(text: &str) -> Result<String, String> {
        let mut packed = Vec::new();
        pack(text.as_bytes(), &mut packed)?;
        let mut out = String::new();
        format_labels(Labels::checked(&packed).unwrap(), &mut out);
        Ok(out)
    }

    #[test]
    fn a_series_ends_behind_its_braces_or_its_name() {
        assert_eq!(end(b"a 1 2"), Some(1));
        assert_eq!(end(br#"a{b="c"} 1"#), Some(8));
        assert_eq!(end(br#"a{b="} \" {",c="\\"} 1"#), Some(20));
        for open in ["a", "a{", "a{b=\"", "a{b=\"\\", "a{b=\"\\\"", ""] {
            assert_eq!(end(open.as_bytes()), None, "{open}");
        }
    }

    #[test]
    fn reads_labels_as_prometheus_does() {
        for (text, wanted) in [
            ("up", r#"{__name__="up"}"#),
            ("a:b{}", r#"{__name__="a:b"}"#),
            (r#"a{z="1",b="2",}"#, r#"{__name__="a", b="2", z="1"}"#),
            (r#"a{b="x\n\"\\\d"}"#, r#"{__name__="a", b="x\n\"\\\\d"}"#),
            (r#"a{b=""}"#, r#"{__name__="a"}"#),
            (r#"{"my.metric","a.b"="c"}"#, r#"{__name__="my.metric", "a.b"="c"}"#),
            (r#"{b="c"}"#, r#"{b="c"}"#),
        ] {
            assert_eq!(read(text).as_deref(), Ok(wanted));
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, wanted) in [
            ("1a", "metric name"),
            ("a{1=\"x\"}", "label name \"1\""),
            ("a{b}", "expected \"=\""),
            ("a{b=c}", "not in quotes"),
            ("a{b=\"1\" c=\"2\"}", "expected \",\""),
            ("a{b=\"1\",b=\"2\"}", "twice"),
            ("a{__name__=\"b\"}", "name is given twice"),
            ("a{\"b\"}", "name is given twice"),
            ("a{,}", "label name"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r#"[a{}"\\=, n1é]{0,12}"#) {
            let _ = read(&text);
            prop_assert!(end(text.as_bytes()).is_none_or(|end| end <= text.len()));
        }

        #[test]
        fn what_is_between_the_quotes_comes_back(value in r#"[ -~é\n]{1,20}"#) {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let text = format!("m{{a=\"{escaped}\"}}");
            prop_assert_eq!(end(text.as_bytes()), Some(text.len()));
            let mut packed = Vec::new();
            pack(text.as_bytes(), &mut packed).unwrap();
            prop_assert_eq!(Labels::checked(&packed).unwrap().get("a"), value);
        }
    }
}
