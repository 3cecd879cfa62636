//! Compares imported definitions with their descriptions: a value that one accepts and the other refuses needs a loss
//! that names the place in the description.
//!
//! The crate `jsonschema` validates values with the schemas of the description, and the types of the definition check
//! the same values.

mod compare;
mod definition;
mod descriptions;
mod generated;
mod losses;
mod samples;
mod source;
