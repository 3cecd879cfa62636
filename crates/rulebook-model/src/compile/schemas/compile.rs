//! Compiles a schema, with the fields that it takes from other schemas.

use std::sync::{Arc, OnceLock};

use super::endless::endless_schemas;
use super::{DeclaredSchema, SchemaState, first_key};
use crate::compile::default_and_example::with_enum_word;
use crate::compile::lowering::Lowering;
use crate::compile::type_expr::{Inherited, TypeOwner};
use crate::definition::parsed;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::span::Spanned;
use crate::types::{Arity, NamedSchema};

impl Lowering<'_> {
    pub(super) fn compile_declared_schema(&mut self, index: usize) {
        let DeclaredSchema { parsed, module, dialect, .. } = self.schemas.declared[index];
        // A schema that has failed is compiled for its other errors.
        let has_failed = matches!(self.schemas.declared[index].state, SchemaState::Failed);
        let outer = (self.dialect, self.schemas.module);
        (self.dialect, self.schemas.module) = (dialect, module);
        self.schemas.inner_depth = Some(0);
        let compiled = self.compile_schema(parsed, first_key(index)).filter(|_| !has_failed).map(Arc::new);
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
        let extends_others = !(parsed.extends.is_empty() && parsed.without.is_empty());
        let inherited = extends_others.then(|| self.inherited_fields(parsed));
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

    /// Returns the fields that a schema takes from the schemas in `extends`, without those in `without`.
    fn inherited_fields(&mut self, parsed: &parsed::Schema) -> Inherited {
        let Inherited { mut fields, mut constraints, mut is_incomplete } = Inherited::default();
        for base in &parsed.extends {
            let Some(index) = self.schemas.index(self.schemas.module, &base.value) else {
                let error = self.unknown_schema(base);
                self.report(error);
                is_incomplete = true;
                continue;
            };
            let base_schema = match &self.schemas.declared[index].state {
                SchemaState::Waiting => None,
                SchemaState::Compiled(schema) => Some(Arc::clone(schema)),
                SchemaState::Failed => {
                    is_incomplete = true;
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
                is_incomplete = true;
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
            if fields.len() == count && !is_incomplete {
                let message = format!("no schema in `extends` has the field `{}`", name.value.escape_debug());
                let error = Diagnostic::new(DiagnosticCode::BadOption, name.span, message).label("unknown field");
                self.report(error.suggest(&name.value, fields.iter().map(|field| field.name.as_str())));
            }
        }
        let declared = || parsed.r#type.fields.iter().flat_map(|fields| &fields.value);
        for field in declared().filter(|field| fields.iter().any(|known| known.name == field.key.value)) {
            let message = format!("a schema in `extends` has the field `{}`, too", field.key.value.escape_debug());
            let error = Diagnostic::new(DiagnosticCode::NameCollision, field.key.span, message).label("second field");
            self.report(error.help("rename it, or list it in `without` to replace the inherited field"));
        }
        // The schema has an error if the list is changed here.
        fields.retain(|field| !declared().any(|declared| declared.key.value == field.name));
        let is_inherited = |name: &String| fields.iter().any(|field| field.name == *name);
        constraints.retain(|constraint| constraint.names.iter().all(is_inherited));
        Inherited { fields, constraints, is_incomplete }
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
