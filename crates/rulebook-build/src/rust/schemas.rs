//! The Rust types of the schemas of a definition.

use std::collections::{HashMap, HashSet};

use rulebook_model::model::{Api, Schema};
use rulebook_model::types::Structure;

use super::samples::Role;
use super::type_writer::{RESERVED_TYPES, TypeWriter};
use crate::identifier::{type_name, unique_type};

/// Where the Rust types of all schemas are.
pub(super) struct SchemaPaths {
    /// For the key of each schema, the index of its API module (`None` for a schema of the API) and the type's name.
    by_key: HashMap<String, (Option<usize>, String)>,
}

impl SchemaPaths {
    pub(super) fn new(api: &Api) -> Self {
        let mut by_key = HashMap::new();
        let of_modules = api.modules.iter().enumerate().map(|(index, module)| (Some(index), &module.schemas));
        for (scope, schemas) in [(None, &api.schemas)].into_iter().chain(of_modules) {
            let mut used: HashSet<String> = RESERVED_TYPES.iter().map(|name| (*name).to_owned()).collect();
            for schema in schemas {
                let name = unique_type(type_name(&schema.name, "Schema"), &mut used);
                by_key.insert(schema.key.clone(), (scope, name));
            }
        }
        Self { by_key }
    }

    /// Returns the name of the schema's type; `None` if the definition does not list the schema.
    pub(super) fn name(&self, key: &str) -> Option<&str> {
        self.by_key.get(key).map(|(_, name)| name.as_str())
    }

    /// Returns the names of all types in an API module, or at the top.
    pub(super) fn names_in(&self, scope: Option<usize>) -> impl Iterator<Item = &str> {
        self.by_key.values().filter(move |(other, _)| *other == scope).map(|(_, name)| name.as_str())
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

/// Writes the types of these schemas.
pub(super) fn write_schemas(schemas: &[Schema], types: &mut TypeWriter<'_>) {
    for schema in schemas {
        let check = &schema.r#type.check;
        let Structure::Schema(named) = check.structure() else { continue };
        let Some(name) = types.paths.name(&schema.key).map(str::to_owned) else { continue };
        types.within = Some(named.key().to_owned());
        let doc = if named.info.is_empty() { format!("The schema `{}`.", named.name) } else { named.info.clone() };
        types.write_type(&named.check, Role::Both, &name, &doc);
        types.within = None;
    }
}
