//! A team writes its HTTP API down once, as JSON definitions; rulebook does the rest from that one text.

// What things are.
pub mod call;
pub mod diagnostic;
pub mod envelope;
pub mod error;
pub mod handler;
pub mod model;
mod place;
mod plan;
pub mod types;

// A definition's way, at start.
pub mod compile;
pub mod definition;
pub mod describe;

pub use call::{Head, Identity, Inspect, Inspection, Mismatch, Refusal, Upload, Value};
pub use error::{Code, ErrorStatus};
pub use handler::{Args, Context, Module};
pub use place::{Place, Placed};
