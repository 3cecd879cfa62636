//! The type `filename`: the name of a stored file, with a path relative to the folder of all stored files. The
//! definition can list *patterns* such as `public/**`, of which a name must match at least one.
//!
//! Every name that passes the check is valid against the JSON Schema, but the JSON Schema also accepts some other
//! names, because it can describe the syntax of names and the patterns only approximately: parts of more than 255
//! bytes, rare invisible characters, and names with non-ASCII characters in place of wildcards.

use std::borrow::Cow;
use std::sync::Arc;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition};
use serde_json::{Value as Json, json};

use super::constant::{type_expr_of_words, words_in_term_or_range};
use super::pattern::sample_text;
use super::{ArgumentError, Check, TypeArguments, TypeExpr, first_valid_value, keep_valid_values, pattern};
use crate::call::{TypeMismatch, Value};
use crate::filename::{
    FileName, FilePatterns, NUMBERED_WINDOWS_DEVICES, PatternError, WINDOWS_DEVICES, pattern_to_regex,
};
use crate::schema::pattern::ignoring_case_pattern;

#[derive(Debug)]
struct FileNameCheck {
    /// The patterns as the definition writes them. If the list is empty, every file name is valid.
    globs: Vec<String>,
    patterns: FilePatterns,
    /// The regular expression in the JSON Schema; `None` without patterns, or if it would be too long.
    schema_pattern: Option<String>,
    /// Generated names, each of which probably matches a pattern.
    sample_names: Vec<String>,
}

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    let globs = words_in_term_or_range(arguments, "patterns", "filename(public/**|cache/*.json)")?.unwrap_or_default();
    let error = |error: PatternError| {
        let error = arguments.error(error.to_string());
        if arguments.positional.is_empty() { error.at("range") } else { error }
    };
    let patterns = FilePatterns::new(&globs).map_err(error)?;
    if globs.is_empty() {
        return Ok(Arc::new(FileNameCheck { globs, patterns, schema_pattern: None, sample_names: Vec::new() }));
    }
    let regexes =
        globs.iter().map(|pattern| pattern_to_regex(pattern)).collect::<Result<Vec<_>, _>>().map_err(error)?;
    let parsed = FileNameRegexes::parse(regexes.iter().map(String::as_str));
    let schema_pattern = parsed.as_ref().and_then(FileNameRegexes::ecma_pattern);
    let sample_names = parsed.iter().flat_map(FileNameRegexes::sample_names).take(MAX_SAMPLE_NAMES).collect();
    Ok(Arc::new(FileNameCheck { globs, patterns, schema_pattern, sample_names }))
}

const MAX_SAMPLE_NAMES: usize = 16;

/// Returns a readable name that possibly matches a pattern, by replacing each wildcard with a word.
fn readable_name(pattern: &str) -> String {
    let name = match pattern.strip_suffix("**").or_else(|| pattern.strip_suffix('*')) {
        Some(folder) => format!("{folder}report.txt"),
        None => pattern.to_owned(),
    };
    name.replace("**", "folder").replace('*', "report").replace('?', "1")
}

impl Check for FileNameCheck {
    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        let Value::Text(text) = value else { return Err(TypeMismatch::new(self.expected(), value)) };
        match FileName::parse(text) {
            Ok(name) if !self.globs.is_empty() && !self.patterns.allows(&name) => {
                Err(TypeMismatch::new(self.expected(), value))
            }
            Ok(name) => {
                if name.as_str() != text {
                    *text = Cow::Owned(name.to_string());
                }
                Ok(())
            }
            Err(error) => Err(TypeMismatch::new(format!("a file name ({error})"), value)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        if self.globs.is_empty() {
            return "a file name, with `/` between folders".into();
        }
        format!("a file name that matches {}", self.globs.join(" or ")).into()
    }

    fn schema(&self) -> Json {
        // `maxLength` counts characters, but the check counts bytes. A name never has more characters than bytes, so
        // this limit rejects no valid name.
        let any = any_file_name_pattern();
        let mut schema = json!({ "type": "string", "minLength": 1, "maxLength": FileName::MAX_LEN, "pattern": any });
        // Without `type`, null would be a device if the type is `?filename`.
        schema["not"] = json!({ "type": "string", "pattern": device_pattern() });
        if let Some(pattern) = &self.schema_pattern {
            schema["pattern"] = json!(pattern);
            schema["allOf"] = json!([{ "pattern": any }]);
        }
        schema
    }

    fn has_exact_schema(&self) -> bool {
        false
    }

    fn type_expr(&self) -> TypeExpr {
        if self.globs.is_empty() { TypeExpr::term("filename") } else { type_expr_of_words("filename", &self.globs) }
    }

    fn can_check_early(&self) -> bool {
        true
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        let general = ["a", "./folder/é.txt"].map(|name| Value::Text(name.into()));
        let samples = self.sample_names.iter().map(|name| Value::Text(name.clone().into()));
        keep_valid_values(self, general.into_iter().chain(samples).collect())
    }

    fn example(&self) -> Option<Value<'static>> {
        let readable = self.globs.iter().map(|pattern| readable_name(pattern));
        let names = readable.chain(["folder/report.txt".to_owned()]).chain(self.sample_names.iter().cloned());
        first_valid_value(self, names.map(|name| Value::Text(name.into())))
    }
}

