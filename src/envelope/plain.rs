//! No shape at all: the outputs alone, and problem documents for refusals.

use super::{Envelope, Members, Problem, WriteError};
use crate::call::{Encode, Refusal};

/// The outputs alone.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

impl Envelope for Plain {
    fn success(&self, outputs: &dyn Encode, _: bool, to: &mut dyn Members) -> Result<(), WriteError> {
        to.whole(outputs)
    }

    fn refusal(&self, refusal: &Refusal, to: &mut dyn Members) -> Result<(), WriteError> {
        Problem.refusal(refusal, to)
    }

    fn refusal_type(&self) -> &'static str {
        Problem.refusal_type()
    }
}
