//! What the values of a type consist of.

use std::sync::Arc;

use super::{Check, NamedSchema, ObjectShape};

/// What the values of a type consist of. Generators of code read it from [`Check::structure`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Structure {
    /// A single value, or a value of which nothing more is known.
    Scalar,
    /// A list of values of this type.
    Array(Arc<dyn Check>),
    /// An object with members of any names, whose values have this type.
    Map(Arc<dyn Check>),
    /// An object with these members.
    Object(ObjectShape),
    /// Null, or a value of this type.
    Nullable(Arc<dyn Check>),
    /// A value of a schema of the definition.
    Schema(Arc<NamedSchema>),
    /// A value of one of these types. No value has two of them.
    Union(Vec<Arc<dyn Check>>),
    /// An object of one of several types.
    TaggedUnion {
        /// The name of the member that says of which type an object is.
        tag: String,
        /// The values of this member, each with the type of the objects.
        branches: Vec<(String, Arc<dyn Check>)>,
    },
}
