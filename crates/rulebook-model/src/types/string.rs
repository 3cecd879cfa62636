//! The type `string`: a text, whose length, pattern and type of content the definition can limit.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::bounds::Bounds;
use super::pattern::{Pattern, describe_pattern, fitted_samples, lengths_of_pattern, minimal_sample};
use super::{
    ArgumentError, ArgumentErrorKind, Check, NamedSchema, Structure, TypeArgument, TypeArguments, TypeExpr, branches,
    constants, first_valid_value, keep_valid_values, kinds, schemas_in,
};
use crate::call::{Measure, TypeMismatch, Value, Violation};

#[derive(Debug)]
pub(super) struct StringCheck {
    type_name: &'static str,
    pub(super) length: Bounds<u64>,
    pattern: Option<Pattern>,
    /// The check of the type `T` in `varchar(a,b,T)`. A text must be a valid value of `T` too.
    inner_check: Option<Arc<dyn Check>>,
}

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(StringCheck::from_arguments("string", arguments)?))
}

impl StringCheck {
    pub(super) fn from_arguments(name: &'static str, arguments: &TypeArguments<'_>) -> Result<Self, ArgumentError> {
        let inner = match arguments.positional {
            [] | [_] | [_, _] => None,
            [_, _, TypeArgument::Type(inner)] => Some(Arc::clone(inner)),
            _ => {
                return Err(arguments
                    .error(format!("`{}` has at most three arguments", arguments.name))
                    .help("write `string(n)`, `string(a,b)` or `varchar(a,b,type)`"));
            }
        };
        let length = Bounds::from_arguments(arguments, true)?;
        let text = Self {
            type_name: name,
            length,
            pattern: Pattern::from_arguments(arguments)?,
            // Every text is a `string`, so `varchar(a,b,string)` is equal to `varchar(a,b)`.
            inner_check: inner.filter(|inner| inner.type_expr() != TypeExpr::term("string")),
        };
        if let Some(inner) = &text.inner_check
            && !inner.boundary_values().iter().any(|value| matches!(value, Value::Text(_)))
            && !accepts_some_text(&**inner)
        {
            return Err(arguments.error(format!("`{}` is not a type of strings", inner.type_expr().term)).help(
                format!("the third argument of `{}` must be a type of strings, such as `mail`", arguments.name),
            ));
        }
        text.length_error().map_or(Ok(()), Err)?;
        Ok(text)
    }

    /// Returns the error if no text has both an allowed length and the pattern or the inner type.
    fn length_error(&self) -> Option<ArgumentError> {
        let of_pattern = |pattern: &Pattern| Some(("the pattern".to_owned(), lengths_of_pattern(&pattern.hir)?));
        let of_type = |inner: &Arc<dyn Check>| {
            let name = format!("the type `{}`", inner.type_expr().term);
            Some((name, lengths_of_type(&**inner)?))
        };
        let mut lengths = self.pattern.iter().filter_map(of_pattern).chain(self.inner_check.iter().filter_map(of_type));
        lengths.find_map(|(subject, (min_len, max_len))| {
            let upper = self.length.max.filter(|max| *max < min_len);
            let lower = self.length.min.filter(|min| *min > max_len);
            let (relation, length, attribute, bound) = match (upper, lower) {
                (Some(max), _) => ("at least", min_len, "max", max),
                (None, Some(min)) => ("at most", max_len, "min", min),
                (None, None) => return None,
            };
            let message = format!(
                "no text is valid: a text of {subject} has {relation} {length} characters, and `{attribute}` is {bound}"
            );
            Some(ArgumentError::new(ArgumentErrorKind::Bounds, message).help("change the bounds of the length"))
        })
    }

    /// Returns `true` if every text with an allowed length is valid.
    pub(super) fn checks_only_length(&self) -> bool {
        self.pattern.is_none() && self.inner_check.is_none()
    }

    fn violation(&self, value: &Value<'_>) -> Option<Violation> {
        let Value::Text(text) = value else { return None };
        let length = text.chars().count() as u64;
        // A text that is too long is not matched, because that would take long.
        let matches = || self.pattern.as_ref().is_none_or(|pattern| pattern.regex.is_match(text));
        Violation::of_bounds(Measure::Length, self.length.min, self.length.max, length)
            .or_else(|| (!matches()).then_some(Violation::Pattern))
    }

