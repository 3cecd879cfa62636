//! Reports the errors in types, each with the span of the erroneous part of the definition.

use std::ops::Range;

use super::lowering::Lowering;
use super::type_expr::TypeOwner;
use crate::definition::keys::ancestors::{FOREIGN_TYPES, help_for_foreign_name};
use crate::definition::parsed::{NestedType, TypeSpec};
use crate::diagnostic::{Diagnostic, DiagnosticCode, closest_word};
use crate::span::{Span, Spanned};
use crate::types::{
    ArgumentError, ArgumentErrorKind, FIELDS_ATTRIBUTE, TermError, TermErrorKind, Type, nested_type_path,
};

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
    let diagnostic = Diagnostic::new(code, span.unwrap_or(term), message);
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
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
