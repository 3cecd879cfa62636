//! No shape at all: the outputs alone, and problem documents for refusals.

use super::{Envelope, Members, Problem, WriteError};
use crate::call::{Encode, Refusal};

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
}
