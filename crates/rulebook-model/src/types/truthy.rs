//! The type `truthy`: a boolean, which a request can also send as one of several words, such as `yes` or `off`.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{ArgumentError, Check, TypeArguments, TypeExpr, number};
use crate::call::{TypeMismatch, Value};

/// The words that mean true, in any case.
const TRUE_WORDS: [&str; 6] = ["ok", "true", "success", "on", "yes", "1"];

/// The words that mean false, in any case.
const FALSE_WORDS: [&str; 6] = ["off", "no", "fail", "false", "0", ""];

#[derive(Debug)]
struct TruthyCheck;

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.expect_no_arguments()?;
    Ok(Arc::new(TruthyCheck))
}

/// Returns the boolean that a word means, or `None` if the word is not in [`TRUE_WORDS`] or [`FALSE_WORDS`].
fn parse_boolean_word(text: &str) -> Option<bool> {
    let is = |word: &&str| word.eq_ignore_ascii_case(text);
    if TRUE_WORDS.iter().any(is) {
        Some(true)
    } else if FALSE_WORDS.iter().any(is) {
        Some(false)
    } else {
        None
    }
}

/// Returns a pattern that matches the words for true and false in any case, such as `[Oo][Kk]`.
fn boolean_words_pattern() -> String {
    let any_case = |word: &&str| -> String {
        word.chars()
            .map(|c| match c {
                'a'..='z' => format!("[{}{c}]", c.to_ascii_uppercase()),
                other => other.to_string(),
            })
            .collect()
    };
    let words: Vec<_> = TRUE_WORDS.iter().chain(&FALSE_WORDS).map(any_case).collect();
    format!("^(?:{})$", words.join("|"))
}

impl Check for TruthyCheck {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        parse_boolean_word(&text).map_or(Value::Text(text), Value::Bool)
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        let bool = match &*value {
            Value::Bool(bool) => Some(*bool),
            Value::Text(text) => parse_boolean_word(text),
            other => match number::to_whole_number(other) {
                Some(0) => Some(false),
                Some(1) => Some(true),
                _ => None,
            },
        };
        *value = bool.map(Value::Bool).ok_or_else(|| TypeMismatch::new(self.expected(), value))?;
        Ok(())
    }

    fn expected(&self) -> Cow<'static, str> {
        Cow::Borrowed("a word for true (true, ok, success, on, yes, 1) or false (false, off, no, fail, 0)")
    }

    fn schema(&self) -> Json {
        json!({ "anyOf": [
            { "type": "boolean" },
            { "enum": [0, 1] },
            { "type": "string", "pattern": boolean_words_pattern() },
        ] })
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term("truthy")
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        vec![Value::Bool(false), Value::Bool(true)]
    }

    fn example(&self) -> Option<Value<'static>> {
        Some(Value::Bool(true))
    }
}
