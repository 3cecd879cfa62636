//! Compiles types to checks, which validate values. A type consists of an expression, such as `string(1,20)`, and of
//! attributes.

use std::collections::HashMap;
use std::fmt::Display;
use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::Lowering;
use crate::constraint::Constraint;
use crate::definition::dialect_spec::DialectSpec;
use crate::definition::keys::ancestors::{FOREIGN_TYPES, help_for_foreign_name};
use crate::definition::parsed::{Field, NestedType, TypeSpec};
use crate::diagnostic::{Diagnostic, DiagnosticCode, closest_word};
use crate::span::{Span, Spanned};
use crate::types::{
    ArgumentError, ArgumentErrorKind, Check, CompiledTerm, FIELDS_ATTRIBUTE, NestedCheck, ObjectField, TermError,
    TermErrorKind, Type, Types, UncompiledTerm, failed_type, is_failed_type, names_in_term, nested_type_path,
};

/// The parameter, output or field that has the type, as diagnostics describe it.
#[derive(Clone, Copy)]
pub(super) struct TypeOwner<'a> {
    /// The noun phrase for the owner in error messages: "the parameter `lang`".
    pub diagnostic_subject: &'a dyn Display,
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
    /// `true` if fields are missing, because an extended schema has an error.
    pub is_incomplete: bool,
}

impl Lowering<'_> {
    /// Compiles the type of a parameter, output or field. Reports its errors, and returns `None` if there are any.
    pub(super) fn compile_type(&mut self, spec: &TypeSpec, owner: TypeOwner<'_>) -> Option<CompiledTerm> {
        let compiled = self.compile_type_with_fields(spec, owner, None);
        self.failed_types += usize::from(compiled.is_none());
        compiled
    }

    /// Compiles a type. A schema that extends others has the fields `inherited` before its other fields.
    pub(super) fn compile_type_with_fields(
        &mut self,
        spec: &TypeSpec,
        owner: TypeOwner<'_>,
        inherited: Option<Inherited>,
    ) -> Option<CompiledTerm> {
        let extends_schemas = inherited.is_some();
        let inherited = inherited.unwrap_or_default();
        let declared = spec.fields.as_ref().map(|fields| self.lower_object_fields(&fields.value));
        let has_fields = extends_schemas || declared.is_some();
        let fields: Vec<_> = inherited.fields.into_iter().chain(declared.into_iter().flatten()).collect();
        let nested = self.compile_nested_types(&spec.nested);
        self.collect_function_refs(spec);
        let Some(term) = &spec.term else {
            if !owner.is_incomplete {
                let message = format!("{} has no `type`", owner.diagnostic_subject);
                let error = Diagnostic::new(DiagnosticCode::MissingType, owner.name_span, message);
                self.report(error.label("`type` is missing").help("add a type: `\"type\": \"string\"`"));
            }
            return None;
        };
        let attributes: Map<_, _> =
            spec.attributes.iter().map(|(key, value)| (key.value.clone(), value.value.clone())).collect();
        let schemas = self.schemas_in_term(&term.value);
        // The type is compiled even if a part of it has an error, so that its other errors are reported too.
        let has_failed_schema = schemas.values().any(is_failed_type);
        let has_error = has_failed_schema
            || inherited.is_incomplete
            || fields.iter().any(|field| is_failed_type(&field.check))
            || nested.iter().any(|nested| is_failed_type(&nested.check));
        let has_missing_fields = inherited.is_incomplete || owner.is_incomplete;
        let is_shared = !has_fields && !has_missing_fields && schemas.is_empty() && nested.is_empty();
        let shared_key = is_shared.then(|| self.type_key(&term.value, &attributes));
        if let Some(known) = shared_key.as_ref().and_then(|key| self.compiled_types.get(key)) {
            return Some(known.clone());
        }
        let compiled = self.types.compile(UncompiledTerm {
            term: &term.value,
            attributes: &attributes,
            fields: has_fields.then_some(fields),
            aliases: self.dialect.type_aliases,
            ignores_type_case: self.dialect.ignores_type_case,
            timezone: &self.timezone,
            schemas: &|name| schemas.get(name).cloned(),
            inherited_constraints: &inherited.constraints,
            has_missing_fields,
            nested_types: &nested,
        });
        match compiled {
            Ok(compiled) => {
                if !spec.nested.is_empty() {
                    self.check_late(&compiled.check, nested_type_spans(spec));
                }
                self.compiled_types.extend(shared_key.map(|key| (key, compiled.clone())));
                (!has_error).then_some(compiled)
            }
            Err(errors) => {
                // What a type says about its arguments can be a consequence of the error in a schema.
                for error in errors.into_iter().filter(|error| !(has_failed_schema && is_in_term(error))) {
                    if extends_schemas && is_about_fields(&error) {
                        self.report_type_without_fields(term);
                    } else {
                        self.report_type_error(&error, term, spec, owner);
                    }
                }
                None
            }
        }
    }

    /// Compiles the types in attributes such as `of`. Reports their errors; a type with an error becomes a failed type.
    fn compile_nested_types(&mut self, nested: &[NestedType]) -> Vec<NestedCheck> {
        let mut compiled = Vec::with_capacity(nested.len());
        for NestedType { attribute, name, r#type, span, is_incomplete } in nested {
            let subject = format_args!("a type in `{attribute}`");
            let owner = TypeOwner { diagnostic_subject: &subject, name_span: *span, is_incomplete: *is_incomplete };
            let compiled_type = r#type.as_ref().and_then(|r#type| self.compile_type(r#type, owner));
            compiled.push(NestedCheck {
                attribute: attribute.clone(),
                name: name.clone(),
                check: compiled_type.map_or_else(failed_type, CompiledTerm::into_nested_check),
            });
        }
        compiled
    }

    /// Returns the schemas that a term refers to, by their names. A schema with an error is a failed type.
    fn schemas_in_term(&mut self, term: &str) -> HashMap<String, Arc<dyn Check>> {
        let names = type_names(term, self.types, self.dialect).into_iter();
        names.filter_map(|name| Some((name.to_owned(), self.find_schema(name)?))).collect()
    }

    /// Returns the key in [`Lowering::compiled_types`] of a type with these attributes.
    fn type_key(&self, term: &str, attributes: &Map<String, Json>) -> (&'static str, String, String) {
        let attributes = if attributes.is_empty() { String::new() } else { Json::from(attributes.clone()).to_string() };
        (self.dialect.name, attributes, term.to_owned())
    }

    /// Converts the fields of an object type. Reports their errors; a field with an error has a failed type.
    fn lower_object_fields(&mut self, fields: &[Field]) -> Vec<ObjectField> {
        let lower = |field: &Field| match self.lower_output_or_field(field, "field") {
            Some(output) => ObjectField {
                name: output.name,
                info: output.info,
                optional: output.optional,
                check: output.r#type.check,
                example: output.example,
            },
            None => ObjectField {
                name: field.key.value.clone(),
                info: String::new(),
                optional: true,
                check: failed_type(),
                example: None,
            },
        };
        fields.iter().map(lower).collect()
    }
}

