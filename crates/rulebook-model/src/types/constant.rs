//! The types of listed values: `const(x)`, which has the single value `x`, `null`, and `enum(a|b|c)`, one word of a set
//! of words.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::number::parse_json_number;
use super::{ArgumentError, ArgumentErrorKind, Check, TypeArgument, TypeArguments, TypeExpr, number};
use crate::call::{TypeMismatch, Value, Violation, shorten_text};

const VALUE_ATTRIBUTE: &str = "value";

#[derive(Debug)]
struct ConstantCheck {
    /// A text, a boolean, a number or null.
    value: Value<'static>,
}

pub(super) fn compile_null(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.expect_no_arguments()?;
    Ok(Arc::new(ConstantCheck { value: Value::Null }))
}

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    let json = match (arguments.positional, arguments.attributes.get(VALUE_ATTRIBUTE)) {
        ([TypeArgument::Word(word)], None) => word_to_json(word),
        ([], Some(json)) => json.clone(),
        _ => {
            return Err(arguments
                .error("`const` has one value, in brackets or in `value`")
                .help("write `const(draft)`, or `\"value\": \"a text with spaces\"`"));
        }
    };
    let is_exact = json.as_f64().is_none_or(|float| float.abs() < number::MAX_EXACT_INTEGER);
    if !is_exact || json.is_null() || json.is_array() || json.is_object() {
        let error = arguments.error("the value of `const` must be a string, a boolean, or a number of less than 2^53");
        let help = if json.is_null() { "write `null` without `const`" } else { "write the value as a string" };
        let is_attribute = arguments.attributes.contains_key(VALUE_ATTRIBUTE);
        return Err(if is_attribute { error.at(VALUE_ATTRIBUTE) } else { error }.help(help));
    }
    Ok(text_or_scalar(&json))
}

pub(super) fn constant_text(text: &str) -> Arc<dyn Check> {
    text_or_scalar(&json!(text))
}

fn text_or_scalar(json: &Json) -> Arc<dyn Check> {
    Arc::new(ConstantCheck { value: number::normalized_number(Value::from(json)).into_owned() })
}

/// Returns the value of a word in a term: a boolean, null, a number, or else a text.
fn word_to_json(word: &str) -> Json {
    match word {
        "true" | "false" | "null" => serde_json::from_str(word).unwrap_or_default(),
        word => parse_json_number(word).map_or_else(|| json!(word), Json::Number),
    }
}

impl Check for ConstantCheck {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        let is_value = !matches!(self.value, Value::Text(_)) && text == self.value.to_json().to_string();
        if is_value { self.value.clone() } else { Value::Text(text) }
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        number::normalize_number(value);
        if *value == self.value { Ok(()) } else { Err(TypeMismatch::new(self.expected(), value)) }
    }

    fn expected(&self) -> Cow<'static, str> {
        self.value.to_json().to_string().into()
    }

    fn in_words(&self) -> Cow<'static, str> {
        match &self.value {
            Value::Text(text) => format!("always {text}").into(),
            value => format!("always {}", value.to_json()).into(),
        }
    }

    fn schema(&self) -> Json {
        let kind = match self.value {
            Value::Null => return json!({ "type": "null" }),
            Value::Bool(_) => "boolean",
            Value::Text(_) => "string",
            _ => "number",
        };
        json!({ "type": kind, "const": self.value.to_json() })
    }

    fn type_expr(&self) -> TypeExpr {
        let json = self.value.to_json();
        let word = match &self.value {
            Value::Null => return TypeExpr::term("null"),
            Value::Text(text) => Some(text.to_string()).filter(|word| is_allowed_in_term(word)),
            _ => Some(json.to_string()),
        };
        if let Some(word) = word.filter(|word| word_to_json(word) == json) {
            return TypeExpr::term(format!("const({word})"));
        }
        TypeExpr::term("const").with(VALUE_ATTRIBUTE, Some(json))
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        vec![self.value.clone()]
    }

    fn accepts_null(&self) -> bool {
        self.value == Value::Null
    }
}

const MAX_LISTED_WORDS: usize = 20;
const MAX_DESCRIBED_WORDS: usize = 500;

#[derive(Debug)]
struct EnumCheck {
    words: Vec<String>,
}

