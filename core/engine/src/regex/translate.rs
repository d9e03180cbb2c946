//! Go's regular expressions, rewritten for the `regex` crate.
//!
//! Both are RE2's children and agree on most things. Where they don't, Go's meaning counts, for the patterns that users
//! bring were written for Prometheus:
//! - `\d \w \s \b` are ASCII in Go, and `\s` has no vertical tab;
//! - inside a class Go takes `[ && -- ~~` for characters, Rust nests and combines;
//! - Go has `\Q..\E` and octal escapes, and takes `\<` and a `{` that opens no count for characters;
//! - Go refuses counts beyond 1000 and repetition of a repetition; Rust has flags that Go does not know.

use super::RegexError;

/// Go's bound on `{n,m}`.
const MAX_COUNT: u32 = 1000;

const POSIX_CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

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

    /// `\d`, `\pL` and their like, in a class and outside.
    fn class_escape(&mut self) -> Result<bool, RegexError> {
        let perl = [
            ("d", "[0-9]"),
            ("D", "[^0-9]"),
            ("s", r"[\t\n\x0C\r ]"),
            ("S", r"[^\t\n\x0C\r ]"),
            ("w", "[0-9A-Za-z_]"),
            ("W", "[^0-9A-Za-z_]"),
        ];
        for (letter, meaning) in perl {
            if self.eat(letter) {
                self.out.push_str(meaning);
                return Ok(true);
            }
        }
        let mut negated = self.rest.starts_with('P');
        if !self.eat("p") && !self.eat("P") {
            return Ok(false);
        }
        let mut name = self.next().ok_or_else(trailing_backslash)?.to_string();
        if name == "{" {
            let range = self.rest.split_once('}');
            let (inside, rest) = range.ok_or_else(|| RegexError::new("invalid character class range"))?;
            negated ^= inside.starts_with('^');
            name = inside.trim_start_matches('^').to_owned();
            self.rest = rest;
        }
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(RegexError::new(format!("invalid character class range: {name}")));
        }
        self.out.push_str(if negated { r"\P{" } else { r"\p{" });
        self.out.push_str(&name);
        self.out.push('}');
        Ok(true)
    }

    /// The one character that an escape stands for.
    fn char_escape(&mut self) -> Result<char, RegexError> {
        let invalid = |c: char| RegexError::new(format!("invalid escape sequence: \\{c}"));
        let c = self.next().ok_or_else(trailing_backslash)?;
        match c {
            'a' => Ok('\x07'),
            'f' => Ok('\x0c'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'v' => Ok('\x0b'),
            'x' => self.hex().ok_or_else(|| invalid(c)),
            // A single digit but 0 would be a back-reference, which neither knows.
            '1'..='7' if !self.rest.starts_with(|d: char| ('0'..='7').contains(&d)) => Err(invalid(c)),
            '0'..='7' => self.octal(c).ok_or_else(|| invalid(c)),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok(c),
            c => Err(invalid(c)),
        }
    }

    fn hex(&mut self) -> Option<char> {
        let (digits, rest) = match self.rest.strip_prefix('{') {
            Some(braced) => braced.split_once('}')?,
            None => (self.rest.get(..2)?, self.rest.get(2..)?),
        };
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.rest = rest;
        char::from_u32(u32::from_str_radix(digits, 16).ok()?)
    }

    /// Up to three digits, `first` being the one.
    fn octal(&mut self, first: char) -> Option<char> {
        let mut value = first.to_digit(8)?;
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(8)) else {
                break;
            };
            self.next();
            value = value * 8 + digit;
        }
        char::from_u32(value)
    }

    /// What follows `[`.
    fn class(&mut self) -> Result<(), RegexError> {
        let missing = || RegexError::new("missing closing ]");
        self.out.push('[');
        if self.eat("^") {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            if !first && self.eat("]") {
                self.out.push(']');
                return Ok(());
            }
            first = false;
            let named = self.rest.starts_with("[:") && self.named_class()?;
            if named || (self.rest.starts_with('\\') && self.escaped_class()?) {
                continue;
            }
            let low = self.class_char()?.ok_or_else(missing)?;
            push_literal(low, &mut self.out);
            if self.rest.starts_with('-') && !self.rest.starts_with("-]") {
                self.next();
                let high = self.class_char()?.ok_or_else(missing)?;
                if high < low {
                    return Err(RegexError::new(format!("invalid character class range: {low}-{high}")));
                }
                self.out.push('-');
                push_literal(high, &mut self.out);
            }
        }
    }

    fn class_char(&mut self) -> Result<Option<char>, RegexError> {
        match self.next() {
            Some('\\') => self.char_escape().map(Some),
            other => Ok(other),
        }
    }

    /// `[:name:]` or `[:^name:]`. Without a `:]` the bracket is a character.
    fn named_class(&mut self) -> Result<bool, RegexError> {
        let Some((name, rest)) = self.rest.strip_prefix("[:").and_then(|inside| inside.split_once(":]")) else {
            return Ok(false);
        };
        if !POSIX_CLASSES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(RegexError::new(format!("invalid character class range: [:{name}:]")));
        }
        self.out.push_str(&format!("[:{name}:]"));
        self.rest = rest;
        Ok(true)
    }

    /// A class named by an escape, inside a class.
    fn escaped_class(&mut self) -> Result<bool, RegexError> {
        let before = self.rest;
        self.next();
        let found = self.class_escape()?;
        if !found {
            self.rest = before;
        }
        Ok(found)
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

fn trailing_backslash() -> RegexError {
    RegexError::new("trailing backslash at end of expression")
}

fn push_literal(c: char, out: &mut String) {
    if regex_syntax::is_meta_character(c) {
        out.push('\\');
    }
    out.push(c);
}
