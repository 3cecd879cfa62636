//! The envelope `plain`: success responses consist of the outputs only, and error responses are problem documents.

use serde_json::Value as Json;

use crate::call::{ApiError, Encode};
use crate::envelope::{Decoding, Envelope, MemberWriter, OutputsLocation, Problem, WriteError, object_schema};
use crate::model::DeclaredError;

/// An envelope whose success responses consist of the outputs only. Error responses are [problem documents](Problem).
#[derive(Debug, Clone, Copy)]
pub struct Plain;

impl Envelope for Plain {
    fn success(&self, outputs: &dyn Encode, whole: bool, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        if whole { to.whole(outputs) } else { to.spread(outputs) }
    }

    fn error(&self, error: &ApiError, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        Problem.error(error, to)
    }

    fn error_content_type(&self) -> &'static str {
        Problem.error_content_type()
    }

    fn decoding(&self) -> Decoding {
        Decoding { outputs: OutputsLocation::Body, ..Problem.decoding() }
    }

    fn success_schema(&self, outputs: Json, whole: bool) -> Json {
        if whole { outputs } else { object_schema(serde_json::Map::new().into(), outputs) }
    }

    fn error_schema(&self) -> Json {
        Problem.error_schema()
    }

    fn declared_error_schema(&self, error: &DeclaredError) -> Json {
        Problem.declared_error_schema(error)
    }
}
