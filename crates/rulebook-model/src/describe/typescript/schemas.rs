//! The TypeScript types of the schemas of a definition.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::names::SchemaTypeNames;
use super::types::{TypeWriter, ValueRole, describe_value, format_doc_comment};
use crate::describe::schemas_in_types::schemas_in_types;
use crate::model::{Method, Module};
use crate::types::NamedSchema;

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

    /// Returns the names of the types of all schemas.
    pub(super) fn type_names(&self) -> SchemaTypeNames {
        SchemaTypeNames::new(&self.results.keys().chain(self.arguments.keys()).map(String::as_str).collect())
    }

    /// Returns the declarations of a type for each schema.
    pub(super) fn declarations(&self, names: &SchemaTypeNames) -> String {
        let declarations = |schemas: &BTreeMap<String, Arc<NamedSchema>>, role: ValueRole| -> String {
            schemas.values().map(|schema| declaration(schema, names, role)).collect()
        };
        declarations(&self.results, ValueRole::Result) + &declarations(&self.arguments, ValueRole::Argument)
    }
}

fn declaration(named: &NamedSchema, names: &SchemaTypeNames, role: ValueRole) -> String {
    let schema = named.check.schema();
    let comment = format_doc_comment(&describe_value(&named.info, &schema), &[], 0);
    let content = TypeWriter { names, role }.write_type(&schema, 0);
    format!("\n{comment}export type {} = {content};\n", names.get(named.key(), role))
}
