//! Go's regular expressions, rewritten for the `regex` crate.
//!
//! Both are RE2's children and agree on most things. Where they don't, Go's meaning counts, for the patterns that users
//! bring were written for Prometheus:
//! - `\d \w \s \b` are ASCII in Go, and `\s` has no vertical tab;
//! - inside a class Go takes `[ && -- ~~` for characters, Rust nests and combines;
//! - Go has `\Q..\E` and octal escapes, and takes `\<` and a `{` that opens no count for characters;
//! - Go refuses counts beyond 1000 and repetition of a repetition; Rust has flags that Go does not know.

mod class;
mod escape;

use super::RegexError;

/// Go's bound on `{n,m}`.
const MAX_COUNT: u32 = 1000;

/// `pattern`, so that the `regex` crate understands it as Go does.
pub fn translate(pattern: &str) -> Result<String, RegexError> {
    let mut translator = Translator {
        pattern,
        rest: pattern,
        out: String::with_capacity(pattern.len() + 16),
        names: Vec::new(),
        groups: Vec::new(),
        copies: 0,
        last: 0,
        before: Before::Nothing,
    };
    while !translator.rest.is_empty() {
        translator.token()?;
    }
    if !translator.groups.is_empty() {
        return Err(RegexError::new("missing closing )", pattern));
    }
    Ok(translator.out)
}

/// What stands before the next token, as far as a repetition cares.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before<'p> {
    Nothing,
    Atom,
    /// The pattern from where the repetition begins.
    Repetition(&'p str),
}

struct Translator<'p> {
    pattern: &'p str,
    rest: &'p str,
    out: String,
    names: Vec<&'p str>,
    /// For each open group, the copies that the counts before it in its own group ask for.
    groups: Vec<u32>,
    /// How many copies of something the counts in this group ask for so far, counts in counts multiplied.
    copies: u32,
    /// The same for what is before the next token.
    last: u32,
    before: Before<'p>,
}

