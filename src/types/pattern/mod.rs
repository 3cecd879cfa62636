//! The `regex` of texts: as definitions write it, as it is run, and as schemas have it.

mod ecma;
pub(super) mod names;
mod parse;

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::{ArgumentError, Arguments};
use parse::Delimited;

/// A compiled `regex`.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    written: String,
    ecma: String,
    sample: Option<String>,
}

/// Longer samples are not made.
const SAMPLE: usize = 4096;

impl Pattern {
    /// Reads the attribute `regex`, where it is written.
    pub(super) fn read(arguments: &Arguments<'_>) -> Result<Option<Self>, ArgumentError> {
        let Some(text) = arguments.text("regex")? else {
            return Ok(None);
        };
        Self::compile(text).map(Some).map_err(|message| arguments.bad(message).at("regex"))
    }

    fn compile(text: &str) -> Result<Self, String> {
        let Delimited { pattern, flags } = Delimited::read(text)?;
        let ascii = if flags.unicode { pattern.clone() } else { parse::ascii_classes(&pattern, &flags)? };
        let hir = ParserBuilder::new()
            .nest_limit(parse::NESTING)
            .case_insensitive(flags.ignore_case)
            .multi_line(flags.multi_line)
            .dot_matches_new_line(flags.dot_all)
            .ignore_whitespace(flags.extended)
            .build()
            .parse(&ascii)
            .map_err(|error| match error {
                regex_syntax::Error::Parse(error) => parse::message(error.kind()),
                regex_syntax::Error::Translate(error) => parse::message(error.kind()),
                other => parse::message(&other),
            })?;
        let regex = RegexBuilder::new(&ascii)
            .nest_limit(parse::NESTING)
            .case_insensitive(flags.ignore_case)
            .multi_line(flags.multi_line)
            .dot_matches_new_line(flags.dot_all)
            .ignore_whitespace(flags.extended)
            .build()
            .map_err(|_| "the pattern is too large".to_owned())?;
        let short = hir.properties().minimum_len().is_some_and(|length| length <= SAMPLE);
        Ok(Self {
            regex,
            written: flags.write(&pattern),
            ecma: ecma::print(&hir)?,
            sample: short.then(|| sample(&hir)).flatten(),
        })
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// As it is written canonically: `/^a+$/i`.
    pub(super) fn written(&self) -> &str {
        &self.written
    }

    /// The same pattern for ECMA-262 (section 22.2) without flags, in a form
    /// that engines with other ideas of `\d`, `\w`, `\s`, `\b` and `.` read alike.
    pub(super) fn ecma(&self) -> &str {
        &self.ecma
    }

    /// A text that probably matches, if one is easily made.
    pub(super) fn sample(&self) -> Option<&str> {
        self.sample.as_deref()
    }
}

/// A short text that matches if the assertions in the pattern happen to hold.
fn sample(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(String::new()),
        HirKind::Literal(literal) => String::from_utf8(literal.0.to_vec()).ok(),
        HirKind::Class(Class::Unicode(class)) => {
            // A visible character where there is one.
            let visible = class.ranges().iter().find(|range| range.end() >= '!');
            let range = visible.or(class.ranges().first())?;
            Some(range.start().max('!').min(range.end()).to_string())
        }
        HirKind::Class(Class::Bytes(_)) => None,
        HirKind::Repetition(repetition) => Some(sample(&repetition.sub)?.repeat(repetition.min as usize)),
        HirKind::Capture(capture) => sample(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(sample).collect(),
        HirKind::Alternation(branches) => branches.iter().find_map(sample),
    }
}
