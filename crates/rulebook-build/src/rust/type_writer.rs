//! Finds the Rust type of the values of each type, and writes the structs and enums that it needs.

use std::collections::HashMap;
use std::sync::Arc;

use rulebook_model::distinct_names::{PlaceName, ScopeNames, candidates};
use rulebook_model::types::{Check, Structure};
use serde_json::Value as JsonValue;

use super::objects::{VALUE_TRAITS, doc_comment};
use super::recursion::{Parts, contains_schema};
use super::samples::{JSON, Role, Scalar, is_same_in_both_roles, scalar_type};
use super::schemas::SchemaPaths;
use super::{Purpose, objects, unions};
use crate::identifier::type_name;

/// Names that the types of an API cannot have, because the generated code uses other types with these names.
const RESERVED_TYPES: [&str; 22] = [
    "Box",
    "Clone",
    "Copy",
    "Debug",
    "Deserialize",
    "E",
    "Err",
    "Fn",
    "From",
    "Future",
    "Handlers",
    "Into",
    "None",
    "Ok",
    "Option",
    "Result",
    "Self",
    "Send",
    "Serialize",
    "String",
    "Sync",
    "Vec",
];

/// Writes the types of one API module, or those at the top of the code.
pub(super) struct TypeWriter<'a> {
    pub(super) paths: &'a SchemaPaths,
    pub(super) purpose: Purpose,
    /// The index of the API module; `None` at the top.
    scope: Option<usize>,
    /// The key of the schema whose type is written; `None` in other types, and in lists and maps, which need no `Box`.
    pub(super) within: Option<String>,
    names: ScopeNames,
    /// The names of the types that have been written for parts of other types, by their shortest name and their
    /// notation in the definition.
    written: HashMap<(String, String), (Role, String)>,
    items: Vec<String>,
}

impl<'a> TypeWriter<'a> {
    pub(super) fn new(paths: &'a SchemaPaths, scope: Option<usize>, names: ScopeNames, purpose: Purpose) -> Self {
        Self { paths, purpose, scope, within: None, names, written: HashMap::new(), items: Vec::new() }
    }

    /// Returns the name of the type at a place: the short one or, if another type can have it, a longer one of the
    /// words of the place.
    pub(super) fn name(&mut self, PlaceName { short, place }: &PlaceName) -> String {
        let names = vec![unreserved(short.clone()), unreserved(type_name(place, ""))];
        self.names.name(place, candidates(names, "", place))
    }

    pub(super) fn add_item(&mut self, item: String) {
        self.items.push(item);
    }

    /// Adds an item before the items that `write` adds. `write` returns the item.
    pub(super) fn add_item_first(&mut self, write: impl FnOnce(&mut Self) -> String) {
        let index = self.items.len();
        let item = write(self);
        self.items.insert(index, item);
    }

    /// Returns the structs and enums, each as a text, and their names.
    pub(super) fn finish(self) -> (Vec<String>, ScopeNames) {
        (self.items, self.names)
    }

    /// Writes a type with this name.
    pub(super) fn write_type(&mut self, check: &Arc<dyn Check>, role: Role, name: &PlaceName, doc: &str) {
        match check.structure() {
            Structure::Object(shape) if !shape.fields.is_empty() => {
                objects::write_struct(self, &shape, role, name, doc);
            }
            Structure::Union(branches) if !branches.iter().any(unions::is_null) => {
                unions::write_union(self, &branches, role, name, doc);
            }
            Structure::TaggedUnion { tag, branches } => {
                unions::write_tagged_union(self, &tag, &branches, role, name, doc);
            }
            Structure::Scalar => match scalar_type(&**check, role) {
                (Scalar::OneOf(texts), false) => {
                    self.add_item_first(|types| unions::text_enum(&texts, &types.name(name), doc));
                }
                (Scalar::Constant(json), false) => {
                    self.add_item_first(|types| unions::constant_struct(&json, &types.name(name), doc));
                }
                _ => self.write_alias(check, role, name, doc),
            },
            _ => self.write_alias(check, role, name, doc),
        }
    }

