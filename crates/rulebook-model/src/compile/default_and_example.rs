//! Checks that the defaults and examples in a definition are valid values of their types.

use std::borrow::Cow;
use std::fmt::Display;

use serde_json::Value as Json;

use super::lowering::Lowering;
use crate::call::{TypeMismatch, TypeMismatchDetails, Value};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::span::Spanned;
use crate::types::Check;

impl Lowering<'_> {
    /// Reports a default that is not a valid value. `subject` is the noun phrase for the parameter in the error
    /// message.
    pub(super) fn check_default(&mut self, default: &Spanned<Json>, check: &dyn Check, subject: &dyn Display) {
        if let Err(mismatch) = decode_default(&default.value, check) {
            let error = Diagnostic::new(
                DiagnosticCode::BadDefault,
                default.span,
                format!("the default of {subject} is not a valid value of its type"),
            )
            .label(mismatch_label(&mismatch));
            self.report(match default.value {
                Json::Null => error.help(
                    "remove `default`, and write `?` before the type: a parameter that may be omitted is null then",
                ),
                _ => error.help("change the default or the type"),
            });
        }
    }

    /// Reports an example that is not a valid value. If `optional` is `true`, the example may be null.
    pub(super) fn check_example(
        &mut self,
        example: &Spanned<Json>,
        check: &dyn Check,
        optional: bool,
        subject: &dyn Display,
    ) {
        if optional && example.value.is_null() {
            return;
        }
        if let Err(mismatch) = check.checked(Value::from(&example.value)) {
            let message = format!("the example of {subject} is not a valid value of its type");
            self.report(
                Diagnostic::new(DiagnosticCode::BadExample, example.span, message)
                    .label(mismatch_label(&mismatch))
                    .help("change the example or the type; an example is written as in JSON"),
            );
        }
    }
}

/// Converts a number to the word of an `enum` that has the same text: the words of `"range": [1, 2]` are `1` and `2`.
/// `check` is `None` if the type has an error.
pub(super) fn with_enum_word(mut written: Spanned<Json>, check: Option<&dyn Check>) -> Spanned<Json> {
    if let (Json::Number(number), Some(check)) = (&written.value, check) {
        let word = Json::String(number.to_string());
        if is_enum_word(&word, check) {
            written.value = word;
        }
    }
    written
}

fn is_enum_word(word: &Json, check: &dyn Check) -> bool {
    let schema = check.schema();
    if schema.get("$ref").is_some() {
        return check.referenced_schemas().iter().any(|schema| is_enum_word(word, &*schema.check));
    }
    schema.get("enum").and_then(Json::as_array).is_some_and(|words| words.contains(word))
}

/// Converts the default of a parameter from the definition to a value, and checks this value. A JSON string is decoded
/// like the text of a query parameter.
///
/// # Errors
/// Returns the error of a default that is not a valid value of the type.
pub fn decode_default<'a>(default: &'a Json, check: &dyn Check) -> Result<Value<'a>, TypeMismatch> {
    check.checked(match default {
        Json::String(text) => check.decode(Cow::Borrowed(text)),
        other => Value::from(other),
    })
}

fn mismatch_label(mismatch: &TypeMismatch) -> String {
    let TypeMismatchDetails { expected, got, path: at, .. } = &**mismatch;
    if at.is_empty() {
        format!("expected {expected}, got {got}")
    } else {
        format!("expected {expected} at `{at}`, got {got}")
    }
}
