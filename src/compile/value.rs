//! Values that a definition shows: defaults and examples, judged by their types.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::lower::Lowering;
use crate::call::{Details, Mismatch, Value};
use crate::diagnostic::{Code, Diagnostic};
use crate::place::Placed;
use crate::types::Check;

impl Lowering<'_> {
    /// Judges what a parameter holds when it is left out. A text is read like a client's.
    pub(super) fn judge_default(&mut self, default: &Placed<Json>, check: &dyn Check, what: &str) {
        if let Err(mismatch) = read_default(&default.value, check) {
            let fault = Diagnostic::new(
                Code::BadDefault,
                default.place,
                format!("the default of {what} does not pass its own type"),
            )
            .label(words(&mismatch));
            self.tell(match default.value {
                Json::Null => fault.help("leave `default` out: a parameter without one is null when it is left out"),
                _ => fault.help("give a value that its type takes, or another type"),
            });
        }
    }

    /// Judges a value that shows something: JSON as it stands, null where it is optional.
    pub(super) fn judge_example(&mut self, example: &Placed<Json>, check: &dyn Check, optional: bool, what: &str) {
        if optional && example.value.is_null() {
            return;
        }
        if let Err(mismatch) = check.check(Value::from(&example.value)) {
            self.tell(
                Diagnostic::new(
                    Code::BadExample,
                    example.place,
                    format!("the example of {what} does not pass its type"),
                )
                .label(words(&mismatch))
                .help("give a value that its type takes, as JSON writes it"),
            );
        }
    }
}

/// What a parameter holds when it is left out: a text is read like a client's.
pub(super) fn read_default<'a>(default: &'a Json, check: &dyn Check) -> Result<Value<'a>, Mismatch> {
    check.check(match default {
        Json::String(text) => check.decode(Cow::Borrowed(text)),
        other => Value::from(other),
    })
}

fn words(mismatch: &Mismatch) -> String {
    let Details { expected, got, at, .. } = &**mismatch;
    if at.is_empty() {
        format!("expected {expected}, got {got}")
    } else {
        format!("expected {expected} at `{at}`, got {got}")
    }
}
