//! The names of the TypeScript types of schemas.

use std::collections::{BTreeSet, HashMap};

use super::types::ValueRole;
use crate::describe::unique_names::UniqueNames;

/// The words that TypeScript does not allow as the name of a type, or not in a module.
const KEYWORDS: [&str; 63] = [
    "any",
    "as",
    "await",
    "bigint",
    "boolean",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "infer",
    "instanceof",
    "interface",
    "intrinsic",
    "keyof",
    "let",
    "never",
    "new",
    "null",
    "number",
    "object",
    "package",
    "private",
    "protected",
    "public",
    "readonly",
    "return",
    "static",
    "string",
    "super",
    "switch",
    "symbol",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "undefined",
    "unique",
    "unknown",
    "using",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

/// The other names that the declarations of every API contain.
const OTHER_NAMES: [&str; 9] =
    ["Api", "Array", "Call", "Calls", "Download", "FileArgument", "Id", "Methods", "ReadonlyArray"];

/// The names of the types of an API's schemas. All are different, and none is used for anything else.
pub(super) struct SchemaTypeNames {
    results: HashMap<String, String>,
    arguments: HashMap<String, String>,
}

impl SchemaTypeNames {
    /// Chooses the names for the schemas with these keys.
    pub(super) fn new(keys: &BTreeSet<&str>) -> Self {
        let mut used = UniqueNames::reserving(KEYWORDS.into_iter().chain(OTHER_NAMES));
        let mut names = |end: &str| -> HashMap<String, String> {
            keys.iter().map(|key| ((*key).to_owned(), used.add(&(to_identifier(key) + end)))).collect()
        };
        // The names of the results are chosen first, so that most are the names of their schemas.
        let results = names("");
        Self { results, arguments: names("Argument") }
    }

    /// Returns the name of the type of a schema's values. Arguments have a type of their own, because they can be
    /// read-only arrays and large integers.
    pub(super) fn get(&self, key: &str, role: ValueRole) -> &str {
        let names = match role {
            ValueRole::Argument => &self.arguments,
            ValueRole::Result => &self.results,
        };
        names.get(key).map_or("unknown", String::as_str)
    }
}

/// Converts the key of a schema to an identifier.
fn to_identifier(key: &str) -> String {
    let name: String = key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("_{name}") } else { name }
}
