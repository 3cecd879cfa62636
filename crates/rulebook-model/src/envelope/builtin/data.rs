//! The envelope `data`: the outputs below `data`, and problem documents for errors.

use serde_json::{Value as Json, json};

use crate::call::{ApiError, Encode};
use crate::envelope::{Decoding, Envelope, MemberWriter, OutputsLocation, Problem, WriteError};
use crate::error::ErrorStatus;

/// `{"data": …}` for a success; a [problem document](Problem) for an error.
#[derive(Debug, Clone, Copy)]
pub struct Data;

impl Envelope for Data {
    fn success(&self, outputs: &dyn Encode, _: bool, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        to.nested("data", outputs)
    }

    fn error(&self, error: &ApiError, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        Problem.error(error, to)
    }

    fn error_content_type(&self) -> &'static str {
        Problem.error_content_type()
    }

    fn decoding(&self) -> Decoding {
        Decoding { outputs: OutputsLocation::Member("data"), ..Problem.decoding() }
    }

    fn success_schema(&self, outputs: Json, _: bool) -> Json {
        json!({ "type": "object", "required": ["data"], "properties": { "data": outputs } })
    }

    fn error_schema(&self) -> Json {
        Problem.error_schema()
    }

    fn declared_error_schema(&self, name: &str, status: ErrorStatus) -> Json {
        Problem.declared_error_schema(name, status)
    }
}
