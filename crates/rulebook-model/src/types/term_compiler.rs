//! The compiler of type terms, such as `array<int(1,5)>`, to checks.

use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::grammar::{self, BracketContent, OutermostLevel};
use super::nullable::nullable_check;
use super::table::{FIELDS_ATTRIBUTE, ITEMS_ATTRIBUTE, ObjectField, TermError, TermErrorKind, Types, UncompiledTerm};
use super::{ArgumentError, ArgumentErrorKind, Check, Type, TypeArgument, TypeArguments};
use crate::definition::keys::ancestors::help_for_foreign_format;

/// Compiles one term. Each call of [`compile_term`](Self::compile_term) compiles the outermost level of a term and
/// calls itself for the inner terms.
pub(super) struct TermCompiler<'a> {
    pub(super) types: &'a Types,
    pub(super) uncompiled: UncompiledTerm<'a>,
}

/// The attributes that apply to one level of a term, taken from the JSON object that contains the term.
pub(super) struct TermAttributes<'a> {
    pub(super) attributes: &'a Map<String, Json>,
    pub(super) fields: Option<&'a [ObjectField]>,
    /// The path of the attributes: empty, or `items.` for those of an array's items.
    pub(super) path: String,
}

impl<'a> TermAttributes<'a> {
    /// Returns the attributes that apply to the items of an array: `fields`, which is moved from the array to the
    /// items, and the content of `items`. `empty_map` must be an empty map, to which the result can refer.
    fn take_item_attributes<'b>(&mut self, empty_map: &'b Map<String, Json>) -> TermAttributes<'b>
    where
        'a: 'b,
    {
        let attributes = self.attributes.get(ITEMS_ATTRIBUTE).and_then(Json::as_object);
        TermAttributes {
            attributes: attributes.unwrap_or(empty_map),
            fields: self.fields.take(),
            path: format!("{}{ITEMS_ATTRIBUTE}.", self.path),
        }
    }
}

/// The check of a term, or all errors in the term.
pub(super) type CompileResult = Result<Arc<dyn Check>, Vec<TermError>>;

