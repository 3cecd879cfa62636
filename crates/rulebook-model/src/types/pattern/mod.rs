//! The attribute `regex` of strings, which contains a *pattern* that valid strings must match. This Rust module parses
//! and compiles patterns, and translates them to the regular expressions of JSON Schema.

mod ecma;
pub(super) mod file_name_patterns;
mod fitted;
mod lengths;
mod parse;
mod sample;

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;

use super::{ArgumentError, TypeArguments};
pub(super) use fitted::fitted_samples;
pub(super) use lengths::lengths_of_pattern;
use parse::ParsedPattern;
pub(super) use sample::minimal_sample;
use sample::sample_text;

/// The maximum size in bytes of a compiled pattern. The time to match a text grows with this size.
const MAX_COMPILED_SIZE: usize = 256 << 10;

#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) regex: Regex,
    /// The canonical notation of the pattern in definitions, such as `/^a+$/i`.
    pub(super) notation: String,
    /// The pattern in the syntax of ECMA-262 (section 22.2), for JSON Schemas. It does not contain `\d`, `\w`, `\s`,
    /// `\b` and `.`, which regex engines define differently.
    pub(super) ecma_pattern: String,
    pub(super) hir: Hir,
}

/// The numbers of extra repetitions in sample texts, in the order of preference.
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
        if lengths_of_pattern(&hir).is_none() {
            return Err("the pattern matches no text".to_owned());
        }
        let regex =
            RegexBuilder::new(&pattern).nest_limit(parse::MAX_GROUP_DEPTH).size_limit(MAX_COMPILED_SIZE).build();
        let regex = regex.map_err(|_| "the pattern is too large: its repetitions multiply".to_owned())?;
        Ok(Self { regex, notation: parsed.notation(), ecma_pattern: ecma::to_ecma_pattern(&hir)?, hir })
    }

    /// Returns texts of several lengths that probably match the pattern, in the order of preference.
    pub(super) fn sample_texts(&self) -> impl Iterator<Item = String> {
        EXTRA_REPETITIONS.into_iter().filter_map(|extra| sample_text(&self.hir, extra))
    }
}

/// The sets of characters that are described in words, each with the words.
const CHARACTER_SETS: &[(&str, &str)] = &[
    ("[a-z]", "only lower-case letters (a-z)"),
    ("[A-Z]", "only capital letters (A-Z)"),
    ("[0-9]", "only digits"),
    (r"\d", "only digits"),
    ("[a-zA-Z]", "only letters (a-z, A-Z)"),
    ("[A-Za-z]", "only letters (a-z, A-Z)"),
    ("[a-z0-9]", "only lower-case letters (a-z) and digits"),
    ("[0-9a-f]", "only hexadecimal digits (0-9, a-f)"),
    ("[a-f0-9]", "only hexadecimal digits (0-9, a-f)"),
    ("[a-zA-Z0-9]", "only letters (a-z, A-Z) and digits"),
    ("[A-Za-z0-9]", "only letters (a-z, A-Z) and digits"),
    (r"[^\x00]", "without null characters"),
    (r"[^\x00-\x1F]", "without control characters"),
    (r"[^\x00-\x1f]", "without control characters"),
    (r"[^\x00-\x1F\x7F]", "without control characters"),
];

/// Describes a pattern after the description of a text: " that matches …", or the only allowed characters.
pub(super) fn describe_pattern(notation: &str) -> String {
    let set = notation.strip_prefix("/^").and_then(|rest| rest.strip_suffix("*$/").or(rest.strip_suffix("+$/")));
    match CHARACTER_SETS.iter().find(|(pattern, _)| Some(*pattern) == set) {
        Some((_, words)) => format!(", {words}"),
        None => format!(" that matches {notation}"),
    }
}
