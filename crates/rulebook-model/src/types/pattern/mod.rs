//! The attribute `regex` of strings, which contains a *pattern* that valid strings must match. This Rust module parses
//! and compiles patterns, and translates them to the regular expressions of JSON Schema.

mod characters;
mod ecma;
pub(super) mod file_name_patterns;
mod fitted;
mod parse;
mod sample;
mod words;

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;

use super::{ArgumentError, TypeArguments};
use parse::ParsedPattern;
use sample::sample_text;

/// The maximum size in bytes of a compiled pattern. The time to match a text grows with this size.
const MAX_COMPILED_SIZE: usize = 256 << 10;

#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    /// The canonical notation of the pattern in definitions, such as `/^a+$/i`.
    notation: String,
    /// The pattern in the syntax of ECMA-262, for JSON Schemas.
    ecma_pattern: String,
    hir: Hir,
}

/// The numbers of extra repetitions with which sample texts of a pattern are generated, in the order of preference.
/// With 2, a part that must occur once occurs three times.
const EXTRA_REPETITIONS: [u32; 13] = [2, 1, 3, 0, 4, 5, 6, 7, 9, 11, 15, 31, 63];

impl Pattern {
    /// Compiles the attribute `regex`. Returns `None` if the definition does not have this attribute.
    pub(super) fn from_arguments(arguments: &TypeArguments<'_>) -> Result<Option<Self>, ArgumentError> {
        let Some(text) = arguments.text("regex")? else {
            return Ok(None);
        };
        Self::compile(text).map(Some).map_err(|message| arguments.error(message).at("regex"))
    }

    fn compile(text: &str) -> Result<Self, String> {
        let parsed = ParsedPattern::parse(text)?;
        let pattern = parsed.to_regex()?;
        let hir = ParserBuilder::new().nest_limit(parse::MAX_GROUP_DEPTH).build().parse(&pattern);
        let hir = hir.map_err(|error| match error {
            regex_syntax::Error::Parse(error) => parse::regex_error_message(error.kind()),
            regex_syntax::Error::Translate(error) => parse::regex_error_message(error.kind()),
            other => parse::regex_error_message(&other),
        })?;
        let regex =
            RegexBuilder::new(&pattern).nest_limit(parse::MAX_GROUP_DEPTH).size_limit(MAX_COMPILED_SIZE).build();
        let regex = regex.map_err(|_| "the pattern is too large: its repetitions multiply".to_owned())?;
        Ok(Self { regex, notation: parsed.notation(), ecma_pattern: ecma::to_ecma_pattern(&hir)?, hir })
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    pub(super) fn notation(&self) -> &str {
        &self.notation
    }

    /// Describes the pattern as a phrase that follows the description of a text, such as " that matches …".
    pub(super) fn in_words(&self) -> String {
        words::describe_pattern(&self.notation)
    }

    /// Returns the pattern in the syntax of ECMA-262 (section 22.2) without flags. The result does not contain `\d`,
    /// `\w`, `\s`, `\b` and `.`, which regex engines define differently.
    pub(super) fn ecma_pattern(&self) -> &str {
        &self.ecma_pattern
    }

    pub(super) fn minimal_sample(&self) -> Option<String> {
        sample::minimal_sample(&self.hir)
    }

    /// Returns texts of several lengths that probably match the pattern, in the order of preference.
    pub(super) fn sample_texts(&self) -> impl Iterator<Item = String> {
        EXTRA_REPETITIONS.into_iter().filter_map(|extra| sample_text(&self.hir, extra))
    }

    /// Returns texts with `min` to `max` characters that probably match the pattern. They are less readable than those
    /// of [`Pattern::sample_texts`], and take longer to generate.
    pub(super) fn fitted_samples(&self, min: u64, max: u64) -> impl Iterator<Item = String> {
        fitted::fitted_samples(&self.hir, min, max)
    }
}
