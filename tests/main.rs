//! All integration tests in one binary, a file a behaviour.

mod compile;
mod definition_text;
mod diagnostics;
mod generate;
mod golden;
