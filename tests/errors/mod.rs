//! What refusals say, and what they help with.

mod texts;
