//! Compiles types to checks, which validate values. A type consists of an expression, such as `string(1,20)`, and of
//! attributes.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::lowering::Lowering;
use super::schemas::SchemaLookup;
use super::type_errors::nested_type_spans;
use crate::constraint::Constraint;
use crate::definition::dialect_spec::DialectSpec;
use crate::definition::parsed::{NestedType, Output, TypeSpec};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::span::Span;
use crate::types::{
    Check, CompiledTerm, NestedCheck, ObjectField, Types, UncompiledTerm, names_in_term, remove_attributes_about_fields,
};

/// The parameter, output or field that has the type, as diagnostics describe it.
#[derive(Clone, Copy)]
pub(super) struct TypeOwner<'a> {
    /// The noun phrase for the owner in error messages: "the parameter `lang`".
    pub diagnostic_subject: &'a str,
    /// The span of the owner's name in the definition.
    pub name_span: Span,
    /// `true` if the parser reported an error in a member of the owner and omitted the member, so that a missing type
    /// is not a further error.
    pub is_incomplete: bool,
}

/// What an object has from the schemas that it extends.
#[derive(Default)]
pub(super) struct Inherited {
    pub fields: Vec<ObjectField>,
    /// The constraints whose fields are all inherited.
    pub constraints: Vec<Constraint>,
}

impl Lowering<'_> {
    /// Compiles the type of a parameter, output or field. If the type has errors, reports all of them and returns
    /// `None`.
    pub(super) fn compile_type(&mut self, spec: &TypeSpec, owner: TypeOwner<'_>) -> Option<CompiledTerm> {
        self.compile_type_with_fields(spec, owner, None)
    }

    /// Compiles a type as [`Lowering::compile_type`] does. A schema that extends others has the fields `inherited`
    /// before its other fields.
    pub(super) fn compile_type_with_fields(
        &mut self,
        spec: &TypeSpec,
        owner: TypeOwner<'_>,
        inherited: Option<Inherited>,
    ) -> Option<CompiledTerm> {
        let (inherited_fields, inherited_constraints) =
            inherited.map_or((None, Vec::new()), |inherited| (Some(inherited.fields), inherited.constraints));
        let fields = match &spec.fields {
            None => Some(inherited_fields),
            Some(fields) => {
                let declared = self.lower_object_fields(&fields.value);
                let inherited = inherited_fields.unwrap_or_default();
                declared.map(|declared| Some(inherited.into_iter().chain(declared).collect()))
            }
        };
        let nested = self.compile_nested_types(&spec.nested);
        self.collect_function_refs(spec);
        let Some(term) = &spec.term else {
            if !owner.is_incomplete {
                self.report(
                    Diagnostic::new(
                        DiagnosticCode::MissingType,
                        owner.name_span,
                        format!("{} has no `type`", owner.diagnostic_subject),
                    )
                    .label("`type` is missing")
                    .help("add a type: `\"type\": \"string\"`"),
                );
            }
            return None;
        };
        let mut attributes: Map<_, _> =
            spec.attributes.iter().map(|(key, value)| (key.value.clone(), value.value.clone())).collect();
        // If a field of an object has an error, the type is compiled without fields, so that the other errors of the
        // type are reported too.
        let has_field_error = fields.is_none();
        if has_field_error || owner.is_incomplete {
            remove_attributes_about_fields(&mut attributes);
        }
        let schemas = self.schemas_in_term(&term.value)?;
        let nested = nested?;
        let is_shared = matches!(fields, Some(None)) && schemas.is_empty() && nested.is_empty();
        let shared_key = is_shared.then(|| self.type_key(&term.value, &attributes));
        if let Some(known) = shared_key.as_ref().and_then(|key| self.compiled_types.get(key)) {
            return Some(known.clone());
        }
        let compiled = self.types.compile(UncompiledTerm {
            term: &term.value,
            attributes: &attributes,
            fields: fields.unwrap_or_default(),
            aliases: self.dialect.type_aliases,
            ignores_type_case: self.dialect.ignores_type_case,
            timezone: &self.timezone,
            schemas: &|name| schemas.get(name).cloned(),
            inherited_constraints: &inherited_constraints,
            nested_types: &nested,
        });
        match compiled {
            Ok(compiled) => {
                if !spec.nested.is_empty() {
                    self.check_late(&compiled.check, nested_type_spans(spec));
                }
                self.compiled_types.extend(shared_key.map(|key| (key, compiled.clone())));
                (!has_field_error).then_some(compiled)
            }
            Err(errors) => {
                for error in errors {
                    self.report_type_error(&error, term, spec, owner);
                }
                None
            }
        }
    }

    /// Compiles the types in attributes such as `of`. If one of them has errors, reports all errors and returns `None`.
    fn compile_nested_types(&mut self, nested: &[NestedType]) -> Option<Vec<NestedCheck>> {
        let mut compiled = Vec::with_capacity(nested.len());
        for NestedType { attribute, name, r#type, span, is_incomplete } in nested {
            let subject = format!("a type in `{attribute}`");
            let owner = TypeOwner { diagnostic_subject: &subject, name_span: *span, is_incomplete: *is_incomplete };
            let compiled_type = r#type.as_ref().and_then(|r#type| self.compile_type(r#type, owner));
            compiled.push(compiled_type.map(|compiled| NestedCheck {
                attribute: attribute.clone(),
                name: name.clone(),
                check: compiled.into_nested_check(),
            }));
        }
        compiled.into_iter().collect()
    }

    /// Returns the schemas that a term refers to, by their names. Returns `None` if one of them has an error, which has
    /// been reported.
    fn schemas_in_term(&mut self, term: &str) -> Option<HashMap<String, Arc<dyn Check>>> {
        let mut found = HashMap::new();
        for name in type_names(term, self.types, self.dialect) {
            match self.find_schema(name) {
                SchemaLookup::Unknown => {}
                SchemaLookup::Failed => return None,
                SchemaLookup::Found(schema) => {
                    found.insert(name.to_owned(), schema);
                }
            }
        }
        Some(found)
    }

    /// Returns the key in [`Lowering::compiled_types`] of a type with these attributes.
    fn type_key(&self, term: &str, attributes: &Map<String, Json>) -> (&'static str, String, String) {
        let attributes = if attributes.is_empty() { String::new() } else { Json::from(attributes.clone()).to_string() };
        (self.dialect.name, attributes, term.to_owned())
    }

    /// Converts the fields of an object type. Returns `None` if one of the fields has an error.
    fn lower_object_fields(&mut self, fields: &[Output]) -> Option<Vec<ObjectField>> {
        let lowered: Vec<_> = fields.iter().map(|field| self.lower_output_or_field(field, "field")).collect();
        lowered
            .into_iter()
            .map(|output| {
                let output = output?;
                Some(ObjectField {
                    name: output.name,
                    info: output.info,
                    optional: output.optional,
                    check: output.r#type.check,
                    example: output.example,
                })
            })
            .collect()
    }
}

/// Returns the names in a term of a dialect that can be names of types or schemas.
pub(super) fn type_names<'t>(term: &'t str, types: &Types, dialect: &DialectSpec) -> Vec<&'t str> {
    names_in_term(term, &|name, index| {
        types.is_term_argument(name, index, dialect.type_aliases, dialect.ignores_type_case)
    })
}