/// Returns the names in a term of a dialect that can be names of types or schemas.
pub(super) fn type_names<'t>(term: &'t str, types: &Types, dialect: &DialectSpec) -> Vec<&'t str> {
    names_in_term(term, &|name, index| {
        types.is_term_argument(name, index, dialect.type_aliases, dialect.ignores_type_case)
    })
}

/// The part of the help for a type that resembles no known type.
const TYPES_HELP: &str = "`rulebook explain unknown-type` lists the types";

/// The sentence in the help for an unknown type that explains how a program adds types.
const CUSTOM_TYPES_HELP: &str = "programs add custom types with `Rulebook::add_type`";

impl Lowering<'_> {
    pub(super) fn report_type_error(
        &mut self,
        error: &TermError,
        term: &Spanned<String>,
        spec: &TypeSpec,
        owner: TypeOwner<'_>,
    ) {
        let TermError { span: range, kind } = error;
        let span = term_span(term, range);
        let diagnostic = match kind {
            TermErrorKind::Empty => {
                let message = format!("the type of {} is empty", owner.diagnostic_subject);
                Diagnostic::new(DiagnosticCode::MissingType, span, message)
                    .label("expected a type")
                    .help("add a type: `\"type\": \"string\"`")
            }
            TermErrorKind::Syntax(expected) => Diagnostic::new(
                DiagnosticCode::UnknownType,
                span,
                format!("`{}` is not a valid type: {expected}", term.value.escape_debug()),
            )
            .label("invalid syntax")
            .help("a type is a name, which may have arguments: `int`, `string(1,20)`, `?array<id>`"),
            TermErrorKind::UnknownType(name) => {
                let exists = |name: &str| self.types.iter().any(|known| known.name() == name);
                let aliases =
                    self.dialect.type_aliases.iter().filter(|(_, name)| exists(name)).map(|(alias, _)| *alias);
                let suggestion =
                    closest_word(name, aliases.chain(self.types.iter().map(Type::name)).chain(self.schema_names()));
                let is_same_word = suggestion.is_some_and(|suggestion| suggestion.eq_ignore_ascii_case(name));
                let foreign = help_for_foreign_name(FOREIGN_TYPES, name, exists).filter(|_| !is_same_word);
                let help = match (foreign, suggestion) {
                    (Some(help), _) => help.to_owned(),
                    (None, Some(suggestion)) => format!("did you mean `{suggestion}`? {CUSTOM_TYPES_HELP}"),
                    (None, None) => format!("{TYPES_HELP}; {CUSTOM_TYPES_HELP}"),
                };
                Diagnostic::new(DiagnosticCode::UnknownType, span, format!("unknown type `{}`", name.escape_debug()))
                    .label("unknown type")
                    .help(help)
            }
            TermErrorKind::Argument(argument) => type_argument_diagnostic(argument, span, spec),
        };
        self.report(diagnostic);
    }

    pub(super) fn report_type_without_fields(&mut self, term: &Spanned<String>) {
        let text = term.value.trim_start_matches('?').escape_debug();
        let message = format!("a schema of the type `{text}` cannot extend others");
        let error = Diagnostic::new(DiagnosticCode::BadOption, term.span, message).label("has no fields");
        self.report(error.help("remove `extends` and `without`, or remove `type`: by default it is `object`"));
    }
}