impl TermCompiler<'_> {
    /// Compiles the term at `span`. `depth` is the number of terms around this term.
    pub(super) fn compile_term(
        &self,
        span: Range<usize>,
        mut term_attributes: TermAttributes<'_>,
        depth: usize,
    ) -> CompileResult {
        let empty_map = Map::new();
        if span.is_empty() {
            return Err(single_error(span, TermErrorKind::Empty));
        }
        if depth >= grammar::MAX_TERM_DEPTH {
            let message = format!("types can be nested at most {} levels deep", grammar::MAX_TERM_DEPTH);
            return Err(single_error(span, TermErrorKind::Syntax(message)));
        }
        match grammar::parse_outermost_level(self.uncompiled.term, span.clone()).map_err(|error| vec![error])? {
            // The caller has removed the `?` before the whole term. Any other `?` is allowed only before the type of an
            // array's items.
            OutermostLevel::Nullable(_) if depth == 0 || self.uncompiled.term[..span.start].ends_with('?') => {
                let message = "`?` is allowed only once before a type".to_owned();
                Err(single_error(span.start..span.start + 1, TermErrorKind::Syntax(message)))
            }
            OutermostLevel::Nullable(inner) => {
                Ok(nullable_check(self.compile_term(inner, term_attributes, depth + 1)?))
            }
            OutermostLevel::Named(name, name_span, brackets) => {
                let type_name = self.resolve_alias(name, &brackets);
                let exact = self.types.find(type_name);
                if let Some(schema) = exact.is_none().then(|| (self.uncompiled.schemas)(name)).flatten() {
                    return self.check_schema_reference(name_span, &brackets, &term_attributes).map(|()| schema);
                }
                let ignoring_case =
                    || self.types.find_ignoring_case(type_name).filter(|_| self.uncompiled.ignores_type_case);
                let r#type = exact.or_else(ignoring_case);
                let positional = match brackets {
                    BracketContent::None => Ok(Vec::new()),
                    BracketContent::Term(inner) => {
                        let item =
                            self.compile_term(inner, term_attributes.take_item_attributes(&empty_map), depth + 1);
                        item.map(|item| vec![TypeArgument::Type(item)]).map_err(qualify_item_attributes)
                    }
                    // Only the type knows which of its arguments are types.
                    BracketContent::Arguments(spans) => {
                        r#type.map_or(Ok(Vec::new()), |r#type| self.compile_arguments(r#type, spans, depth))
                    }
                };
                let Some(r#type) = r#type else {
                    let mut errors = single_error(name_span, TermErrorKind::UnknownType(name.to_owned()));
                    errors.extend(positional.err().unwrap_or_default());
                    return Err(errors);
                };
                self.compile_type(r#type, name, span, &positional?, &term_attributes)
            }
        }
    }

    /// Checks that the reference to a schema at `name` has neither arguments nor attributes.
    fn check_schema_reference(
        &self,
        name: Range<usize>,
        brackets: &BracketContent,
        term_attributes: &TermAttributes<'_>,
    ) -> Result<(), Vec<TermError>> {
        let text = &self.uncompiled.term[name.clone()];
        let fields = term_attributes.fields.map(|_| FIELDS_ATTRIBUTE);
        let attribute = term_attributes.attributes.keys().map(String::as_str).chain(fields).next();
        let error = match (brackets, attribute) {
            (BracketContent::None, None) => return Ok(()),
            (BracketContent::None, Some(attribute)) => {
                let message = format!("the schema `{text}` has no attribute `{attribute}`");
                let error = ArgumentError::new(ArgumentErrorKind::UnknownAttribute, message).at(attribute);
                error.help("a schema has its attributes where `schemas` declares it")
            }
            _ => {
                let message = format!("the schema `{text}` has no arguments");
                ArgumentError::new(ArgumentErrorKind::Invalid, message).help(format!("write `{text}`"))
            }
        };
        Err(single_error(name, TermErrorKind::Argument(error)))
    }

    /// Compiles the arguments in the parentheses after the name of a type. `spans` are the ranges of the arguments.
    fn compile_arguments(
        &self,
        r#type: &dyn Type,
        spans: Vec<Range<usize>>,
        depth: usize,
    ) -> Result<Vec<TypeArgument>, Vec<TermError>> {
        let empty_map = Map::new();
        let mut arguments = Vec::with_capacity(spans.len());
        let mut errors = Vec::new();
        for (index, span) in spans.into_iter().enumerate() {
            let argument = if r#type.argument_is_type(index) {
                let none = TermAttributes { attributes: &empty_map, fields: None, path: String::new() };
                self.compile_term(span, none, depth + 1).map(TypeArgument::Type)
            } else {
                let word = grammar::parse_word(self.uncompiled.term, span);
                word.map(|word| TypeArgument::Word(word.to_owned())).map_err(|error| vec![error])
            };
            match argument {
                Ok(argument) => arguments.push(argument),
                Err(more) => errors.extend(more),
            }
        }
        if errors.is_empty() { Ok(arguments) } else { Err(errors) }
    }

    /// Returns the type name for which `name` is an alias in this dialect, or `name` itself if it is not an alias.
    fn resolve_alias<'n>(&'n self, name: &'n str, brackets: &BracketContent) -> &'n str {
        let is_alias = |(alias, _): &&(&str, &str)| *alias == name && !matches!(brackets, BracketContent::Term(_));
        self.uncompiled.aliases.iter().find(is_alias).map_or(name, |(_, type_name)| type_name)
    }

    /// Compiles a type with its arguments and attributes. `name` is the name that the term uses for the type.
    fn compile_type(
        &self,
        r#type: &dyn Type,
        name: &str,
        span: Range<usize>,
        positional: &[TypeArgument],
        term_attributes: &TermAttributes<'_>,
    ) -> CompileResult {
        let known = r#type.attributes();
        let fields = term_attributes.fields.map(|_| FIELDS_ATTRIBUTE);
        let attributes = term_attributes.attributes.keys().map(String::as_str).chain(fields);
        let unknown: Vec<_> = attributes
            .filter(|attribute| !known.contains(attribute))
            .map(|attribute| TermError {
                span: span.clone(),
                kind: TermErrorKind::Argument(unknown_attribute(name, attribute, known, term_attributes)),
            })
            .collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        r#type
            .compile(&TypeArguments {
                name,
                positional,
                attributes: term_attributes.attributes,
                fields: term_attributes.fields,
                inherited_constraints: self.uncompiled.inherited_constraints,
                has_missing_fields: self.uncompiled.has_missing_fields,
                timezone: self.uncompiled.timezone,
                functions: &self.types.functions,
                nested_types: self.uncompiled.nested_types,
                path: &term_attributes.path,
            })
            .map_err(|error| {
                let to_term_error = |error| TermError { span: span.clone(), kind: TermErrorKind::Argument(error) };
                error.into_all().into_iter().map(to_term_error).collect()
            })
    }
}

fn unknown_attribute(
    name: &str,
    attribute: &str,
    known: &[&str],
    term_attributes: &TermAttributes<'_>,
) -> ArgumentError {
    let message = format!("the type `{name}` has no attribute `{attribute}`");
    let error = ArgumentError::new(ArgumentErrorKind::UnknownAttribute, message).at(attribute);
    let value = term_attributes.attributes.get(attribute).and_then(Json::as_str);
    let format = value.filter(|_| attribute == "format").and_then(help_for_foreign_format);
    error.help(match format {
        Some(help) => help,
        None if known.is_empty() => format!("`{name}` has no attributes"),
        None => format!("the attributes of `{name}` are `{}`", known.join("`, `")),
    })
}

/// Adds the prefix `items.` to the attributes that errors of an array's items name, so that the errors name the path
/// from the array to the attribute.
fn qualify_item_attributes(mut errors: Vec<TermError>) -> Vec<TermError> {
    for error in &mut errors {
        if let TermErrorKind::Argument(ArgumentError { attribute: Some(attribute), .. }) = &mut error.kind
            && attribute.split('.').next() != Some(FIELDS_ATTRIBUTE)
        {
            *attribute = format!("{ITEMS_ATTRIBUTE}.{attribute}");
        }
    }
    errors
}

pub(super) fn single_error(span: Range<usize>, kind: TermErrorKind) -> Vec<TermError> {
    vec![TermError { span, kind }]
}