// File name patterns such as `public/**`. A file name is normalized to Unicode NFC before it is matched, but a JSON
// Schema applies to the text of the request. The regular expression in the JSON Schema therefore keeps only the ASCII
// characters of the file name pattern, which NFC hardly changes. In place of each other character it accepts any
// non-ASCII characters, which can follow one ASCII character, because NFC composes them. Every name that matches the
// file name pattern also matches the regular expression, but not the reverse.

/// The non-ASCII characters that NFC converts to an ASCII character. Each pair has the ASCII character first.
const NFC_TO_ASCII: &[(char, char)] = &[('K', '\u{212A}'), (';', '\u{37E}'), ('`', '\u{1FEF}')];

/// The maximum length of a regular expression in a JSON Schema. Longer expressions are unreadable.
const MAX_SCHEMA_PATTERN_LEN: usize = 2048;

/// The characters that no file name contains, for use in a character class: ASCII characters with a special meaning,
/// and invisible characters. NFC does not change them. Rare invisible characters are missing.
const FORBIDDEN_CHARACTERS: &str = concat!(
    r#"\x00-\x1F\x7F-\x9F"%*/:<>?\\|\u00AD\u061C\u180E"#,
    r"\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB"
);
/// White space, for use in a character class.
const WHITE_SPACE: &str = r" \u00A0\u1680\u2000-\u200A\u202F\u205F\u3000";

/// Returns a regular expression that every file name matches. It excludes empty parts, dots and white space where they
/// are not allowed, and characters that no file name contains. A `<` or `>` is allowed before a non-ASCII character,
/// because NFC can compose them. The expression does not exclude the names of devices, and does not count bytes.
fn any_file_name_pattern() -> String {
    let composed = r"[<>][^\x00-\x7F]";
    let first_or_last = format!("(?:[^{FORBIDDEN_CHARACTERS}{WHITE_SPACE}.]|{composed})");
    let part = format!("{first_or_last}(?:(?:[^{FORBIDDEN_CHARACTERS}]|{composed})*{first_or_last})?");
    format!(r"^(?:\./)?(?:{part}/)*{part}$")
}

/// Returns a regular expression that matches file names with a part that is the name of a device in Windows.
fn device_pattern() -> String {
    let alternatives =
        |names: &[&str]| names.iter().map(|name| ignoring_case_pattern(name)).collect::<Vec<_>>().join("|");
    let (names, numbered) = (alternatives(WINDOWS_DEVICES), alternatives(NUMBERED_WINDOWS_DEVICES));
    format!("(?:^|/)(?:{names}|(?:{numbered})[0-9\\xB2\\xB3\\xB9])[{WHITE_SPACE}]*(?:[./]|$)")
}

#[derive(Debug)]
struct FileNameRegexes(Vec<Hir>);

impl FileNameRegexes {
    /// Returns `None` if one of the expressions is invalid.
    pub(super) fn parse<'p>(regexes: impl IntoIterator<Item = &'p str>) -> Option<Self> {
        let parse = |regex| {
            let mut parser = ParserBuilder::new().dot_matches_new_line(true).build();
            parser.parse(regex).ok()
        };
        regexes.into_iter().map(parse).collect::<Option<_>>().map(Self)
    }

    /// Returns a pattern of ECMA-262 for the names that match; `None` if it is longer than [`MAX_SCHEMA_PATTERN_LEN`].
    pub(super) fn ecma_pattern(&self) -> Option<String> {
        let names = self.0.iter().map(accept_unnormalized_names);
        let any = Hir::alternation(names.map(|name| without_leading_dot(&name)).collect());
        let whole = [parsed(r"^(?:\./)?"), any, parsed("$")];
        pattern::to_ecma_pattern(&Hir::concat(whole.into()))
            .ok()
            .filter(|pattern| pattern.len() <= MAX_SCHEMA_PATTERN_LEN)
    }

    /// Returns names that probably match the patterns: a short and a longer name for each pattern.
    fn sample_names(&self) -> impl Iterator<Item = String> {
        // A part that may be repeated occurs, because the parts of a file name between `/` cannot be empty.
        let samples = |pattern| [1, 2].map(|extra_repetitions| sample_text(pattern, extra_repetitions));
        self.0.iter().flat_map(samples).flatten()
    }
}

