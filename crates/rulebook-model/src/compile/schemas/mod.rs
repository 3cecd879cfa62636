//! Compiles the schemas of a definition: types with a name, which parameters, outputs and other schemas can use.
//!
//! Each schema is compiled after those to which it refers. A reference that leads back to a schema that contains it is
//! resolved when it is used.

mod compile;
mod declare;
mod direct;
mod endless;
mod order;

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::lowering::Lowering;
use super::type_errors::{NestedTypeSpans, late_diagnostic};
use crate::definition::dialect_spec::DialectSpec;
use crate::definition::parsed;
use crate::model::{ParameterType, Schema};
use crate::types::{
    ArgumentError, Check, NamedSchema, SchemaCells, failed_type, recursive_reference, schema_reference,
};

#[derive(Default)]
pub(crate) struct Schemas<'d> {
    /// The schemas, by the API module that declares each (`None` for `app.json`) and its name.
    declared: IndexMap<(Option<&'d str>, &'d str), DeclaredSchema<'d>>,
    /// A cell for each schema, in the order of `declared`.
    cells: Arc<SchemaCells>,
    /// The API module whose types are being compiled; `None` for the common parameters of the API.
    pub module: Option<&'d str>,
    /// The types whose errors are found when all schemas are compiled, each with the spans of the types in its
    /// attributes.
    late_checks: Vec<(Arc<dyn Check>, NestedTypeSpans)>,
    /// While a schema is being compiled, the greatest depth of the schemas to which it refers.
    inner_depth: Option<usize>,
}

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

/// The maximum number of schemas that own the next one by a reference, so that recursive functions need little stack.
const MAX_DEPTH: usize = 64;

enum SchemaState {
    Waiting,
    Compiled(Arc<NamedSchema>),
    /// The schema has an error, which has been reported.
    Failed,
}

impl<'d> Lowering<'d> {
    pub(super) fn compile_schemas(&mut self) {
        self.report_direct_references();
        let order = self.schemas.compile_order(self.types);
        for index in &order {
            self.compile_declared_schema(*index);
        }
        self.report_late_errors();
        self.report_endless_schemas(&order);
        self.schemas.set_keys();
    }

    /// Returns the schemas that an API module, or `app.json`, declares, in the order of their names.
    pub(super) fn schemas_of(&self, module: Option<&str>) -> Vec<Schema> {
        let declared = self.schemas.declared.values().filter(|declared| declared.module == module);
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
                extends: declared.parsed.extends.iter().filter_map(|base| self.key_of(module, &base.value)).collect(),
                span: declared.parsed.name.span,
            };
            schemas.insert(&named.name, schema);
        }
        schemas.into_values().collect()
    }

    /// Returns the key of the schema that a name in an API module refers to.
    fn key_of(&self, module: Option<&str>, name: &str) -> Option<String> {
        match &self.schemas.declared[self.schemas.index(module, name)?].state {
            SchemaState::Compiled(named) => Some(named.key().to_owned()),
            SchemaState::Waiting | SchemaState::Failed => None,
        }
    }

    /// Returns the schema to which a name refers in the current API module; a failed type if the schema has an error.
    pub(super) fn find_schema(&mut self, name: &str) -> Option<Arc<dyn Check>> {
        let schemas = &mut self.schemas;
        let index = schemas.index(schemas.module, name)?;
        Some(match (&schemas.declared[index].state, &mut schemas.inner_depth) {
            (SchemaState::Failed, _) => failed_type(),
            (SchemaState::Compiled(schema), None) => {
                schema_reference(Arc::clone(schema), Some(Arc::clone(&schemas.cells)))
            }
            (SchemaState::Compiled(schema), Some(depth)) if schema.depth < MAX_DEPTH => {
                *depth = schema.depth.max(*depth);
                schema_reference(Arc::clone(schema), None)
            }
            (SchemaState::Waiting | SchemaState::Compiled(_), _) => {
                recursive_reference(name, &first_key(index), &schemas.cells[index])
            }
        })
    }

    /// Reports the errors of a type that are found only when all schemas are compiled.
    pub(super) fn check_late(&mut self, check: &Arc<dyn Check>, spans: NestedTypeSpans) {
        if self.schemas.inner_depth.is_some() {
            self.schemas.late_checks.push((Arc::clone(check), spans));
        } else {
            for error in check.late_error().into_iter().flat_map(ArgumentError::into_all) {
                self.report(late_diagnostic(&error, &spans));
            }
        }
    }

    fn report_late_errors(&mut self) {
        for (check, spans) in std::mem::take(&mut self.schemas.late_checks) {
            self.check_late(&check, spans);
        }
    }

    pub(super) fn schema_names(&self) -> Vec<&'d str> {
        let visible = |module: &Option<&str>| module.is_none() || *module == self.schemas.module;
        self.schemas.declared.keys().filter(|(module, _)| visible(module)).map(|(_, name)| *name).collect()
    }
}
