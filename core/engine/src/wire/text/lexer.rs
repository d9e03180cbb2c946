//! Tokens of the text format, cut from borrowed bytes; only what holds an escape or quotes is copied.

use std::borrow::Cow;

use crate::quote::Quoted;

/// A token's bytes, not yet known to be UTF-8.
pub(super) type Token<'a> = Cow<'a, [u8]>;

/// What was read, or the message of the error.
pub(super) type Lexed<T> = Result<T, String>;

/// The two sorts of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Metric,
    Label,
}

impl Name {
    fn starts(self, byte: u8) -> bool {
        byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'"') || (byte == b':' && self == Self::Metric)
    }

    fn continues(self, byte: u8) -> bool {
        self.starts(byte) || byte.is_ascii_digit()
    }

    fn describe(self) -> &'static str {
        match self {
            Self::Metric => "metric name",
            Self::Label => "label name",
        }
    }
}

/// A cursor over the input. A token must be followed by another byte: nothing may end without its line feed.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    rest: &'a [u8],
}

impl<'a> Lexer<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    /// The next byte, which stays.
    pub(super) fn peek(&self) -> Lexed<u8> {
        self.rest.first().copied().ok_or_else(end)
    }

    pub(super) fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Leave out the byte that was peeked.
    pub(super) fn bump(&mut self) {
        self.take(1);
    }

    /// Leave out the byte that was peeked when it is `byte`.
    pub(super) fn bump_if(&mut self, byte: u8) -> Lexed<bool> {
        let found = self.peek()? == byte;
        if found {
            self.bump();
        }
        Ok(found)
    }

    fn take(&mut self, n: usize) -> &'a [u8] {
        let (token, rest) = self.rest.split_at_checked(n).unwrap_or((self.rest, &[]));
        self.rest = rest;
        token
    }

    fn next(&mut self) -> Lexed<u8> {
        let byte = self.peek()?;
        self.bump();
        Ok(byte)
    }

    pub(super) fn skip_blanks(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// Everything up to a blank or line feed, maybe nothing.
    pub(super) fn word(&mut self) -> Lexed<&'a [u8]> {
        let stop = |b: &u8| matches!(b, b' ' | b'\t' | b'\n');
        let n = self.rest.iter().position(stop).ok_or_else(end)?;
        Ok(self.take(n))
    }

    /// The rest of the line without its line feed, which is taken too.
    pub(super) fn line(&mut self) -> Lexed<&'a [u8]> {
        let n = memchr::memchr(b'\n', self.rest).ok_or_else(end)?;
        let line = self.take(n);
        self.bump();
        Ok(line)
    }

    /// The rest of the line with escapes undone.
    pub(super) fn escaped_line(&mut self) -> Lexed<Token<'a>> {
        match memchr::memchr2(b'\\', b'\n', self.rest) {
            Some(n) if self.rest.get(n) == Some(&b'\n') => return self.line().map(Cow::Borrowed),
            _ => {}
        }
        let mut text = Vec::new();
        loop {
            match self.next()? {
                b'\n' => return Ok(Cow::Owned(text)),
                b'\\' => text.push(self.escape()?),
                byte => text.push(byte),
            }
        }
    }

    /// A name; empty when the next byte begins none. Quotes may stand anywhere in it and are not part of it.
    pub(super) fn name(&mut self, sort: Name) -> Lexed<Token<'a>> {
        if !sort.starts(self.peek()?) {
            return Ok(Cow::Borrowed(&[]));
        }
        let plain = self
            .rest
            .iter()
            .position(|b| *b == b'"' || !sort.continues(*b))
            .ok_or_else(end)?;
        if self.rest.get(plain) != Some(&b'"') {
            return Ok(Cow::Borrowed(self.take(plain)));
        }
        let mut name = self.take(plain).to_vec();
        self.bump();
        loop {
            match self.next()? {
                b'"' => break,
                b'\\' => name.push(self.escape()?),
                b'\n' => return Err(unescaped_line_feed(sort.describe(), &name)),
                byte => name.push(byte),
            }
        }
        self.peek()?;
        Ok(Cow::Owned(name))
    }

    /// A label value, from behind its opening quote to behind its closing one.
    pub(super) fn label_value(&mut self) -> Lexed<Token<'a>> {
        let plain = memchr::memchr3(b'"', b'\\', b'\n', self.rest).ok_or_else(end)?;
        let start = self.take(plain);
        if self.bump_if(b'"')? {
            return Ok(Cow::Borrowed(start));
        }
        let mut value = start.to_vec();
        loop {
            match self.next()? {
                b'"' => return Ok(Cow::Owned(value)),
                b'\\' => value.push(self.escape()?),
                b'\n' => return Err(unescaped_line_feed("label value", &value)),
                byte => value.push(byte),
            }
        }
    }

    /// The byte meant by what follows a backslash.
    fn escape(&mut self) -> Lexed<u8> {
        match self.next()? {
            b'n' => Ok(b'\n'),
            byte @ (b'\\' | b'"') => Ok(byte),
            byte => Err(format!("invalid escape sequence '\\{}'", char::from(byte))),
        }
    }
}

fn end() -> String {
    "unexpected end of input stream".into()
}

fn unescaped_line_feed(what: &str, text: &[u8]) -> String {
    format!("{what} {} contains unescaped new-line", Quoted(text))
}
