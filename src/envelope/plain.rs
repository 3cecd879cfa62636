//! No shape at all: the outputs alone, and problem documents for refusals.

use serde_json::Value as Json;

use super::{Envelope, Members, Problem, WriteError, object_schema};
use crate::call::{Encode, Refusal};
use crate::error::ErrorStatus;

/// The outputs alone.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

impl Envelope for Plain {
    fn success(&self, outputs: &dyn Encode, whole: bool, to: &mut dyn Members) -> Result<(), WriteError> {
        if whole { to.whole(outputs) } else { to.spread(outputs) }
    }

    fn refusal(&self, refusal: &Refusal, to: &mut dyn Members) -> Result<(), WriteError> {
        Problem.refusal(refusal, to)
    }

    fn refusal_type(&self) -> &'static str {
        Problem.refusal_type()
    }

    fn success_schema(&self, outputs: Json, whole: bool) -> Json {
        if whole { outputs } else { object_schema(serde_json::Map::new().into(), outputs) }
    }

    fn refusal_schema(&self) -> Json {
        Problem.refusal_schema()
    }

    fn declared_schema(&self, name: &str, status: ErrorStatus) -> Json {
        Problem.declared_schema(name, status)
    }
}
