//! How each dialect says what all of them say.
//!
//! In charge of the words in which dialects differ, so that what is wrong is
//! told in the words that its author wrote. What they mean is lowered in one
//! way for all.

use super::keys::{self, Keys};

/// How a dialect says what all of them say.
pub struct Manner {
    /// The name of the dialect, as `"dialect"` gives it.
    pub dialect: &'static str,
    /// The key that says what something is or is for.
    pub info: &'static str,
    /// Whether a method may be without it: then the method's id stands for it.
    pub id_as_info: bool,
    /// The key of the permissions.
    pub scope: &'static str,
    /// What the keys of positions begin with; their number follows. `URL#` does in every dialect.
    pub position: &'static str,
    /// Whether a bare key of a parameter stands for query and body, whatever the HTTP method.
    pub anywhere: bool,
    /// The keys of an output, and of a field of an object.
    pub output: &'static Keys,
    /// Its vocabulary: each word for a type with the canonical name that it stands for where no `<…>` is behind it.
    /// Other words are canonical ones.
    pub types: &'static [(&'static str, &'static str)],
    /// Whether the names of types compare without regard to case.
    pub any_case: bool,
    /// Whether the parameters that every method has come before a method's own, so that their faults are told first.
    pub common_first: bool,
}

/// The tables of keys hold each other, so that they cannot be written out.
impl std::fmt::Debug for Manner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Manner").field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

/// The dialect `tree`, which is the canonical one.
pub static TREE: Manner = Manner {
    dialect: "tree",
    info: "info",
    id_as_info: false,
    scope: "scope",
    position: "URL#",
    anywhere: false,
    output: &keys::OUTPUT,
    types: &[],
    any_case: false,
    common_first: false,
};

/// The dialect `rules`. Its words for types are lowered where rules are read.
pub static RULES: Manner = Manner {
    dialect: "rules",
    info: "info",
    id_as_info: false,
    scope: "scope",
    position: "URL#",
    anywhere: false,
    output: &keys::OUTPUT,
    types: &[],
    any_case: true,
    common_first: true,
};

/// The dialect `methods`, with all types of api 3.0 but `varchar` and `array<T>`, which are canonical.
pub static METHODS: Manner = Manner {
    dialect: "methods",
    info: "description",
    id_as_info: true,
    scope: "permissions",
    position: "URL_",
    anywhere: true,
    output: &keys::methods::OUTPUT,
    types: &[
        ("mixed", "any"),
        ("id", "text_id"),
        ("numeric", "numeric"),
        ("text", "string"),
        ("hash", "hash"),
        ("alphanumeric", "alphanumeric"),
        ("letters", "letters"),
        ("mail", "mail"),
        ("number", "phone"),
        ("array", "filled_array"),
        ("object", "filled_object"),
        ("boolean", "bool"),
        ("FILE", "file"),
    ],
    any_case: false,
    common_first: false,
};
