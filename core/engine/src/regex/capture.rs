//! Patterns whose groups are asked for: what relabelling replaces with.

use super::{translate, RegexError, CACHE_LIMIT, SIZE_LIMIT};

/// A pattern, anchored at both ends, that tells what its groups matched.
#[derive(Debug, Clone)]
pub struct Capture(Test);

#[derive(Debug, Clone)]
enum Test {
    /// `(.*)`, which most rules leave as it is.
    Everything,
    Automaton(regex::Regex),
}

impl Capture {
    /// Compile `pattern` as Prometheus does: anchored, and with a dot that matches any character.
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        if pattern == "(.*)" {
            return Ok(Self(Test::Everything));
        }
        let fail =
            |error: &dyn std::fmt::Display| RegexError(format!("cannot use regular expression {pattern:?}: {error}"));
        let translated = translate::translate(pattern).map_err(|error| fail(&error))?;
        regex::RegexBuilder::new(&format!("^(?s:{translated})$"))
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(CACHE_LIMIT)
            .build()
            .map(|automaton| Self(Test::Automaton(automaton)))
            .map_err(|error| fail(&error))
    }

    /// True when all of `text` matches.
    pub fn is_match(&self, text: &str) -> bool {
        match &self.0 {
            Test::Everything => true,
            Test::Automaton(automaton) => automaton.is_match(text),
        }
    }

    /// What the groups matched, when all of `text` matches.
    pub fn groups<'t>(&self, text: &'t str) -> Option<Groups<'t>> {
        match &self.0 {
            Test::Everything => Some(Groups(Matched::Everything(text))),
            Test::Automaton(automaton) => automaton
                .captures(text)
                .map(|captures| Groups(Matched::Captures(captures))),
        }
    }
}

/// What the groups of a pattern matched.
pub struct Groups<'t>(Matched<'t>);

enum Matched<'t> {
    Everything(&'t str),
    Captures(regex::Captures<'t>),
}

impl<'t> Groups<'t> {
    fn numbered(&self, number: usize) -> &'t str {
        match &self.0 {
            Matched::Everything(text) if number <= 1 => text,
            Matched::Everything(_) => "",
            Matched::Captures(captures) => captures.get(number).map_or("", |group| group.as_str()),
        }
    }

    fn named(&self, name: &str) -> &'t str {
        match &self.0 {
            Matched::Everything(_) => "",
            Matched::Captures(captures) => captures.name(name).map_or("", |group| group.as_str()),
        }
    }

    /// `template` with `$1`, `${1}`, `$name` and `${name}` replaced as Go's `Regexp.Expand` does: a name is as long as it can be,
    /// a group that matched nothing or does not exist is empty, `$$` is a dollar sign, and so is any other `$` that begins no name.
    pub fn expand(&self, template: &str) -> String {
        let mut out = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                out.push('$');
                rest = after;
            } else if let Some((name, after)) = split_name(after) {
                out.push_str(match group_number(name) {
                    Some(number) => self.numbered(number),
                    None => self.named(name),
                });
                rest = after;
            } else {
                out.push('$');
                rest = after;
            }
        }
        out.push_str(rest);
        out
    }
}

/// The name behind a dollar sign, and what follows it; `None` when there is no name or its brace is not closed.
fn split_name(text: &str) -> Option<(&str, &str)> {
    let braced = text.strip_prefix('{');
    let text = braced.unwrap_or(text);
    let end = text
        .find(|c: char| !(c.is_alphabetic() || c.is_numeric() || c == '_'))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return None;
    }
    match braced {
        Some(_) => rest.strip_prefix('}').map(|rest| (name, rest)),
        None => Some((name, rest)),
    }
}

/// A group's number; names that look like one but have a leading zero or are beyond Go's bound are names.
fn group_number(name: &str) -> Option<usize> {
    let plain = name.bytes().all(|b| b.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
    name.parse().ok().filter(|number| plain && *number < 1_000_000_000)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn templates_expand_as_in_go() {
        let pattern = Capture::new("(?P<first>a+)(b)?-(.*)").unwrap();
        let groups = pattern.groups("aa-x\ny").unwrap();
        for (template, want) in [
            ("$1", "aa"),
            ("${1}b", "aab"),
            ("$1b", ""), // the name is `1b`, and no group has it
            ("$first/${first}", "aa/aa"),
            ("$2|$3", "|x\ny"),
            ("$0", "aa-x\ny"),
            ("$9$other", ""),
            ("$$1", "$1"),
            ("$", "$"),
            ("a$-b", "a$-b"),
            ("${1", "${1"),
            ("${}", "${}"),
            ("$01", ""),
            ("é$1é", "é"), // the second one is part of the name `1é`
        ] {
            assert_eq!(groups.expand(template), want, "{template}");
        }
    }

    #[test]
    fn the_default_pattern_is_everything() {
        let groups = Capture::new("(.*)").unwrap();
        let groups = groups.groups("a\nb").unwrap();
        assert_eq!(groups.expand("$0-$1-$2-$x"), "a\nb-a\nb--");
    }

    #[test]
    fn anchored_and_refused() {
        let pattern = Capture::new("a|b").unwrap();
        assert!(pattern.is_match("a") && pattern.is_match("b") && !pattern.is_match("ab"));
        assert!(pattern.groups("xa").is_none());
        assert!(Capture::new("a(").is_err());
    }
}
