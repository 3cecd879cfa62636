//! `datetime`: a point in time, in RFC 3339's form, as `YYYY-MM-DD hh:mm:ss` or as a date.

use std::sync::Arc;

use super::moment::{self, Grammar};
use super::{ArgumentError, Arguments, Check};

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    moment::compile(Grammar::Datetime, arguments)
}
