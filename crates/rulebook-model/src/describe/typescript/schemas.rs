//! The TypeScript types of the schemas of a definition.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::types::{ValueRole, format_doc_comment, schema_type_name, typescript_type};
use crate::model::{Method, Module, ParameterType};
use crate::types::{NamedSchema, all_referenced_schemas};

/// Returns the declarations of a type for each schema that the arguments and the results of methods contain.
pub(super) fn schema_types(methods: &[(&Module, &Method)]) -> String {
    let methods = || methods.iter().map(|(_, method)| method);
    let arguments = methods().flat_map(|method| &method.parameters).map(|parameter| &parameter.r#type);
    let results = methods().flat_map(|method| &method.outputs).map(|output| &output.r#type);
    declarations(results, ValueRole::Result) + &declarations(arguments, ValueRole::Argument)
}

fn declarations<'t>(types: impl Iterator<Item = &'t ParameterType>, role: ValueRole) -> String {
    let schemas = types.flat_map(|r#type| all_referenced_schemas(&*r#type.check));
    let by_key: BTreeMap<String, Arc<NamedSchema>> = schemas.map(|schema| (schema.key().to_owned(), schema)).collect();
    by_key.values().map(|schema| declaration(schema, role)).collect()
}

fn declaration(schema: &NamedSchema, role: ValueRole) -> String {
    let comment = format_doc_comment(&schema.info, &[], 0);
    let content = typescript_type(&schema.check.schema(), role, 0);
    format!("\n{comment}export type {} = {content};\n", schema_type_name(schema.key(), role))
}
