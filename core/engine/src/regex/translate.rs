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
        rest: pattern,
        out: String::with_capacity(pattern.len() + 16),
        depth: 0,
        before: Before::Nothing,
    };
    while let Some(c) = translator.next() {
        translator.token(c)?;
    }
    if translator.depth > 0 {
        return Err(RegexError::new("missing closing )"));
    }
    Ok(translator.out)
}

/// What stands before the next token, as far as a repetition cares.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Atom,
    Repetition,
}

struct Translator<'p> {
    rest: &'p str,
    out: String,
    depth: usize,
    before: Before,
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

    fn token(&mut self, c: char) -> Result<(), RegexError> {
        match c {
            '(' => return self.open(),
            ')' => {
                self.depth = self
                    .depth
                    .checked_sub(1)
                    .ok_or_else(|| RegexError::new("unexpected )"))?;
                self.out.push(c);
            }
            '|' => {
                self.out.push(c);
                self.before = Before::Nothing;
                return Ok(());
            }
            '*' | '+' | '?' => return self.repetition(&c.to_string()),
            '{' => match self.count()? {
                Some(count) => return self.repetition(&count),
                None => self.literal('{'),
            },
            '[' => self.class()?,
            '\\' => self.escape()?,
            '.' | '^' | '$' => self.out.push(c),
            other => self.literal(other),
        }
        self.before = Before::Atom;
        Ok(())
    }

    fn literal(&mut self, c: char) {
        push_literal(c, &mut self.out);
    }

    /// What follows `(`: a group, perhaps with a name or flags, or flags alone.
    fn open(&mut self) -> Result<(), RegexError> {
        if self.eat("?P<") || self.eat("?<") {
            let name = self.rest.split_once('>').filter(|(name, _)| is_group_name(name));
            let (name, rest) = name.ok_or_else(|| RegexError::new("invalid named capture"))?;
            self.out.push_str(&format!("(?P<{name}>"));
            self.rest = rest;
        } else if self.eat("?") {
            return self.flags();
        } else {
            self.out.push('(');
        }
        self.group();
        Ok(())
    }

    fn group(&mut self) {
        self.depth += 1;
        self.before = Before::Nothing;
    }

    fn flags(&mut self) -> Result<(), RegexError> {
        let end = self
            .rest
            .find([':', ')'])
            .ok_or_else(|| RegexError::new("missing closing )"))?;
        let (flags, rest) = self.rest.split_at(end);
        let invalid = || RegexError::new(format!("invalid or unsupported Perl syntax: (?{flags}"));
        let flags = plain_flags(flags).ok_or_else(invalid)?;
        self.rest = rest;
        if self.eat(":") {
            self.out.push_str(&format!("(?{flags}:"));
            self.group();
        } else if self.eat(")") && !flags.is_empty() {
            self.out.push_str(&format!("(?{flags})"));
            self.before = Before::Nothing;
        }
        Ok(())
    }

    /// The count whose `{` has just been read, if it is one: `n}`, `n,}` or `n,m}`.
    fn count(&mut self) -> Result<Option<String>, RegexError> {
        let Some((inside, rest)) = self.rest.split_once('}') else {
            return Ok(None);
        };
        let (min, max) = inside.split_once(',').unwrap_or((inside, inside));
        let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !number(min) || !(number(max) || max.is_empty()) {
            return Ok(None);
        }
        let too_big = || RegexError::new(format!("invalid repeat count: {{{inside}}}"));
        let min: u32 = min.parse().map_err(|_| too_big())?;
        let max: u32 = if max.is_empty() {
            min
        } else {
            max.parse().map_err(|_| too_big())?
        };
        if max > MAX_COUNT || min > max {
            return Err(too_big());
        }
        self.rest = rest;
        Ok(Some(format!("{{{inside}}}")))
    }

    fn repetition(&mut self, operator: &str) -> Result<(), RegexError> {
        match self.before {
            Before::Nothing => Err(RegexError::new(format!(
                "missing argument to repetition operator: {operator}"
            ))),
            Before::Repetition => Err(RegexError::new(format!(
                "invalid nested repetition operator: {operator}"
            ))),
            Before::Atom => {
                self.out.push_str(operator);
                if self.eat("?") {
                    self.out.push('?');
                }
                self.before = Before::Repetition;
                Ok(())
            }
        }
    }

    /// What follows a backslash outside of classes.
    fn escape(&mut self) -> Result<(), RegexError> {
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
        if self.class_escape()? {
            return Ok(());
        }
        let c = self.char_escape()?;
        self.literal(c);
        Ok(())
    }
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
