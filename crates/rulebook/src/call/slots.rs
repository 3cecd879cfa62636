//! The checked arguments of a call: one slot for each parameter, in the order of the definition.

use super::Value;

/// The value of a parameter after its check. A missing value and null are different.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Slot<'a> {
    /// The client omitted the parameter, and it has no default.
    #[default]
    Absent,
    /// The client sent null, and the parameter has no default.
    Null,
    /// A value that passed the check, or the default.
    Value(Value<'a>),
}

/// The slots of a call and the names of its parameters. `names` and `values` have the same length.
///
/// Slots borrow from the request and the plan, so they must not be held across an await point.
#[derive(Debug)]
pub struct Slots<'a> {
    /// The names of the parameters in code.
    pub names: &'a [Box<str>],
    /// The values of the parameters.
    pub values: Vec<Slot<'a>>,
}
