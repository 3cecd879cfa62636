//! Compiles a schema, with the fields that it takes from other schemas.

use std::sync::{Arc, OnceLock};

use super::endless::is_endless;
use super::{SchemaLookup, SchemaState, first_key};
use crate::compile::default_and_example::with_enum_word;
use crate::compile::lowering::Lowering;
use crate::compile::type_expr::TypeOwner;
use crate::definition::parsed;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::span::Spanned;
use crate::types::{Arity, NamedSchema, ObjectField, all_referenced_schemas};

impl Lowering<'_> {
    /// Compiles a schema unless it is compiled, or being compiled.
    pub(super) fn require_schema(&mut self, index: usize) {
        let Some(declared) = self.schemas.declared.get_mut(index) else { return };
        if !matches!(declared.state, SchemaState::Waiting) {
            return;
        }
        declared.state = SchemaState::Compiling;
        let (parsed, module, dialect) = (declared.parsed, declared.module, declared.dialect);
        let key = first_key(index);
        let outer = (self.dialect, self.schemas.module, self.schemas.is_in_schema);
        (self.dialect, self.schemas.module, self.schemas.is_in_schema) = (dialect, module, true);
        let compiled = self.compile_schema(parsed, key).map(Arc::new);
        (self.dialect, self.schemas.module, self.schemas.is_in_schema) = outer;
        if let (Some(compiled), Some(cell)) = (&compiled, self.schemas.cells.get(index)) {
            // The cell is empty, because a schema is compiled once.
            let _ = cell.set(Arc::clone(compiled));
            if is_endless(
                &compiled.check.schema(),
                &all_referenced_schemas(&*compiled.check),
                &mut vec![compiled.key()],
            ) {
                let span = parsed.name.span;
                let message = format!("the schema `{}` has no finite value", compiled.name);
                let error = Diagnostic::new(DiagnosticCode::EndlessSchema, span, message);
                self.report(
                    error
                        .label("every value would contain another one")
                        .help("let a `?` or an array stand between the schema and itself: `\"type\": \"?Category\"`"),
                );
            }
        }
        if let Some(declared) = self.schemas.declared.get_mut(index) {
            declared.state = compiled.map_or(SchemaState::Failed, SchemaState::Compiled);
        }
    }

    fn compile_schema(&mut self, parsed: &parsed::Schema, first_key: String) -> Option<NamedSchema> {
        let before = self.diagnostics.len();
        let subject = format!("the schema `{}`", parsed.name.value);
        let span = parsed.name.span;
        let info = self.required_description(parsed.info.as_ref(), &subject, span, parsed.is_incomplete);
        let inherited = self.inherited_fields(parsed)?;
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
        (self.diagnostics.len() == before).then(|| NamedSchema {
            name,
            key: OnceLock::new(),
            first_key,
            info,
            check: compiled.check,
            example,
            samples: OnceLock::new(),
        })
    }

    /// Returns the fields that a schema takes from the schemas in `extends`, without those in `without`. Returns `None`
    /// if there is an error.
    fn inherited_fields(&mut self, parsed: &parsed::Schema) -> Option<Vec<ObjectField>> {
        let before = self.diagnostics.len();
        let mut fields: Vec<ObjectField> = Vec::new();
        let mut is_complete = true;
        for base in &parsed.extends {
            let found = self.find_schema(&base.value);
            let SchemaLookup::Found(check) = found else {
                if matches!(found, SchemaLookup::Unknown) {
                    let error = self.unknown_schema(base);
                    self.report(error);
                }
                is_complete = false;
                continue;
            };
            let Some(more) = check.object_fields() else {
                let message = format!("`{}` is not an object, or refers back to this schema", base.value);
                let error = Diagnostic::new(DiagnosticCode::BadOption, base.span, message).label("cannot be extended");
                self.report(error.help("extend a schema whose type is `object`"));
                continue;
            };
            for field in more {
                if fields.iter().any(|known| known.name == field.name) {
                    let message = format!("two schemas in `extends` have the field `{}`", field.name.escape_debug());
                    self.report(
                        Diagnostic::new(DiagnosticCode::NameCollision, base.span, message).label("second field"),
                    );
                } else {
                    fields.push(field.clone());
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
        (is_complete && self.diagnostics.len() == before).then_some(fields)
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
