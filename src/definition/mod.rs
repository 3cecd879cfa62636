//! A definition as it is written: text with places, before anything is meant by it.
//!
//! In charge of reading files as JSON with comments, recognising their
//! dialect, and taking apart what the dialect's keys say into one written
//! form. Finds faults of the text (`syntax`, `duplicate-key`, `unknown-key`,
//! `wrong-kind`, `unknown-dialect`). Must not know what types, paths or
//! permissions mean: that is [`crate::compile`].

pub mod dialect;
pub mod written;
