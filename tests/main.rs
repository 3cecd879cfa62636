//! What the crate does, a file a behaviour.

mod compile;
mod generate;
mod golden;
