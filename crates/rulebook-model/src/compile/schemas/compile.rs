//! Compiles a schema, with the fields that it takes from other schemas.

use std::sync::{Arc, OnceLock};

use super::endless::endless_schemas;
use super::{DeclaredSchema, SchemaState, first_key};
use crate::compile::default_and_example::with_enum_word;
use crate::compile::lowering::Lowering;
use crate::compile::type_expr::{Inherited, TypeOwner, type_names};
use crate::definition::dialect_spec::DialectSpec;
use crate::definition::parsed;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::span::Spanned;
use crate::types::{Arity, FIELDS_ATTRIBUTE, NamedSchema};

impl Lowering<'_> {
    /// Compiles a schema unless it has an error.
    pub(super) fn compile_declared_schema(&mut self, index: usize) {
        let DeclaredSchema { parsed, module, dialect, .. } = self.schemas.declared[index];
        if matches!(self.schemas.declared[index].state, SchemaState::Failed) {
            return;
        }
        let outer = (self.dialect, self.schemas.module);
        (self.dialect, self.schemas.module) = (dialect, module);
        self.schemas.inner_depth = Some(0);
        let compiled = self.compile_schema(parsed, first_key(index)).map(Arc::new);
        self.schemas.inner_depth = None;
        (self.dialect, self.schemas.module) = outer;
        if let Some(compiled) = &compiled {
            // The cell is empty, because a schema is compiled once.
            let _ = self.schemas.cells[index].set(Arc::clone(compiled));
        }
        self.schemas.declared[index].state = compiled.map_or(SchemaState::Failed, SchemaState::Compiled);
    }

    /// Reports the compiled schemas of which no value can end. `order` contains the indexes of all schemas.
    pub(super) fn report_endless_schemas(&mut self, order: &[usize]) {
        let compiled = |index: &usize| match &self.schemas.declared[*index].state {
            SchemaState::Compiled(schema) => Some((*index, Arc::clone(schema))),
            SchemaState::Waiting | SchemaState::Failed => None,
        };
        let (indexes, schemas): (Vec<usize>, Vec<_>) = order.iter().filter_map(compiled).unzip();
        for endless in endless_schemas(&schemas) {
            let span = self.schemas.declared[indexes[endless]].parsed.name.span;
            let message = format!("the schema `{}` has no finite value", schemas[endless].name);
            let error = Diagnostic::new(DiagnosticCode::EndlessSchema, span, message);
            self.report(
                error
                    .label("every value would contain another one")
                    .help("let a `?` or an array stand between the schema and itself: `\"type\": \"?Category\"`"),
            );
        }
    }

    fn compile_schema(&mut self, parsed: &parsed::Schema, first_key: String) -> Option<NamedSchema> {
        let before = self.diagnostics.len();
        let subject = format!("the schema `{}`", parsed.name.value);
        let span = parsed.name.span;
        let info = self.required_description(parsed.info.as_ref(), &subject, span, parsed.is_incomplete);
        let inherited = if parsed.extends.is_empty() && parsed.without.is_empty() {
            None
        } else {
            Some(self.inherited_fields(parsed)?)
        };
        if inherited.is_some() && !self.can_extend(parsed) {
            return None;
        }
        let owner = TypeOwner { diagnostic_subject: &subject, name_span: span, is_incomplete: parsed.is_incomplete };
        let compiled = self.compile_type_with_fields(&parsed.r#type, owner, inherited)?;
        if compiled.is_optional {
            let span = parsed.r#type.term.as_ref().map_or(span, |term| term.part(0, 1));
            let message = format!("{subject} cannot be optional");
            let error = Diagnostic::new(DiagnosticCode::BadTypeArgument, span, message).label("not allowed here");
            self.report(
                error
                    .help(format!("remove the `?`, and write `?{}` where the value can be missing", parsed.name.value)),
            );
        }
        if matches!(compiled.check.arity(), Arity::File | Arity::Files) {
            let span = parsed.r#type.term.as_ref().map_or(span, |term| term.span);
            let error = Diagnostic::new(DiagnosticCode::BadTypeArgument, span, format!("{subject} cannot be a file"));
            self.report(error.help("use the type `file` in the parameter itself"));
            return None;
        }
        let example = parsed.example.clone().map(|example| with_enum_word(example, Some(&*compiled.check)));
        if let Some(example) = &example {
            self.check_example(example, &*compiled.check, false, &subject);
        }
        let example = example.map(|example| example.value);
        let name = parsed.name.value.clone();
        let depth = self.schemas.inner_depth.unwrap_or_default() + 1;
        (self.diagnostics.len() == before).then(|| NamedSchema {
            name,
            key: OnceLock::new(),
            first_key,
            info,
            check: compiled.check,
            example,
            depth,
            samples: OnceLock::new(),
            recursive_example: OnceLock::new(),
        })
    }

    /// Returns `false` and reports an error if the type of a schema with `extends` has no fields. An unknown type is
    /// reported later.
    fn can_extend(&mut self, parsed: &parsed::Schema) -> bool {
        let Some(term) = &parsed.r#type.term else { return true };
        let DialectSpec { type_aliases, ignores_type_case, .. } = self.dialect;
        let name = type_names(&term.value, self.types, self.dialect).into_iter().next().unwrap_or_default();
        let found = self.types.find_in_dialect(name, type_aliases, *ignores_type_case);
        if found.is_none_or(|found| found.attributes().contains(&FIELDS_ATTRIBUTE)) {
            return true;
        }
        let message = format!("a schema of the type `{name}` cannot extend others");
        let error = Diagnostic::new(DiagnosticCode::BadOption, term.span, message).label("has no fields");
        self.report(error.help("remove `extends` and `without`, or remove `type`: by default it is `object`"));
        false
    }

    /// Returns the fields that a schema takes from the schemas in `extends`, without those in `without`. Returns `None`
    /// if there is an error.
    fn inherited_fields(&mut self, parsed: &parsed::Schema) -> Option<Inherited> {
        let before = self.diagnostics.len();
        let Inherited { mut fields, mut constraints } = Inherited::default();
        let mut is_complete = true;
        for base in &parsed.extends {
            let Some(index) = self.schemas.index(self.schemas.module, &base.value) else {
                let error = self.unknown_schema(base);
                self.report(error);
                is_complete = false;
                continue;
            };
            let base_schema = match &self.schemas.declared[index].state {
                SchemaState::Waiting => None,
                SchemaState::Compiled(schema) => Some(Arc::clone(schema)),
                SchemaState::Failed => {
                    is_complete = false;
                    continue;
                }
            };
            // The inherited fields refer to schemas, but nothing refers to the schema that is extended.
            let depth = base_schema.as_ref().map_or(0, |schema| schema.depth - 1);
            self.schemas.inner_depth = self.schemas.inner_depth.max(Some(depth));
            let Some(more) = base_schema.as_ref().and_then(|schema| schema.check.object_shape()) else {
                let problem = if base_schema.is_some() { "is not an object" } else { "refers back to this schema" };
                let message = format!("`{}` {problem}", base.value);
                let error = Diagnostic::new(DiagnosticCode::BadOption, base.span, message).label("cannot be extended");
                self.report(error.help("extend a schema whose type is `object`"));
                continue;
            };
            constraints.extend(more.constraints);
            for field in more.fields {
                if fields.iter().any(|known| known.name == field.name) {
                    let message = format!("two schemas in `extends` have the field `{}`", field.name.escape_debug());
                    self.report(
                        Diagnostic::new(DiagnosticCode::NameCollision, base.span, message).label("second field"),
                    );
                } else {
                    fields.push(field);
                }
            }
        }
        for name in &parsed.without {
            let count = fields.len();
            fields.retain(|field| field.name != name.value);
            if fields.len() == count && is_complete {
                let message = format!("no schema in `extends` has the field `{}`", name.value.escape_debug());
                let error = Diagnostic::new(DiagnosticCode::BadOption, name.span, message).label("unknown field");
                self.report(error.suggest(&name.value, fields.iter().map(|field| field.name.as_str())));
            }
        }
        let declared = parsed.r#type.fields.iter().flat_map(|fields| &fields.value);
        for field in declared.filter(|field| fields.iter().any(|known| known.name == field.name.value)) {
            let message = format!("a schema in `extends` has the field `{}`, too", field.name.value.escape_debug());
            let error = Diagnostic::new(DiagnosticCode::NameCollision, field.name.span, message).label("second field");
            self.report(error.help("rename it, or list it in `without` to replace the inherited field"));
        }
        let is_inherited = |name: &String| fields.iter().any(|field| field.name == *name);
        constraints.retain(|constraint| constraint.names.iter().all(is_inherited));
        (is_complete && self.diagnostics.len() == before).then_some(Inherited { fields, constraints })
    }

    fn unknown_schema(&self, name: &Spanned<String>) -> Diagnostic {
        let message = format!("unknown schema `{}`", name.value.escape_debug());
        let known = self.schema_names();
        Diagnostic::new(DiagnosticCode::UnknownType, name.span, message)
            .label("unknown schema")
            .help("`extends` lists the names of schemas")
            .suggest(&name.value, known.iter().copied())
    }
}
