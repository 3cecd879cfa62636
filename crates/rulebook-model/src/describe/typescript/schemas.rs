//! The TypeScript types of the schemas of a definition, and their names.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value as Json;

use super::types::{TypeWriter, ValueRole, describe_value, format_doc_comment};
use crate::describe::canonical_schemas::schemas_in_types;
use crate::distinct_names::{candidates, distinct_names};
use crate::model::{Method, Module};
use crate::types::{Check, NamedSchema};

/// The words that TypeScript does not allow as the name of a type, or not in a module, and the names that the
/// declarations of every API contain.
const RESERVED_NAMES: &str = "\
    any as await bigint boolean break case catch class const continue debugger default delete do else enum \
    export extends false finally for function if implements import in infer instanceof interface intrinsic keyof \
    let never new null number object package private protected public readonly return static string super switch \
    symbol this throw true try typeof undefined unique unknown using var void while with yield Api Array Call \
    Calls Download FileArgument Handler Id Methods ReadonlyArray Upload";

/// The schemas that the arguments and the results of an API's methods contain, by their keys.
pub(super) struct UsedSchemas {
    arguments: BTreeMap<String, Arc<NamedSchema>>,
    results: BTreeMap<String, Arc<NamedSchema>>,
}

impl UsedSchemas {
    pub(super) fn new(methods: &[(&Module, &Method)]) -> Self {
        let methods = || methods.iter().map(|(_, method)| method);
        let arguments = methods().flat_map(|method| &method.parameters).map(|parameter| &*parameter.r#type.check);
        let results = methods().flat_map(|method| &method.outputs).map(|output| &*output.r#type.check);
        Self { arguments: schemas_in_types(arguments), results: schemas_in_types(results) }
    }

    /// Returns the schemas in the arguments and outputs of handlers, which have the same types.
    pub(super) fn of_handlers(methods: &[&Method]) -> Self {
        let arguments = methods.iter().flat_map(|method| &method.parameters).map(|parameter| &*parameter.r#type.check);
        let outputs = methods.iter().flat_map(|method| &method.outputs).map(|output| &*output.r#type.check);
        Self { arguments: BTreeMap::new(), results: schemas_in_types(arguments.chain(outputs)) }
    }

    pub(super) fn type_names(&self) -> SchemaTypeNames {
        SchemaTypeNames::new(&self.results.keys().chain(self.arguments.keys()).map(String::as_str).collect())
    }

    /// Returns the declarations of the types. `schema_of` returns the schema of the values that a check accepts.
    pub(super) fn declarations(&self, names: &SchemaTypeNames, schema_of: fn(&dyn Check) -> Json) -> String {
        let declarations = |schemas: &BTreeMap<String, Arc<NamedSchema>>, role: ValueRole| -> String {
            schemas.values().map(|named| declaration(named, &schema_of(&*named.check), names, role)).collect()
        };
        declarations(&self.results, ValueRole::Result) + &declarations(&self.arguments, ValueRole::Argument)
    }
}

fn declaration(named: &NamedSchema, schema: &Json, names: &SchemaTypeNames, role: ValueRole) -> String {
    let comment = format_doc_comment(&describe_value(&named.info, schema), &[], 0);
    let content = TypeWriter { names, role }.write_type(schema, 0);
    format!("\n{comment}export type {} = {content};\n", names.get(named.key(), role))
}

/// The names of the types of an API's schemas. All are different, and none is used for anything else.
pub(super) struct SchemaTypeNames {
    results: HashMap<String, String>,
    arguments: HashMap<String, String>,
}

impl SchemaTypeNames {
    /// Chooses the names for the schemas with these keys.
    pub(super) fn new(keys: &BTreeSet<&str>) -> Self {
        let names = |(key, end): (&str, &str)| {
            let name = to_identifier(key) + end;
            let is_reserved = RESERVED_NAMES.split(' ').any(|reserved| reserved == name);
            candidates(vec![name + if is_reserved { "_" } else { "" }], "_", &format!("{key}\n{end}"))
        };
        let things = ["", "Argument"].into_iter().flat_map(|end| keys.iter().map(move |key| (*key, end)));
        let mut names = distinct_names(things.map(names), str::to_owned).into_iter();
        let mut names = || keys.iter().map(|key| (*key).to_owned()).zip(names.by_ref()).collect();
        Self { results: names(), arguments: names() }
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

fn to_identifier(key: &str) -> String {
    let name: String = key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("_{name}") } else { name }
}