/// Returns a regular expression, without anchors, for the names that `hir` matches before and after NFC.
fn accept_unnormalized_names(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Hir::empty(),
        HirKind::Literal(literal) => {
            let bytes = literal.0.chunk_by(|a, b| a.is_ascii() == b.is_ascii());
            let parts = bytes.flat_map(|run| match run.first().is_some_and(u8::is_ascii) {
                true => {
                    run.iter().map(|byte| ascii_class_before_nfc([(char::from(*byte), char::from(*byte))])).collect()
                }
                false => vec![any_non_ascii_run()],
            });
            Hir::concat(parts.collect())
        }
        HirKind::Class(class) => accept_unnormalized_characters(class),
        HirKind::Repetition(repetition) => match repetition.sub.kind() {
            // The wildcards `*` and `**`.
            HirKind::Class(Class::Unicode(class)) if !class.is_ascii() && repetition.max.is_none() => {
                parsed(if class_contains(class, '/') { "(?s:.)*" } else { "[^/]*" })
            }
            _ => Hir::repetition(repetition.with(accept_unnormalized_names(&repetition.sub))),
        },
        HirKind::Capture(capture) => accept_unnormalized_names(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(accept_unnormalized_names).collect()),
        HirKind::Alternation(branches) => Hir::alternation(branches.iter().map(accept_unnormalized_names).collect()),
    }
}

fn accept_unnormalized_characters(class: &Class) -> Hir {
    match class {
        // The parser represents an expression that matches nothing as a class of no bytes.
        Class::Bytes(_) => Hir::fail(),
        Class::Unicode(class) if class.is_ascii() => {
            ascii_class_before_nfc(class.iter().map(|range| (range.start(), range.end())))
        }
        Class::Unicode(class) => character_before_nfc(class),
    }
}

fn class_contains(class: &ClassUnicode, char: char) -> bool {
    class.iter().any(|range| (range.start()..=range.end()).contains(&char))
}

/// Returns a character class of the ASCII characters in `ranges` and of the characters that NFC converts to them.
fn ascii_class_before_nfc(ranges: impl IntoIterator<Item = (char, char)>) -> Hir {
    let mut class = ClassUnicode::empty();
    for (start, end) in ranges {
        class.push(ClassUnicodeRange::new(start, end));
        let composed = NFC_TO_ASCII.iter().filter(|(ascii, _)| (start..=end).contains(ascii));
        composed.for_each(|(_, other)| class.push(ClassUnicodeRange::new(*other, *other)));
    }
    Hir::class(Class::Unicode(class))
}

/// Returns a regular expression for one character of a class that contains non-ASCII characters. NFC creates such a
/// character from non-ASCII characters, of which there can be any number, or from an ASCII character and non-ASCII
/// characters. If NFC replaces one character by two characters, the regular expression for the second one matches the
/// empty text.
fn character_before_nfc(class: &ClassUnicode) -> Hir {
    let mut ascii = class.clone();
    ascii.intersect(&ClassUnicode::new([ClassUnicodeRange::new('\0', '\x7f')]));
    if ascii.ranges().is_empty() {
        return any_non_ascii_run();
    }
    let ascii = ascii_class_before_nfc(ascii.iter().map(|range| (range.start(), range.end())));
    optional(Hir::alternation(vec![ascii, composed_run()]))
}

/// Returns a regular expression for one or more non-ASCII characters, which can follow one ASCII character except `/`.
fn composed_run() -> Hir {
    parsed(r"[\x00-.0-\x7F]?[^\x00-\x7F]+")
}

/// Returns a regular expression for any number of non-ASCII characters after NFC.
fn any_non_ascii_run() -> Hir {
    Hir::repetition(Repetition { min: 0, max: None, greedy: true, sub: Box::new(composed_run()) })
}

/// Returns a regular expression that is known to be valid.
fn parsed(regex: &str) -> Hir {
    regex_syntax::parse(regex).unwrap_or_else(|_| Hir::fail())
}

/// Returns a regular expression for the texts that `hir` matches and that do not begin with a dot in place of a
/// wildcard. Names of stored files cannot begin with a dot: `./` at the beginning of a text is a prefix that is
/// removed.
fn without_leading_dot(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            let mut class = class.clone();
            class.difference(&ClassUnicode::new([ClassUnicodeRange::new('.', '.')]));
            Hir::class(Class::Unicode(class))
        }
        HirKind::Repetition(repetition) => {
            let first = without_leading_dot(&repetition.sub);
            let (min, max) = (repetition.min.saturating_sub(1), repetition.max.map(|max| max.saturating_sub(1)));
            let others = Hir::repetition(Repetition { min, max, ..repetition.clone() });
            let repeated = Hir::concat(vec![first, others]);
            if repetition.min == 0 { optional(repeated) } else { repeated }
        }
        HirKind::Concat(parts) => {
            let first = parts.first().map(without_leading_dot);
            Hir::concat(first.into_iter().chain(parts.iter().skip(1).cloned()).collect())
        }
        HirKind::Alternation(branches) => Hir::alternation(branches.iter().map(without_leading_dot).collect()),
        _ => hir.clone(),
    }
}

fn optional(hir: Hir) -> Hir {
    Hir::repetition(Repetition { min: 0, max: Some(1), greedy: true, sub: Box::new(hir) })
}
