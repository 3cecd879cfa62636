//! The `regex` of texts: as definitions write it, as it is run, and as schemas have it.

mod ecma;
pub(super) mod names;
mod parse;
mod sample;

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;

use super::{ArgumentError, Arguments};
use parse::Delimited;
use sample::{least, sample};

/// A compiled `regex`.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    written: String,
    ecma: String,
    hir: Hir,
}

/// How often samples repeat what they may, the most pleasant ones first.
const MORE: [u32; 13] = [2, 1, 3, 0, 4, 5, 6, 7, 9, 11, 15, 31, 63];

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
        Ok(Self { regex, written: flags.write(&pattern), ecma: ecma::print(&hir)?, hir })
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

    /// A short text that probably matches, if one is easily made.
    pub(super) fn sample(&self) -> Option<String> {
        least(&self.hir)
    }

    /// Texts that probably match, of several lengths, the most pleasant ones first.
    pub(super) fn samples(&self) -> impl Iterator<Item = String> {
        MORE.into_iter().filter_map(|more| sample(&self.hir, more))
    }
}