    /// Writes another name for a type. A schema of lists that contains itself becomes a struct, because such a name
    /// cannot stand for a type that contains it.
    fn write_alias(&mut self, check: &Arc<dyn Check>, role: Role, place: &PlaceName, doc: &str) {
        let is_recursive = self.within.as_ref().is_some_and(|key| contains_schema(check, key, Parts::All));
        self.add_item_first(|types| {
            let part = match check.structure() {
                Structure::Array(_) | Structure::Map(_) => place.clone(),
                _ => place.part("Value", "Value"),
            };
            let target = types.rust_type(check, role, &part, doc);
            let name = types.name(place);
            let doc = doc_comment(doc);
            if is_recursive {
                return format!("{doc}{VALUE_TRAITS}#[serde(transparent)]\npub struct {name}(pub {target});\n");
            }
            format!("{doc}pub type {name} = {target};\n")
        });
    }

    /// Returns the Rust type of the values of a type. If a struct or an enum must be written for it, `name` names it,
    /// and `doc` describes it.
    pub(super) fn rust_type(&mut self, check: &Arc<dyn Check>, role: Role, name: &PlaceName, doc: &str) -> String {
        match check.structure() {
            Structure::Schema(schema) => {
                let path = self.paths.path(schema.key(), self.scope).unwrap_or_else(|| JSON.to_owned());
                let needs_box = self.within.as_ref().is_some_and(|key| contains_schema(check, key, Parts::Direct));
                if needs_box { format!("Box<{path}>") } else { path }
            }
            Structure::Nullable(inner) => option(self.rust_type(&inner, role, name, doc)),
            Structure::Array(item) => {
                let item = self.type_in_list(&item, role, &name.part("Item", "Item"), doc);
                format!("Vec<{item}>")
            }
            Structure::Map(value) => {
                let value = self.type_in_list(&value, role, &name.part("Value", "Value"), doc);
                format!("::std::collections::BTreeMap<String, {value}>")
            }
            Structure::Object(shape) if shape.fields.is_empty() => format!("::serde_json::Map<String, {JSON}>"),
            Structure::Union(branches) if branches.iter().any(unions::is_null) => {
                let others: Vec<_> = branches.into_iter().filter(|branch| !unions::is_null(branch)).collect();
                match others.as_slice() {
                    [only] => option(self.rust_type(only, role, name, doc)),
                    _ => option(self.part_type(check, role, name, |types, _| {
                        unions::write_union(types, &others, role, name, doc);
                    })),
                }
            }
            Structure::Object(_) | Structure::Union(_) | Structure::TaggedUnion { .. } => {
                self.part_type(check, role, name, |types, _| types.write_type(check, role, name, doc))
            }
            _ => {
                let (scalar, is_nullable) = scalar_type(&**check, role);
                let text = match scalar {
                    Scalar::Plain(text) => text.to_owned(),
                    Scalar::OneOf(texts) => self.part_type(check, role, name, |types, name| {
                        types.add_item(unions::text_enum(&texts, name, doc));
                    }),
                    Scalar::Constant(json) => self.part_type(check, role, name, |types, name| {
                        types.add_item(unions::constant_struct(&json, name, doc));
                    }),
                };
                if is_nullable { option(text) } else { text }
            }
        }
    }

    /// Returns the name of the type of a part of another type. `write` writes it with this name, unless an equal type
    /// has the same short name, as the arguments and outputs of a method often have.
    fn part_type(
        &mut self,
        check: &Arc<dyn Check>,
        role: Role,
        place: &PlaceName,
        write: impl FnOnce(&mut Self, &str),
    ) -> String {
        let key = (place.short.clone(), notation(&**check));
        if let Some((other, name)) = self.written.get(&key)
            && (*other == role || is_same_in_both_roles(&**check))
        {
            return name.clone();
        }
        let name = self.name(place);
        self.written.insert(key, (role, name.clone()));
        write(self, &name);
        name
    }

    /// Returns the type of the values in a list or a map.
    fn type_in_list(&mut self, check: &Arc<dyn Check>, role: Role, name: &PlaceName, doc: &str) -> String {
        let within = self.within.take();
        let text = self.rust_type(check, role, name, doc);
        self.within = within;
        text
    }
}

/// Returns the notation of a type in the definition.
pub(super) fn notation(check: &dyn Check) -> String {
    let notation = check.type_expr();
    format!("{} {}", notation.term, JsonValue::Object(notation.attributes))
}

/// Returns the name, with a number if no type of an API can have it.
pub(super) fn unreserved(name: String) -> String {
    if RESERVED_TYPES.contains(&name.as_str()) { name + "2" } else { name }
}

/// Returns the type of a value that may be missing.
pub(super) fn option(text: String) -> String {
    if text.starts_with("Option<") { text } else { format!("Option<{text}>") }
}
