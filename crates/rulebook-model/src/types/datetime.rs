//! The type `datetime`: a point in time, written as in RFC 3339, as `YYYY-MM-DD hh:mm:ss`, or as a date.

use std::sync::Arc;

use super::moment::{self, DateGrammar};
use super::{ArgumentError, Check, TypeArguments};

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    moment::compile(DateGrammar::Datetime, arguments)
}
