//! All integration tests in one binary, a file a behaviour.

mod definition_text;
mod diagnostics;
mod golden;
