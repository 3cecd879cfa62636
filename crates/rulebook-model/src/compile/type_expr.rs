//! Compiles types to checks, which validate values. A type consists of an expression, such as `string(1,20)`, and of
//! attributes.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::lowering::Lowering;
use super::schemas::SchemaLookup;
use crate::constraint::Constraint;
use crate::definition::keys::ancestors::{FOREIGN_TYPES, help_for_foreign_name};
use crate::definition::parsed::{Output, TypeSpec};
use crate::diagnostic::{Diagnostic, DiagnosticCode, closest_word};
use crate::span::{Span, Spanned};
use crate::types::{
    ArgumentError, ArgumentErrorKind, Check, CompiledTerm, ObjectField, TermError, TermErrorKind, Type, UncompiledTerm,
    names_in_attribute, names_in_term, remove_attributes_about_fields,
};

/// The sentence in the help for an unknown type that explains how a program adds types.
const CUSTOM_TYPES_HELP: &str = "programs add custom types with `Rulebook::add_type`";

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
        self.compile_type_with_fields(spec, owner, Inherited::default())
    }

    /// Compiles a type as [`Lowering::compile_type`] does. An object has the fields `inherited` before its other
    /// fields.
    pub(super) fn compile_type_with_fields(
        &mut self,
        spec: &TypeSpec,
        owner: TypeOwner<'_>,
        inherited: Inherited,
    ) -> Option<CompiledTerm> {
        let fields = match &spec.fields {
            None if inherited.fields.is_empty() => Some(None),
            None => Some(Some(inherited.fields)),
            Some(fields) => {
                let declared = self.lower_object_fields(&fields.value);
                declared.map(|declared| Some(inherited.fields.into_iter().chain(declared).collect()))
            }
        };
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
        let schemas = self.schemas_in_type(spec)?;
        let shared_key =
            (matches!(fields, Some(None)) && schemas.is_empty()).then(|| self.type_key(&term.value, &attributes));
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
            inherited_constraints: &inherited.constraints,
        });
        match compiled {
            Ok(compiled) => {
                if let Some(span) = late_span(spec) {
                    self.check_late(&compiled.check, span);
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

    /// Returns the schemas that a type refers to, by their names. Returns `None` if one of them has an error, which has
    /// been reported.
    fn schemas_in_type(&mut self, spec: &TypeSpec) -> Option<HashMap<String, Arc<dyn Check>>> {
        let mut found = HashMap::new();
        for name in names_in_type(spec) {
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

    fn report_type_error(&mut self, error: &TermError, term: &Spanned<String>, spec: &TypeSpec, owner: TypeOwner<'_>) {
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
                let help = match (help_for_foreign_name(FOREIGN_TYPES, name, exists), suggestion) {
                    (Some(help), _) => help.to_owned(),
                    (None, Some(suggestion)) => format!("did you mean `{suggestion}`? {CUSTOM_TYPES_HELP}"),
                    (None, None) => CUSTOM_TYPES_HELP.to_owned(),
                };
                Diagnostic::new(DiagnosticCode::UnknownType, span, format!("unknown type `{}`", name.escape_debug()))
                    .label("unknown type")
                    .help(help)
            }
            TermErrorKind::Argument(argument) => type_argument_diagnostic(argument, span, spec),
        };
        self.report(diagnostic);
    }
}

/// Returns the words in a type, without its fields, that can be names of types or schemas.
pub(super) fn names_in_type(spec: &TypeSpec) -> impl Iterator<Item = &str> {
    let attributes = spec.attributes.iter().chain(&spec.items).filter(|(key, _)| contains_types(&key.value));
    let in_attributes = attributes.flat_map(|(_, value)| names_in_attribute(&value.value));
    spec.term.iter().flat_map(|term| names_in_term(&term.value)).chain(in_attributes)
}

/// Returns `true` if an attribute contains types, in which schemas can be named. The path of an attribute of items
/// begins with `items.`.
fn contains_types(path: &str) -> bool {
    matches!(path.rsplit('.').next(), Some("of" | "keys"))
}

/// Returns the part of a type that has an error which is found only when all schemas are compiled.
fn late_span(spec: &TypeSpec) -> Option<Span> {
    let mut attributes = spec.attributes.iter().chain(&spec.items);
    attributes.find(|(key, _)| contains_types(&key.value)).map(|(_, value)| value.span)
}

/// Returns the diagnostic for an error that is found only when all schemas are compiled.
pub(super) fn late_diagnostic(error: &ArgumentError, span: Span) -> Diagnostic {
    type_argument_diagnostic(error, span, &TypeSpec::default())
}

/// Returns the diagnostic for an error in an argument or attribute of a type. `term` is the span of the erroneous part
/// of the type expression; it is used if the error is not in an attribute.
fn type_argument_diagnostic(error: &ArgumentError, term: Span, spec: &TypeSpec) -> Diagnostic {
    let ArgumentError { kind, attribute, message, help } = error;
    let code = match kind {
        ArgumentErrorKind::Invalid => DiagnosticCode::BadTypeArgument,
        ArgumentErrorKind::Bounds => DiagnosticCode::BadBounds,
        ArgumentErrorKind::MissingRange => DiagnosticCode::MissingRange,
        ArgumentErrorKind::UnknownAttribute => DiagnosticCode::BadOption,
        ArgumentErrorKind::Overlap => DiagnosticCode::UnionOverlap,
        ArgumentErrorKind::Constraint => DiagnosticCode::BadConstraint,
    };
    let span = attribute.as_deref().and_then(|name| {
        let (key, value) = spec.attributes.iter().chain(&spec.items).find(|(key, _)| key.value == name)?;
        Some(match kind {
            ArgumentErrorKind::UnknownAttribute => key.span,
            _ => value.span,
        })
    });
    let diagnostic = Diagnostic::new(code, span.unwrap_or(term), message);
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// Returns the span of the bytes `range` of a type expression.
fn term_span(term: &Spanned<String>, range: &Range<usize>) -> Span {
    if range.is_empty() && term.value.is_empty() { term.span } else { term.part(range.start, range.end) }
}