    /// Returns texts with an allowed length that possibly match the pattern, or are possibly valid for the inner type.
    fn fitted_texts(&self) -> impl Iterator<Item = Value<'static>> {
        let (min, max) = (self.length.min.unwrap_or(0), self.length.max.unwrap_or(u64::MAX));
        let matching = self.pattern.iter().flat_map(move |pattern| fitted_samples(&pattern.hir, min, max));
        let inner =
            self.inner_check.iter().flat_map(|inner| inner.example().into_iter().chain(inner.boundary_values()));
        // Some types, such as `text_id`, accept texts although their examples are not texts.
        let resized = inner.chain([Value::Text("1".into())]).flat_map(move |value| match value {
            Value::Text(text) => resized_texts(&text, min, max),
            _ => Vec::new(),
        });
        let resized = resized.filter(|_| self.inner_check.is_some());
        matching.chain(resized).map(|text| Value::Text(Cow::Owned(text)))
    }

    fn accepts_text(&self, text: &str) -> bool {
        self.length.contains_length(text)
            && self.pattern.as_ref().is_none_or(|pattern| pattern.regex.is_match(text))
            && self.inner_check.as_ref().is_none_or(|inner| inner.checked(Value::Text(Cow::Borrowed(text))).is_ok())
    }
}

/// Returns `true` if a type such as `text_id` accepts a common text although its boundary values are no texts.
fn accepts_some_text(check: &dyn Check) -> bool {
    ["0", "1", "true", "null"].into_iter().any(|text| check.checked(Value::Text(Cow::Borrowed(text))).is_ok())
}

/// The maximum number of characters in an example or a boundary value, if the type has no shorter values.
const MAX_EXAMPLE_LEN: u64 = 16_384;

/// The maximum number of characters in a boundary value, if the type has shorter values, too.
const MAX_OPTIONAL_LEN: u64 = 4096;

/// `None` if `times` is above [`MAX_EXAMPLE_LEN`].
pub(super) fn repeated_text(unit: &str, times: u64) -> Option<Value<'static>> {
    let times = usize::try_from(times).ok().filter(|_| times <= MAX_EXAMPLE_LEN)?;
    Some(Value::Text(Cow::Owned(unit.repeat(times))))
}

/// [`Check::example`] returns the first valid text of this list if nothing better is known.
const PREFERRED_EXAMPLES: [&str; 4] = ["text", "abc", "ab", "a"];

fn filler_text(length: u64) -> String {
    let mut words: String = "a text of several words ".chars().cycle().take(length as usize).collect();
    // A space at the end would not be visible in the documentation.
    if words.ends_with(' ') {
        words.pop();
        words.push('.');
    }
    words
}

/// Returns texts of a valid length. In each of them, another character is repeated, or other characters are removed.
fn resized_texts(text: &str, min: u64, max: u64) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let joined = |before: &[char], repeated: usize, after: &[char]| {
        let last = before.iter().rev().take(1).cycle().take(repeated);
        before.iter().chain(last).chain(after).collect()
    };
    let missing = min.saturating_sub(chars.len() as u64).min(MAX_EXAMPLE_LEN) as usize;
    let removed = (chars.len() as u64).saturating_sub(max) as usize;
    let positions = (0..=chars.len() - removed).rev();
    match (missing, removed) {
        (0, 0) => Vec::new(),
        _ => positions.map(|at| joined(&chars[..at], missing, &chars[at + removed..])).collect(),
    }
}

/// Returns the characters that the texts of a type consist of, in words, if `term` is the term of such a type.
fn characters_of_type(term: &str) -> Option<&'static str> {
    match term {
        "alphanumeric" => Some("letters or digits (also _, - and .)"),
        "letters" => Some("letters (also - and spaces)"),
        _ => None,
    }
}

impl Check for StringCheck {
    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        match value {
            Value::Text(text) if self.accepts_text(text) => Ok(()),
            _ => Err(TypeMismatch::new(self.expected(), value).with_violation(self.violation(value))),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        let mut phrase = format!("a string{}", self.length.count_phrase("character"));
        if let Some(pattern) = &self.pattern {
            phrase.push_str(" that matches ");
            phrase.push_str(&pattern.notation);
        }
        if let Some(inner) = &self.inner_check {
            phrase.push_str(" that is also ");
            phrase.push_str(&inner.expected());
        }
        phrase.into()
    }

