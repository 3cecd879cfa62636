//! A handler without its types, as a plan holds it.

use std::pin::Pin;

use super::{Context, Fields};
use crate::call::{Encode, Refusal, Slots};

/// A handler at work. It borrows nothing, so it can go on when its request is gone.
pub type Running = Pin<Box<dyn Future<Output = Result<Box<dyn Encode>, Refusal>> + Send>>;

/// A handler whose argument and output types are not known.
pub trait Handler: Send + Sync {
    /// Reads the arguments from the slots and starts.
    ///
    /// # Errors
    /// The arguments do not fit the handler's type, which start-up has ruled out as far as it can.
    fn start(&self, slots: Slots<'_>, context: Context) -> Result<Running, Refusal>;

    /// The names of the argument type's fields, and what they can tell apart.
    fn fields(&self) -> Fields;

    /// Tries the argument type on slots, without running anything.
    ///
    /// # Errors
    /// What serde says.
    fn accepts(&self, slots: Slots<'_>) -> Result<(), String>;
}
