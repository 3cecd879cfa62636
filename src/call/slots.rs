//! The checked arguments of a call, one slot a parameter, in the definition's order.

use super::Value;

/// What a parameter holds after its check. Absent and null are told apart.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Slot<'a> {
    /// The client left it out and it has no default.
    #[default]
    Absent,
    /// The client sent null and it has no default.
    Null,
    /// A value that passed the check, or the default.
    Value(Value<'a>),
}

/// The slots of a call beside the names that its parameters have in code.
///
/// `names` and `values` are of one length. Borrowed from the request and the
/// plan: slots never live across an await.
#[derive(Debug)]
pub struct Slots<'a> {
    /// Names in code.
    pub names: &'a [Box<str>],
    /// What the parameters hold.
    pub values: Vec<Slot<'a>>,
}
