//! Compiles the schemas of a definition: types with a name, which parameters, outputs and other schemas can use.
//!
//! A schema is compiled when it is first needed, so that schemas can refer to each other in any order.

mod compile;
mod declare;
mod endless;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub(super) use declare::names_in_term;

use super::lowering::Lowering;
use crate::definition::dialect_spec::DialectSpec;
use crate::definition::parsed;
use crate::model::{ParameterType, Schema};
use crate::types::{Check, NamedSchema, SchemaCells, recursive_reference, schema_reference};

/// All schemas of a definition.
#[derive(Default)]
pub(crate) struct Schemas<'d> {
    declared: Vec<DeclaredSchema<'d>>,
    /// The index in `declared` of each schema, by the API module that declares it (`None` for `app.json`) and its name.
    indexes: HashMap<(Option<&'d str>, &'d str), usize>,
    /// A cell for each schema, in the order of `declared`.
    cells: Arc<SchemaCells>,
    /// The API module whose types are being compiled; `None` for the common parameters of the API.
    pub module: Option<&'d str>,
    /// `true` while a schema is being compiled.
    is_in_schema: bool,
}

/// A schema of the definition.
struct DeclaredSchema<'d> {
    parsed: &'d parsed::Schema,
    module: Option<&'d str>,
    dialect: &'static DialectSpec,
    state: SchemaState,
}

/// Returns the name in JSON Schemas of the schema with this index, until the definition is compiled.
fn first_key(index: usize) -> String {
    format!("schema.{index}")
}

/// The state of a schema while the definition is compiled.
enum SchemaState {
    /// The schema has not been needed yet.
    Waiting,
    /// The schema is being compiled. Another reference to it is recursive.
    Compiling,
    /// The schema is compiled.
    Compiled(Arc<NamedSchema>),
    /// The schema has an error, which has been reported.
    Failed,
}

/// What a name in a term refers to.
pub(super) enum SchemaLookup {
    /// The definition has no schema with this name.
    Unknown,
    /// The schema has an error, which has been reported.
    Failed,
    /// The schema can be used.
    Found(Arc<dyn Check>),
}

impl<'d> Lowering<'d> {
    /// Compiles all schemas, also those that nothing refers to.
    pub(super) fn compile_schemas(&mut self) {
        // The order of the names is the same in every notation of the definition. Generated examples depend on it, because
        // they end at the first reference that is recursive.
        let mut order: Vec<usize> = (0..self.schemas.declared.len()).collect();
        order.sort_by_key(|index| self.schemas.declared.get(*index).map(|declared| &declared.parsed.name.value));
        for index in order {
            self.require_schema(index);
        }
        self.schemas.set_keys();
    }

    /// Returns the schemas that an API module, or `app.json`, declares, in the order of their names.
    pub(super) fn schemas_of(&self, module: Option<&str>) -> Vec<Schema> {
        let declared = self.schemas.declared.iter().filter(|declared| declared.module == module);
        let mut schemas: BTreeMap<&str, Schema> = BTreeMap::new();
        for declared in declared {
            let SchemaState::Compiled(named) = &declared.state else { continue };
            let check = schema_reference(Arc::clone(named), Some(Arc::clone(&self.schemas.cells)));
            let schema = Schema {
                name: named.name.clone(),
                key: named.key().to_owned(),
                info: named.info.clone(),
                r#type: ParameterType { written: named.check.type_expr(), check },
                example: named.example.clone(),
                span: declared.parsed.name.span,
            };
            schemas.insert(&named.name, schema);
        }
        schemas.into_values().collect()
    }

    /// Returns what a name in a term of the current API module refers to, and compiles the schema if necessary.
    pub(super) fn find_schema(&mut self, name: &str) -> SchemaLookup {
        let Some(index) = self.schemas.index(self.schemas.module, name) else { return SchemaLookup::Unknown };
        self.require_schema(index);
        let all = (!self.schemas.is_in_schema).then(|| Arc::clone(&self.schemas.cells));
        let (Some(declared), Some(cell)) = (self.schemas.declared.get(index), self.schemas.cells.get(index)) else {
            return SchemaLookup::Unknown;
        };
        match &declared.state {
            SchemaState::Compiled(schema) => SchemaLookup::Found(schema_reference(Arc::clone(schema), all)),
            SchemaState::Compiling => SchemaLookup::Found(recursive_reference(name, &first_key(index), cell)),
            SchemaState::Waiting | SchemaState::Failed => SchemaLookup::Failed,
        }
    }

    /// Returns the names of the schemas that the current API module can use.
    pub(super) fn schema_names(&self) -> Vec<&'d str> {
        let visible = |module: &Option<&str>| module.is_none() || *module == self.schemas.module;
        self.schemas.indexes.keys().filter(|(module, _)| visible(module)).map(|(_, name)| *name).collect()
    }
}
