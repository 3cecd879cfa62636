//! The values that calls bind to the parameters of statements.

use rulebook::Context;
use rulebook::handler_kind::{ArgumentSlot, ArgumentSlots};
use rulebook::types::Value;
use serde_json::Value as Json;

/// Where the value of a name in a statement comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The parameter of the method with this index.
    Parameter(usize),
    /// The name of the caller's identity.
    IdentityName,
    /// The permissions of the caller's identity.
    IdentityPermissions,
}

/// The names of values that are not parameters.
pub(crate) const IDENTITY_NAMES: [(&str, Source); 2] =
    [("identity.name", Source::IdentityName), ("identity.permissions", Source::IdentityPermissions)];

/// A value that is bound to a parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SqlValue {
    Null,
    Bool(bool),
    Int(i64),
    /// A whole number above the range of [`SqlValue::Int`].
    Uint(u64),
    Float(f64),
    Text(String),
    /// An array or an object.
    Nested(Json),
}

impl Source {
    /// Returns the value in a call.
    pub(crate) fn value(self, arguments: &ArgumentSlots<'_, '_>, context: &Context) -> SqlValue {
        let identity = context.identity();
        match self {
            Self::Parameter(index) => match arguments.values.get(index) {
                Some(ArgumentSlot::Value(value)) => SqlValue::from(value),
                Some(ArgumentSlot::Null | ArgumentSlot::Absent) | None => SqlValue::Null,
            },
            Self::IdentityName => {
                identity.map_or(SqlValue::Null, |identity| SqlValue::Text(identity.name().to_owned()))
            }
            Self::IdentityPermissions => {
                let permissions = identity.map(|identity| identity.permissions().map(Json::from).collect());
                SqlValue::Nested(Json::Array(permissions.unwrap_or_default()))
            }
        }
    }
}

impl From<&Value<'_>> for SqlValue {
    fn from(value: &Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(bool) => Self::Bool(*bool),
            Value::Int(int) => Self::Int(*int),
            Value::Uint(uint) => Self::Uint(*uint),
            Value::Float(float) => Self::Float(*float),
            Value::Text(text) => Self::Text(text.clone().into_owned()),
            Value::List(_) | Value::Map(_) | Value::File(_) => Self::Nested(value.to_json()),
        }
    }
}
