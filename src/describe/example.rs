//! Values that show what a parameter may be.
//!
//! What the definition shows is shown; where it shows nothing, a value is made
//! from the type. Every value passes its type.

use serde_json::Value as Json;

use crate::model::{Output, Parameter};
use crate::types::Check;

/// A value of a parameter; none where none can be made, as of files.
pub(super) fn of_parameter(own: &Parameter) -> Option<Json> {
    own.example.clone().or_else(|| own.default.clone()).or_else(|| made(&*own.r#type.check))
}

/// A value of an output; none where none can be made.
pub(super) fn of_output(own: &Output) -> Option<Json> {
    own.example.clone().or_else(|| made(&*own.r#type.check))
}

/// A value that passes the check.
fn made(check: &dyn Check) -> Option<Json> {
    check.extremes().first().map(crate::call::Value::to_json)
}