/// Returns `true` if an error is about the term itself, not about an attribute.
pub(super) fn is_in_term(error: &TermError) -> bool {
    matches!(&error.kind, TermErrorKind::Argument(ArgumentError { attribute: None, .. }))
}

/// Returns `true` if the error is that the type of a term has no fields.
pub(super) fn is_about_fields(error: &TermError) -> bool {
    matches!(&error.kind, TermErrorKind::Argument(error) if error.attribute.as_deref() == Some(FIELDS_ATTRIBUTE))
}

/// The spans of the types in the attributes of a type, each with its path.
pub(super) type NestedTypeSpans = Vec<(String, Span)>;

/// Returns the spans of the types in attributes, after the span of the first attribute that contains types.
pub(super) fn nested_type_spans(spec: &TypeSpec) -> NestedTypeSpans {
    let first = spec.nested.first().and_then(|nested| {
        let (key, value) = spec.attributes.iter().chain(&spec.parts).find(|(key, _)| key.value == nested.attribute)?;
        Some((key.value.clone(), value.span))
    });
    let mut spans: Vec<_> = first.into_iter().collect();
    let mut index = 0;
    for (at, NestedType { attribute, span, .. }) in spec.nested.iter().enumerate() {
        let is_first = at == 0 || spec.nested[at - 1].attribute != *attribute;
        index = if is_first { 0 } else { index + 1 };
        spans.push((nested_type_path(attribute, index), *span));
    }
    spans
}

/// Returns the diagnostic for an error that is found only when all schemas are compiled.
pub(super) fn late_diagnostic(error: &ArgumentError, spans: &[(String, Span)]) -> Diagnostic {
    let is_path = |path: &str| {
        let attribute = error.attribute.as_deref().unwrap_or_default();
        path.strip_suffix(attribute).is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('.'))
    };
    let span = spans.iter().find(|(path, _)| is_path(path)).or(spans.first());
    type_argument_diagnostic(error, span.map(|(_, span)| *span).unwrap_or_default(), &TypeSpec::default())
}

/// Returns the diagnostic for an error in a type. `term` is its span unless it is in an attribute.
fn type_argument_diagnostic(error: &ArgumentError, term: Span, spec: &TypeSpec) -> Diagnostic {
    let ArgumentError { kind, attribute, message, help, .. } = error;
    let code = match kind {
        ArgumentErrorKind::Invalid => DiagnosticCode::BadTypeArgument,
        ArgumentErrorKind::Bounds => DiagnosticCode::BadBounds,
        ArgumentErrorKind::MissingRange => DiagnosticCode::MissingRange,
        ArgumentErrorKind::UnknownAttribute => DiagnosticCode::BadOption,
        ArgumentErrorKind::Overlap => DiagnosticCode::UnionOverlap,
        ArgumentErrorKind::Constraint => DiagnosticCode::BadConstraint,
    };
    let span = attribute.as_deref().and_then(|path| attribute_span(path, *kind, spec));
    Diagnostic::new(code, span.unwrap_or(term), message).help_if_some(help.as_ref())
}

fn attribute_span(path: &str, error: ArgumentErrorKind, spec: &TypeSpec) -> Option<Span> {
    if let Some((key, value)) = spec.attributes.iter().chain(&spec.parts).find(|(key, _)| key.value == path) {
        return Some(if error == ArgumentErrorKind::UnknownAttribute { key.span } else { value.span });
    }
    if let (Some(name), Some(fields)) = (path.strip_prefix(FIELDS_ATTRIBUTE), &spec.fields) {
        let field = fields.value.iter().find(|field| name.strip_prefix('.') == Some(field.key.value.as_str()));
        return Some(field.map_or(fields.span, |field| field.r#type.term.as_ref().unwrap_or(&field.key).span));
    }
    nested_type_spans(spec).into_iter().find(|(other, _)| other == path).map(|(_, span)| span)
}

fn term_span(term: &Spanned<String>, range: &Range<usize>) -> Span {
    if range.is_empty() && term.value.is_empty() { term.span } else { term.part(range.start, range.end) }
}