    fn in_words(&self) -> Cow<'static, str> {
        let characters = self.inner_check.as_ref().and_then(|inner| characters_of_type(&inner.type_expr().term));
        let mut phrase = match characters {
            Some(characters) => self.length.count_of(characters),
            None => format!("text{}", self.length.count_phrase("character")),
        };
        if let Some(pattern) = &self.pattern {
            phrase.push_str(&describe_pattern(&pattern.notation));
        }
        if let Some(inner) = self.inner_check.as_ref().filter(|_| characters.is_none()) {
            phrase.push_str(" that is also ");
            phrase.push_str(&inner.in_words());
        }
        phrase.into()
    }

    fn referenced_schemas(&self) -> Vec<Arc<NamedSchema>> {
        self.inner_check.iter().flat_map(|inner| inner.referenced_schemas()).collect()
    }

    fn schema(&self) -> Json {
        let mut schema = json!({ "type": "string" });
        self.length.insert_keywords(&mut schema, "minLength", "maxLength");
        if let Some(pattern) = &self.pattern {
            schema["pattern"] = json!(pattern.ecma_pattern);
        }
        if let Some(inner) = &self.inner_check {
            schema["allOf"] = json!([inner.schema()]);
        }
        schema
    }

    fn has_exact_schema(&self) -> bool {
        self.inner_check.as_ref().is_none_or(|inner| inner.has_exact_schema())
    }

    fn type_expr(&self) -> TypeExpr {
        let type_expr = match (&self.inner_check, self.length) {
            (Some(inner), Bounds { min: Some(min), max: Some(max) }) => {
                TypeExpr::term(format!("varchar({min},{max},{})", inner.type_expr().term))
            }
            (_, length) => length.type_expr(self.type_name, true),
        };
        type_expr.with("regex", self.pattern.as_ref().map(|pattern| pattern.notation.as_str()))
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        let bounds = [self.length.min, self.length.max.filter(|max| *max <= MAX_OPTIONAL_LEN)];
        let mut candidates: Vec<_> =
            bounds.into_iter().flatten().filter_map(|length| repeated_text("a", length)).collect();
        candidates.extend(["", "a", "0"].map(|text| Value::Text(Cow::Borrowed(text))));
        if let Some(sample) = self.pattern.as_ref().and_then(|pattern| minimal_sample(&pattern.hir)) {
            candidates.push(Value::Text(Cow::Owned(sample)));
        }
        if let Some(inner) = &self.inner_check {
            candidates.extend(inner.boundary_values());
        }
        let valid = keep_valid_values(self, candidates);
        let is_valid = |text: &Value<'static>| self.checked(text.clone()).is_ok();
        if valid.is_empty() { self.fitted_texts().find(is_valid).into_iter().collect() } else { valid }
    }

    fn example(&self) -> Option<Value<'static>> {
        let min = self.length.min.unwrap_or(0).min(MAX_EXAMPLE_LEN);
        let inner = self.inner_check.as_ref().and_then(|inner| inner.example());
        let matching = self.pattern.iter().flat_map(Pattern::sample_texts);
        // A pattern without `$` also matches longer texts, so words are added to reach the minimum length.
        let extended = self.pattern.iter().flat_map(Pattern::sample_texts);
        let extended =
            extended.map(|text| format!("{text} {}", filler_text(min.saturating_sub(text.chars().count() as u64 + 1))));
        let preferred = PREFERRED_EXAMPLES.iter().map(|text| (*text).to_owned());
        let first = preferred.clone().take(1);
        let texts = first.chain(matching).chain(extended).chain(preferred).chain([filler_text(min)]);
        let texts = texts.map(|text| Value::Text(Cow::Owned(text)));
        first_valid_value(self, inner.into_iter().chain(texts))
    }
}

// The lengths of the texts of a type, which are found in its JSON Schema.

/// Returns the smallest and the largest number of characters of the texts of a type; `None` if no text is valid. The
/// type may have no text with these numbers, because keywords that are not known here are ignored.
fn lengths_of_type(check: &dyn Check) -> Option<(u64, u64)> {
    match check.structure() {
        Structure::Schema(schema) => lengths_of_type(&*schema.check),
        _ => lengths_of_schema(&check.schema()),
    }
}

fn lengths_of_schema(schema: &Json) -> Option<(u64, u64)> {
    let number = |keyword: &str| schema.get(keyword).and_then(Json::as_u64);
    let kind = schema.get("type");
    if kind.is_some() && !kinds(kind).contains(&"string") {
        return None;
    }
    let mut lengths = (number("minLength").unwrap_or(0), number("maxLength").unwrap_or(u64::MAX));
    let mut limit = |(min, max): (u64, u64)| lengths = (lengths.0.max(min), lengths.1.min(max));
    // A pattern with look-arounds is not parsed.
    if let Some(pattern) = schema.get("pattern").and_then(Json::as_str)
        && let Ok(hir) = regex_syntax::parse(pattern)
    {
        limit(lengths_of_pattern(&hir)?);
    }
    for part in schemas_in(schema, "allOf") {
        limit(lengths_of_schema(part)?);
    }
    if let Some(constants) = constants(schema) {
        let of_text = |text: &str| {
            let count = text.chars().count() as u64;
            (count, count)
        };
        limit(widest(constants.iter().filter_map(Json::as_str).map(of_text))?);
    }
    if let Some(branches) = branches(schema) {
        limit(widest(branches.iter().filter_map(lengths_of_schema))?);
    }
    Some(lengths)
}

fn widest(all: impl Iterator<Item = (u64, u64)>) -> Option<(u64, u64)> {
    all.reduce(|(min, max), (other_min, other_max)| (min.min(other_min), max.max(other_max)))
}
