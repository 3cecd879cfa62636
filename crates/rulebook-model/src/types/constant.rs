//! The types `const(x)`, which has the single value `x`, and `null`.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::enumeration::is_allowed_in_term;
use super::number::{self, parse_json_number};
use super::{ArgumentError, Check, TypeArgument, TypeArguments, TypeExpr};
use crate::call::{TypeMismatch, Value};

pub(super) const VALUE_ATTRIBUTE: &str = "value";

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
