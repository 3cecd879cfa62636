//! The checked arguments of a call. Each parameter of the API method has a slot, the place for its argument. The slots
//! have the order of the parameters in the definition.

use super::Value;

/// The argument for one parameter, after its check. A missing argument and null are different.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ArgumentSlot<'a> {
    /// The client has omitted the parameter, and the parameter has no default.
    #[default]
    Absent,
    /// The client has sent null, and the parameter has no default.
    Null,
    /// The client's value, which has passed the check, or the default of the parameter.
    Value(Value<'a>),
}

/// All arguments of a call, and the names of their parameters. `names` and `values` have the same length.
///
/// The arguments borrow from the request and the plan, so they must not be held across an await point.
#[derive(Debug)]
pub struct ArgumentSlots<'a, 'n> {
    /// The names of the parameters in code, in the order of the definition.
    pub names: &'n [Box<str>],
    /// The arguments, in the order of `names`.
    pub values: Vec<ArgumentSlot<'a>>,
}
