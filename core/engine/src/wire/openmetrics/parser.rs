//! From line to line, and from family to family.

use ahash::RandomState;
use hashbrown::HashSet;

use crate::family::{Family, Text};
use crate::wire::openmetrics::draft::Draft;
use crate::wire::openmetrics::line::{Line, Read};
use crate::wire::openmetrics::point::Role;
use crate::wire::{too_many, Options, ParseError};

/// Read a whole body.
pub(super) fn parse(input: &[u8], options: Options) -> Result<Vec<Family>, ParseError> {
    let (mut parser, mut number) = (Parser::default(), 0);
    match parser.read(input, options, &mut number) {
        Ok(()) => Ok(parser.families),
        Err(message) => Err(ParseError {
            format: "OpenMetrics",
            line: number,
            message,
            too_many: parser.count > options.metrics_allowed(),
        }),
    }
}

#[derive(Debug, Default)]
struct Parser {
    families: Vec<Family>,
    current: Option<Draft>,
    /// Names of all families and of what samples they may have: no two families may share one.
    names: HashSet<Text, RandomState>,
    /// Metrics, buckets and quantiles.
    count: usize,
}

impl Parser {
    fn read(&mut self, input: &[u8], options: Options, number: &mut usize) -> Read<()> {
        let text = std::str::from_utf8(input).map_err(|e| {
            let valid = input.get(..e.valid_up_to()).unwrap_or_default();
            *number = 1 + memchr::memchr_iter(b'\n', valid).count();
            "not UTF-8"
        })?;
        let allowed = options.metrics_allowed();
        let mut rest = text;
        loop {
            *number += 1;
            let Some((line, tail)) = rest.split_once('\n').or(Some((rest, "")).filter(|_| rest == "# EOF")) else {
                return Err("the text does not end with \"# EOF\"".into());
            };
            rest = tail;
            if line == "# EOF" {
                break;
            }
            self.line(line, options.utf8)?;
            if self.count > allowed {
                return Err(too_many(allowed));
            }
        }
        if !rest.is_empty() {
            *number += 1;
            return Err("text behind \"# EOF\"".into());
        }
        self.close()
    }

    fn line(&mut self, line: &str, utf8: bool) -> Read<()> {
        if let Some(metadata) = line.strip_prefix("# ") {
            let (keyword, name, text) = Line::new(metadata, utf8).metadata()?;
            return self.turn_to(&name)?.describe(keyword, text);
        }
        match line.bytes().next() {
            None => return Err("empty line".into()),
            Some(b'#') => return Err("expected a blank behind \"#\"".into()),
            Some(_) => {}
        }
        let sample = Line::new(line, utf8).sample()?;
        let role = self
            .current
            .as_ref()
            .map(|draft| draft.role_of(&sample.name))
            .transpose()?
            .flatten();
        if role.is_none() {
            self.turn_to(&sample.name)?;
        }
        let Self {
            current: Some(draft),
            names,
            count,
            ..
        } = self
        else {
            return Ok(());
        };
        if !draft.has_samples() {
            draft.check()?;
            claim(names, draft)?;
        }
        draft.add(role.unwrap_or(Role::Value), sample, count)
    }

    /// The family of this name, a new one unless it is the current one.
    fn turn_to(&mut self, name: &str) -> Read<&mut Draft> {
        if self.current.as_ref().is_some_and(|draft| draft.name != name) {
            self.close()?;
        }
        Ok(self.current.get_or_insert_with(|| Draft::new(name)))
    }

    fn close(&mut self) -> Read<()> {
        if let Some(draft) = self.current.take() {
            if !draft.has_samples() {
                draft.check()?;
                claim(&mut self.names, &draft)?;
            }
            self.families.extend(draft.finish()?);
        }
        Ok(())
    }
}

fn claim(names: &mut HashSet<Text, RandomState>, draft: &Draft) -> Read<()> {
    for name in draft.names() {
        if names.contains(&name) {
            return Err(format!("{name:?} belongs to an earlier metric family"));
        }
        names.insert(name);
    }
    Ok(())
}
