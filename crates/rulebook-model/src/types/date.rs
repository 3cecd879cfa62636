//! The type `date`: a date, written as `YYYY-MM-DD`.

use std::sync::Arc;

use super::moment::{self, DateGrammar};
use super::{ArgumentError, Check, TypeArguments};

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    moment::compile(DateGrammar::Date, arguments)
}
