//! What refusals say, and what they help with.

mod members;
mod similar;
mod texts;
