//! Compiles type terms, such as `array<int(1,5)>`, to checks, and parses them.
//!
//! The parser parses only the outermost level of a term: `array` and its bracket in `array<int(1,5)>`. The compiler of
//! terms calls the parser again for each inner term.
//!
//! ```text
//! term      = "?" term | "[]" term | name | name "(" argument *("," [" "] argument) ")" | name "<" term ">"
//! name      = (letter | "_") *(letter | digit | "_" | "-")
//! argument  = term | word
//! word      = 1*<any character except white space, control characters, ( ) < > and ,>
//! ```
//!
//! Only the type that a term names knows which of its arguments are terms, so [`parse_outermost_level`] does not parse
//! the arguments.

use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::nullable::nullable_check;
use super::table::{FIELDS_ATTRIBUTE, ITEMS_ATTRIBUTE, ObjectField, Types, UncompiledTerm};
use super::{ArgumentError, ArgumentErrorKind, Check, TermError, TermErrorKind, Type, TypeArgument, TypeArguments};
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

type CompileResult = Result<Arc<dyn Check>, Vec<TermError>>;

impl TermCompiler<'_> {
    /// `depth` is the number of terms around this term.
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
        if depth >= MAX_TERM_DEPTH {
            let message = format!("types can be nested at most {MAX_TERM_DEPTH} levels deep");
            return Err(single_error(span, TermErrorKind::Syntax(message)));
        }
        match parse_outermost_level(self.uncompiled.term, span.clone()).map_err(|error| vec![error])? {
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
                let word = parse_word(self.uncompiled.term, span);
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

/// Adds the prefix `items.` to the names of attributes in the errors of an array's items. An error then names the path
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

/// The maximum nesting depth of terms, which limits the recursion of the compiler.
const MAX_TERM_DEPTH: usize = 32;

fn syntax_error(span: Range<usize>, message: &str) -> TermError {
    TermError { span, kind: TermErrorKind::Syntax(message.to_owned()) }
}

/// The outermost level of a term. The ranges are byte ranges in the whole text of the definition's term.
#[derive(Debug, PartialEq)]
enum OutermostLevel<'t> {
    /// The term is `?T`, a nullable type. The range is that of `T`, without the `?`.
    Nullable(Range<usize>),
    /// The term begins with the name of a type in this range, which can be followed by brackets. `[]T` is
    /// `array<T>`.
    Named(&'t str, Range<usize>, BracketContent),
}

#[derive(Debug, PartialEq)]
enum BracketContent {
    None,
    Arguments(Vec<Range<usize>>),
    Term(Range<usize>),
}

/// Parses the outermost level of the term at `span`, which must not be empty.
fn parse_outermost_level(text: &str, span: Range<usize>) -> Result<OutermostLevel<'_>, TermError> {
    let term = &text[span.clone()];
    if term.starts_with('?') {
        return Ok(OutermostLevel::Nullable(span.start + 1..span.end));
    }
    if term.starts_with("[]") {
        let item = span.start + 2..span.end;
        return Ok(OutermostLevel::Named("array", span, BracketContent::Term(item)));
    }
    let length = term.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(term.len());
    let name = span.start..span.start + length;
    if length == 0 || term.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return Err(syntax_error(char_span(text, span.start), "a type must begin with its name"));
    }
    let open = name.end;
    let content = match text[open..span.end].chars().next() {
        None => return Ok(OutermostLevel::Named(&text[name.clone()], name, BracketContent::None)),
        Some('(' | '<') => open + 1..closing_bracket(text, open, span.end)?,
        Some(' ') => {
            return Err(syntax_error(char_span(text, open), "a space is allowed only after a comma"));
        }
        Some(_) => {
            let message = "the name of a type can be followed only by `(…)` or `<…>`";
            return Err(syntax_error(char_span(text, open), message));
        }
    };
    if content.end + 1 < span.end {
        return Err(syntax_error(content.end + 1..span.end, "nothing is allowed after the closing bracket"));
    }
    if content.is_empty() {
        return Err(syntax_error(open..content.end + 1, "the brackets are empty"));
    }
    let brackets = if text[open..].starts_with('<') {
        BracketContent::Term(content)
    } else {
        BracketContent::Arguments(split_arguments(text, content)?)
    };
    Ok(OutermostLevel::Named(&text[name.clone()], name, brackets))
}

/// Returns the word at `span`, which must not be empty. Fails if the word contains brackets or white space.
fn parse_word(text: &str, span: Range<usize>) -> Result<&str, TermError> {
    let word = &text[span.clone()];
    match word.find(|c: char| matches!(c, '(' | ')' | '<' | '>') || c.is_whitespace() || c.is_control()) {
        Some(at) => Err(syntax_error(
            char_span(text, span.start + at),
            "a word in a term cannot contain brackets or white space; write such words in an attribute",
        )),
        None => Ok(word),
    }
}

