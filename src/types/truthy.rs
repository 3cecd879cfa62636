//! `truthy`: true or false in the many words that people have for them.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{ArgumentError, Arguments, Check, Written, number};
use crate::call::{Mismatch, Value};

/// The words for true; the case of letters does not count.
const TRUE: [&str; 6] = ["ok", "true", "success", "on", "yes", "1"];

/// The words for false; the case of letters does not count.
const FALSE: [&str; 6] = ["off", "no", "fail", "false", "0", ""];

#[derive(Debug)]
struct Truthy;

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.no_terms()?;
    Ok(Arc::new(Truthy))
}

fn read(text: &str) -> Option<bool> {
    let is = |word: &&str| word.eq_ignore_ascii_case(text);
    if TRUE.iter().any(is) {
        Some(true)
    } else if FALSE.iter().any(is) {
        Some(false)
    } else {
        None
    }
}

/// A pattern for the words in any case: `[Oo][Kk]|…`.
fn pattern() -> String {
    let any_case = |word: &&str| -> String {
        word.chars()
            .map(|c| match c {
                'a'..='z' => format!("[{}{c}]", c.to_ascii_uppercase()),
                other => other.to_string(),
            })
            .collect()
    };
    let words: Vec<_> = TRUE.iter().chain(&FALSE).map(any_case).collect();
    format!("^(?:{})$", words.join("|"))
}

impl Check for Truthy {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        read(&text).map_or(Value::Text(text), Value::Bool)
    }

    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        let read = match &value {
            Value::Bool(bool) => Some(*bool),
            Value::Text(text) => read(text),
            other => match number::whole(other) {
                Some(0) => Some(false),
                Some(1) => Some(true),
                _ => None,
            },
        };
        read.map(Value::Bool).ok_or_else(|| Mismatch::new(self.expected(), &value))
    }

    fn expected(&self) -> Cow<'static, str> {
        Cow::Borrowed("a word for true (true, ok, success, on, yes, 1) or false (false, off, no, fail, 0)")
    }

    fn schema(&self) -> Json {
        json!({ "anyOf": [
            { "type": "boolean" },
            { "enum": [0, 1] },
            { "type": "string", "pattern": pattern() },
        ] })
    }

    fn written(&self) -> Written {
        Written::term("truthy")
    }

    fn extremes(&self) -> Vec<Value<'static>> {
        vec![Value::Bool(false), Value::Bool(true)]
    }

    fn example(&self) -> Option<Value<'static>> {
        Some(Value::Bool(true))
    }
}
