//! What a handler's argument type looks like, found out by deserialising it from nothing.

/// The fields of an argument type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields {
    /// Their names; none where the type takes any (a map).
    pub names: Option<Vec<&'static str>>,
    /// Those that tell absent from null: `Option<Option<_>>`.
    pub nullable: Vec<&'static str>,
}