/// Returns the byte position of the bracket that closes the bracket at `open`. The search stops at `end`.
fn closing_bracket(text: &str, open: usize, end: usize) -> Result<usize, TermError> {
    let mut expected = Vec::new();
    for (offset, byte) in text[open..end].bytes().enumerate() {
        match byte {
            b'(' => expected.push(b')'),
            b'<' => expected.push(b'>'),
            b')' | b'>' => {
                if expected.pop() != Some(byte) {
                    let at = open + offset;
                    return Err(syntax_error(at..at + 1, "this closing bracket has no matching opening bracket"));
                }
                if expected.is_empty() {
                    return Ok(open + offset);
                }
            }
            _ => {}
        }
    }
    Err(syntax_error(open..open + 1, "this bracket is not closed"))
}

/// Commas within inner brackets do not count.
fn split_arguments(text: &str, content: Range<usize>) -> Result<Vec<Range<usize>>, TermError> {
    let mut arguments = Vec::new();
    let mut depth = 0_usize;
    let mut start = content.start;
    for (offset, byte) in text[content.clone()].bytes().enumerate() {
        let at = content.start + offset;
        match byte {
            b'(' | b'<' => depth += 1,
            b')' | b'>' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                arguments.push(start..at);
                // The grammar allows one space after a comma.
                start = if text[at + 1..content.end].starts_with(' ') { at + 2 } else { at + 1 };
            }
            _ => {}
        }
    }
    arguments.push(start..content.end);
    match arguments.iter().find(|argument| argument.is_empty()) {
        Some(empty) => {
            Err(syntax_error(empty.start.saturating_sub(1)..empty.start, "an argument is missing after this"))
        }
        None => Ok(arguments),
    }
}

/// Returns the span of the character at the byte position `at`, or an empty span at the end of the text.
fn char_span(text: &str, at: usize) -> Range<usize> {
    at..at + text[at..].chars().next().map_or(0, char::len_utf8)
}

/// Returns the names in a term that can be names of types or schemas. The words of types such as `enum(a|b)` are not
/// names: `is_term_argument` returns for the name of a type, and for the index of an argument in the parentheses after
/// it, whether this argument is a term.
pub(crate) fn names_in_term<'t>(term: &'t str, is_term_argument: &dyn Fn(&str, usize) -> bool) -> Vec<&'t str> {
    let mut names = Vec::new();
    let start = usize::from(term.starts_with('?'));
    add_names(term, start..term.len(), 0, is_term_argument, &mut names);
    names
}

/// Adds the names in the term at `span` to `names`. A term with a syntax error has no further names. `depth` is the
/// number of terms around this term.
fn add_names<'t>(
    text: &'t str,
    span: Range<usize>,
    depth: usize,
    is_term_argument: &dyn Fn(&str, usize) -> bool,
    names: &mut Vec<&'t str>,
) {
    if span.is_empty() || depth >= MAX_TERM_DEPTH {
        return;
    }
    match parse_outermost_level(text, span) {
        Err(_) => {}
        Ok(OutermostLevel::Nullable(inner)) => add_names(text, inner, depth + 1, is_term_argument, names),
        Ok(OutermostLevel::Named(name, _, brackets)) => {
            names.push(name);
            match brackets {
                BracketContent::None => {}
                BracketContent::Term(inner) => add_names(text, inner, depth + 1, is_term_argument, names),
                BracketContent::Arguments(spans) => {
                    let terms = spans.into_iter().enumerate().filter(|(index, _)| is_term_argument(name, *index));
                    terms.for_each(|(_, span)| add_names(text, span, depth + 1, is_term_argument, names));
                }
            }
        }
    }
}

/// Returns the names in a type, without its fields, that can be names of types or schemas. The type is in the canonical
/// notation.
#[cfg(feature = "documents")]
pub(super) fn names_in_type<'t>(term: &'t str, attributes: &'t Map<String, Json>) -> Vec<&'t str> {
    let mut names = names_in_term(term, &super::table::is_term_argument);
    let items = attributes.get(super::table::ITEMS_ATTRIBUTE).and_then(Json::as_object);
    names.extend(items.into_iter().flat_map(|items| names_in_type("", items)));
    let of: Vec<&Json> = match attributes.get(super::union::OF_ATTRIBUTE) {
        Some(Json::Array(types)) => types.iter().collect(),
        Some(Json::Object(types)) => types.values().collect(),
        _ => Vec::new(),
    };
    for nested in of.into_iter().chain(attributes.get(super::map::KEYS_ATTRIBUTE)) {
        match nested {
            Json::String(term) => names.extend(names_in_term(term, &super::table::is_term_argument)),
            Json::Object(members) => {
                names.extend(names_in_type(members.get("type").and_then(Json::as_str).unwrap_or_default(), members));
            }
            _ => {}
        }
    }
    names
}
