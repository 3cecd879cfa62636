//! The Rust types of the schemas of a definition.

use std::collections::HashMap;

use rulebook_model::distinct_names::PlaceName;
use rulebook_model::model::{Api, Schema};
use rulebook_model::types::Structure;

use super::samples::Role;
use super::type_writer::{TypeWriter, unreserved};
use crate::identifier::type_name;

/// Where the Rust types of all schemas are.
pub(super) struct SchemaPaths {
    /// For the key of each schema, the index of its API module (`None` for a schema of the API) and the type's name.
    by_key: HashMap<String, (Option<usize>, String)>,
}

impl SchemaPaths {
    /// `name` returns the name of the type of a schema in an API module, or at the top.
    pub(super) fn new(api: &Api, mut name: impl FnMut(Option<usize>, &Schema) -> String) -> Self {
        let of_modules = api.modules.iter().enumerate().map(|(index, module)| (Some(index), &module.schemas));
        let scopes = [(None, &api.schemas)].into_iter().chain(of_modules);
        let schemas = scopes.flat_map(|(scope, schemas)| schemas.iter().map(move |schema| (scope, schema)));
        Self { by_key: schemas.map(|(scope, schema)| (schema.key.clone(), (scope, name(scope, schema)))).collect() }
    }

    /// Returns the name of the schema's type; `None` if the definition does not list the schema.
    pub(super) fn name(&self, key: &str) -> Option<&str> {
        self.by_key.get(key).map(|(_, name)| name.as_str())
    }

    /// Returns the path of the schema's type for code in an API module, or at the top.
    pub(super) fn path(&self, key: &str, scope: Option<usize>) -> Option<String> {
        let (target, name) = self.by_key.get(key)?;
        Some(match (target, scope) {
            (None, Some(_)) => format!("super::{name}"),
            _ => name.clone(),
        })
    }
}

/// Names the type of a schema.
pub(super) fn schema_name(schema: &Schema) -> PlaceName {
    PlaceName::new(unreserved(type_name(&schema.name, "Schema")), schema.name.as_str())
}

/// Writes the types of these schemas.
pub(super) fn write_schemas(schemas: &[Schema], types: &mut TypeWriter<'_>) {
    for schema in schemas {
        let check = &schema.r#type.check;
        let Structure::Schema(named) = check.structure() else { continue };
        types.within = Some(named.key().to_owned());
        let doc = if named.info.is_empty() { format!("The schema `{}`.", named.name) } else { named.info.clone() };
        types.write_type(&named.check, Role::Both, &schema_name(schema), &doc);
        types.within = None;
    }
}
