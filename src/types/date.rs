//! `date`: a day, `YYYY-MM-DD`.

use std::sync::Arc;

use super::moment::{self, Grammar};
use super::{ArgumentError, Arguments, Check};

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    moment::compile(Grammar::Date, arguments)
}