pub(super) fn compile_enum(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    let words = words_in_term_or_range(arguments, "words", "enum(a|b|c)")?.unwrap_or_default();
    if arguments.attributes.get("range").is_some_and(Json::is_string) {
        return Err(arguments.error("`range` must be a list of words").at("range").help("write `[\"a\", \"b\"]`"));
    }
    let mut seen = HashSet::with_capacity(words.len());
    if let Some(word) = words.iter().find(|word| !seen.insert(word.as_str())) {
        return Err(arguments.error(format!("the word `{word}` occurs twice")));
    }
    let in_term = !arguments.positional.is_empty();
    if in_term && words.iter().any(String::is_empty) {
        return Err(arguments
            .error("a word of `enum` is empty")
            .help("to allow an empty text, write the words as a list in `range`"));
    }
    if words.is_empty() {
        let error = ArgumentError::new(ArgumentErrorKind::MissingRange, "`enum` requires the allowed words");
        return Err(error.help("write `enum(a|b|c)`, or the words as a list in `range`"));
    }
    Ok(Arc::new(EnumCheck { words }))
}

pub(super) fn words_in_term_or_range(
    arguments: &TypeArguments<'_>,
    words: &str,
    example: &str,
) -> Result<Option<Vec<String>>, ArgumentError> {
    match (arguments.positional, arguments.texts("range")?) {
        ([], range) => Ok(range),
        ([TypeArgument::Word(words)], None) => Ok(Some(words.split('|').map(str::to_owned).collect())),
        (_, Some(_)) => {
            let error = arguments.error(format!("the {words} are given twice, in the term and in `range`"));
            Err(error.at("range").help("remove `range`"))
        }
        _ => {
            let name = arguments.name;
            let error = arguments.error(format!("`{name}` has one argument, {words} separated by `|`"));
            Err(error.help(format!("write `{example}`, or the {words} as a list in `range`")))
        }
    }
}

/// Returns `true` if a word can be written in the parentheses of a term. Other words must be in the attribute `range`.
fn is_allowed_in_term(word: &str) -> bool {
    let is_special = |c: char| matches!(c, '|' | ',' | '(' | ')' | '<' | '>') || c.is_whitespace() || c.is_control();
    !word.is_empty() && !word.contains(is_special)
}

/// The words are in the term if it can contain all of them, otherwise in the attribute `range`.
pub(super) fn type_expr_of_words(name: &str, words: &[String]) -> TypeExpr {
    if words.iter().all(|word| is_allowed_in_term(word)) {
        return TypeExpr::term(format!("{name}({})", words.join("|")));
    }
    TypeExpr::term(name).with("range", Some(json!(words)))
}

impl EnumCheck {
    /// Returns the first words, with `…` if there are more.
    fn listed(&self, separator: &str) -> String {
        let listed = self.words[..self.words.len().min(MAX_LISTED_WORDS)].join(separator);
        if self.words.len() > MAX_LISTED_WORDS { format!("{listed}{separator}…") } else { listed }
    }
}

impl Check for EnumCheck {
    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        match value {
            Value::Text(text) if self.words.iter().any(|word| word == text) => Ok(()),
            Value::Text(text) => {
                let violation = Violation::NotAllowed { allowed: self.listed("/"), got: shorten_text(text) };
                Err(TypeMismatch::new(self.expected(), value).with_violation(violation))
            }
            _ => Err(TypeMismatch::new(self.expected(), value)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        format!("one of {}", self.listed(", ")).into()
    }

    fn in_words(&self) -> Cow<'static, str> {
        let described = &self.words[..self.words.len().min(MAX_DESCRIBED_WORDS)];
        let others = self.words.len() - described.len();
        let others = if others > 0 { format!(", or one of {others} others") } else { String::new() };
        format!("one of {}{others}", described.join(", ")).into()
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "enum": self.words })
    }

    fn type_expr(&self) -> TypeExpr {
        type_expr_of_words("enum", &self.words)
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        // All words are boundary values, because the enum in a handler's argument type may lack any of them.
        self.words.iter().map(|word| Value::Text(Cow::Owned(word.clone()))).collect()
    }

    fn example(&self) -> Option<Value<'static>> {
        let word = self.words.iter().find(|word| !word.is_empty()).or(self.words.first())?;
        Some(Value::Text(Cow::Owned(word.clone())))
    }
}