impl<'p> Translator<'p> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        Some(c)
    }

    fn eat(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// What has been read since `start`.
    fn since<'s>(&self, start: &'s str) -> &'s str {
        start.get(..start.len() - self.rest.len()).unwrap_or(start)
    }

    fn token(&mut self) -> Result<(), RegexError> {
        let start = self.rest;
        let Some(c) = self.next() else { return Ok(()) };
        let mut copies = 0;
        match c {
            '(' => return self.open(start),
            ')' => {
                let outside = self.groups.pop();
                let outside = outside.ok_or_else(|| RegexError::new("unexpected )", self.pattern))?;
                copies = std::mem::replace(&mut self.copies, outside);
                self.out.push(c);
            }
            '|' => {
                self.out.push(c);
                self.before = Before::Nothing;
                return Ok(());
            }
            '*' | '+' | '?' => return self.repetition(start, 1),
            '{' => match self.count(start)? {
                Some(count) => return self.repetition(start, count),
                None => self.literal('{'),
            },
            '[' => self.class(start)?,
            '\\' => self.escape(start)?,
            '.' | '^' | '$' => self.out.push(c),
            other => self.literal(other),
        }
        self.atom(copies);
        Ok(())
    }

    /// Something that can be repeated is read; counts in it ask for so many copies.
    fn atom(&mut self, copies: u32) {
        self.before = Before::Atom;
        self.last = copies;
        self.copies = self.copies.max(copies);
    }

    fn literal(&mut self, c: char) {
        push_literal(c, &mut self.out);
    }

    /// What follows `(`: a group, perhaps with a name or flags, or flags alone.
    fn open(&mut self, start: &'p str) -> Result<(), RegexError> {
        if (start.len() > 4 && self.eat("?P<")) || (start.len() > 3 && self.eat("?<")) {
            self.named(start)?;
        } else if self.eat("?") {
            return self.flags(start);
        } else {
            self.out.push('(');
        }
        self.group();
        Ok(())
    }

    /// The name of a group. One that only Go takes, or takes twice, is left out.
    fn named(&mut self, start: &'p str) -> Result<(), RegexError> {
        let bad_name = |part: &str| RegexError::new("invalid named capture", part);
        let (name, rest) = self.rest.split_once('>').ok_or_else(|| bad_name(start))?;
        self.rest = rest;
        if !is_group_name(name) {
            return Err(bad_name(self.since(start)));
        }
        if name.starts_with(|c: char| c.is_ascii_digit()) || self.names.contains(&name) {
            self.out.push('(');
        } else {
            self.names.push(name);
            self.out.push_str(&format!("(?P<{name}>"));
        }
        Ok(())
    }

    fn group(&mut self) {
        self.groups.push(std::mem::take(&mut self.copies));
        self.before = Before::Nothing;
    }

    /// Flags behind `(?`, for a group of their own or for the rest of this one.
    fn flags(&mut self, start: &str) -> Result<(), RegexError> {
        let text = self.rest;
        let end = loop {
            match self.next() {
                Some('i' | 'm' | 's' | 'U' | '-') => (),
                Some(end @ (':' | ')')) => break end,
                _ => return Err(bad_flags(self.since(start))),
            }
        };
        let flags = plain_flags(self.since(text).trim_end_matches(end)).ok_or_else(|| bad_flags(self.since(start)))?;
        if end == ':' {
            self.out.push_str(&format!("(?{flags}:"));
            self.group();
        } else if !flags.is_empty() {
            self.out.push_str(&format!("(?{flags})"));
            self.before = Before::Nothing;
        }
        Ok(())
    }

    /// The largest count that a `{`, just read, opens, if it opens one: `n}`, `n,}` or `n,m}`.
    fn count(&mut self, start: &str) -> Result<Option<u32>, RegexError> {
        let Some((inside, rest)) = self.rest.split_once('}') else {
            return Ok(None);
        };
        let (min, max) = inside.split_once(',').unwrap_or((inside, inside));
        let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !number(min) || !(number(max) || max.is_empty()) {
            return Ok(None);
        }
        self.rest = rest;
        let too_big = || bad_count(self.since(start));
        let min: u32 = min.parse().map_err(|_| too_big())?;
        let max: u32 = if max.is_empty() {
            min
        } else {
            max.parse().map_err(|_| too_big())?
        };
        if max > MAX_COUNT || min > max {
            return Err(too_big());
        }
        Ok(Some(max))
    }

    /// An operator that has been read from `start` on, and asks for `count` copies of what is before it.
    fn repetition(&mut self, start: &'p str, count: u32) -> Result<(), RegexError> {
        self.eat("?");
        let operator = self.since(start);
        match self.before {
            Before::Nothing => Err(RegexError::new("missing argument to repetition operator", operator)),
            Before::Repetition(first) => Err(RegexError::new("invalid nested repetition operator", self.since(first))),
            Before::Atom => {
                self.last = self.last.max(1).saturating_mul(count);
                if count > 1 && self.last > MAX_COUNT {
                    return Err(bad_count(operator));
                }
                self.copies = self.copies.max(self.last);
                self.out.push_str(operator);
                self.before = Before::Repetition(start);
                Ok(())
            }
        }
    }

    /// What follows a backslash outside of classes.
    fn escape(&mut self, start: &str) -> Result<(), RegexError> {
        if self.eat("Q") {
            let (text, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
            self.rest = rest;
            text.chars().for_each(|c| self.literal(c));
            return Ok(());
        }
        for (letter, meaning) in [("A", r"\A"), ("z", r"\z"), ("b", r"(?-u:\b)"), ("B", r"(?-u:\B)")] {
            if self.eat(letter) {
                self.out.push_str(meaning);
                return Ok(());
            }
        }
        if self.class_escape(start)? {
            return Ok(());
        }
        let c = self.char_escape(start)?;
        self.literal(c);
        Ok(())
    }
}

fn bad_flags(part: &str) -> RegexError {
    RegexError::new("invalid or unsupported Perl syntax", part)
}

fn bad_count(part: &str) -> RegexError {
    RegexError::new("invalid repeat count", part)
}

/// Flags without repetitions, which only Go puts up with; `None` when Go would refuse them too.
fn plain_flags(flags: &str) -> Option<String> {
    let (set, cleared) = match flags.split_once('-') {
        Some((_, "")) => return None,
        Some((set, cleared)) => (set, cleared),
        None => (flags, ""),
    };
    if !set.chars().chain(cleared.chars()).all(|flag| "imsU".contains(flag)) {
        return None;
    }
    let chosen = |from: &str, except: &str| -> String {
        "imsU"
            .chars()
            .filter(|&flag| from.contains(flag) && !except.contains(flag))
            .collect()
    };
    let (set, cleared) = (chosen(set, cleared), chosen(cleared, ""));
    Some(if cleared.is_empty() {
        set
    } else {
        format!("{set}-{cleared}")
    })
}

fn is_group_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn push_literal(c: char, out: &mut String) {
    if regex_syntax::is_meta_character(c) {
        out.push('\\');
    }
    out.push(c);
}
