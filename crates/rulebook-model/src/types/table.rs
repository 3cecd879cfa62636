//! The types that a definition can name, and the compiler of type terms.

use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::after::AFTER;
use super::grammar::{self, Brackets, GrammarError, Level};
use super::nullable::nullable;
use super::{ArgumentError, ArgumentErrorKind, Check, Functions, Type, TypeArgument, TypeArguments, builtin};

/// The attribute of an array that holds the attributes of its items.
pub(super) const ITEMS: &str = "items";

/// The types that terms can name.
#[derive(Clone, Default)]
pub struct Types {
    types: Vec<Arc<dyn Type>>,
    functions: Functions,
}

/// A term of a definition, with the attributes and settings that determine its meaning.
#[derive(Debug)]
pub struct TermText<'a> {
    /// The term: `?array<varchar(1,20)>`.
    pub term: &'a str,
    /// The attributes of the definition, without `fields`.
    pub attributes: &'a Map<String, Json>,
    /// The compiled members of the attribute `fields`, if the definition has it.
    pub fields: Option<Vec<ObjectField>>,
    /// Aliases of the dialect for type names, as pairs of alias and name. An alias takes precedence over a type of the
    /// same name, unless `<…>` follows it.
    pub aliases: &'a [(&'a str, &'a str)],
    /// If `true`, a type name that does not match exactly is compared without regard to ASCII case.
    pub ignore_case: bool,
    /// The time zone of dates and times without an offset.
    pub timezone: &'a jiff::tz::TimeZone,
}

/// A member of an object type.
#[derive(Debug, Clone)]
pub struct ObjectField {
    /// The name of the member.
    pub name: String,
    /// The description of the member in the definition.
    pub info: String,
    /// If `true`, the member may be missing or null.
    pub optional: bool,
    /// The check of the member's value.
    pub check: Arc<dyn Check>,
    /// The example value in the definition.
    pub example: Option<Json>,
}

/// A compiled term.
#[derive(Debug, Clone)]
pub struct CompiledTerm {
    /// `true` if the term begins with `?`.
    pub optional: bool,
    /// The check of the term without the `?`.
    pub check: Arc<dyn Check>,
}

/// An error in a term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermError {
    /// The invalid part of the term, as a byte range.
    pub span: Range<usize>,
    /// The kind of error.
    pub kind: TermErrorKind,
}

/// The kinds of [`TermError`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TermErrorKind {
    /// The type is missing (`missing-type`).
    Empty,
    /// The term does not follow the grammar (`unknown-type`). The text describes the error.
    Syntax(String),
    /// No type has this name (`unknown-type`).
    UnknownType(String),
    /// The type does not accept the arguments or attributes.
    Argument(ArgumentError),
}

impl Types {
    /// Creates a table without types.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Creates a table with the built-in types.
    #[must_use]
    pub fn builtin() -> Self {
        Self {
            types: builtin::TABLE.iter().map(|row| Arc::new(row) as Arc<dyn Type>).collect(),
            functions: Functions::default(),
        }
    }

    /// Adds a type. It replaces a type with the same name.
    pub fn add(&mut self, new: Arc<dyn Type>) {
        self.types.retain(|old| old.name() != new.name());
        self.types.push(new);
    }

    /// Sets the functions that definitions can name.
    #[must_use]
    pub fn with_functions(mut self, functions: Functions) -> Self {
        self.functions = functions;
        self
    }

    /// Returns all types of the table.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Type> {
        self.types.iter().map(AsRef::as_ref)
    }

    /// Compiles a term.
    ///
    /// A `?` before the whole term sets [`CompiledTerm::optional`]; a `?` before the type of items makes null a valid
    /// item. Attributes apply to the outermost type. In an array, `fields` and the content of `items` apply to the
    /// items instead. The attribute `after` names functions that are called with the checked value; every type has this
    /// attribute, except files.
    ///
    /// # Errors
    /// Returns every error in the term and its attributes.
    pub fn compile(&self, text: TermText<'_>) -> Result<CompiledTerm, Vec<TermError>> {
        let TermText { term, attributes, fields, aliases, ignore_case, timezone } = text;
        let optional = term.starts_with('?');
        let compiler = Compiler { types: self, text: term, aliases, ignore_case, timezone };
        let term_attributes = TermAttributes { attributes, fields: fields.as_deref() };
        let span = usize::from(optional)..term.len();
        let Some(after) = attributes.get(AFTER) else {
            return Ok(CompiledTerm { optional, check: compiler.compile_term(span, term_attributes, 0)? });
        };
        let mut without_after = attributes.clone();
        without_after.remove(AFTER);
        let check =
            compiler.compile_term(span.clone(), TermAttributes { attributes: &without_after, ..term_attributes }, 0)?;
        let check = super::after::with_after_functions(check, after, &self.functions);
        Ok(CompiledTerm { optional, check: check.map_err(|error| single_error(span, TermErrorKind::Argument(error)))? })
    }

    fn find(&self, name: &str) -> Option<&dyn Type> {
        self.iter().find(|known| known.name() == name)
    }

    /// Returns the type with this name, ignoring ASCII case. If several types match, the one that was added last.
    fn find_ignoring_case(&self, name: &str) -> Option<&dyn Type> {
        self.types.iter().rev().find(|known| known.name().eq_ignore_ascii_case(name)).map(AsRef::as_ref)
    }
}

impl std::fmt::Debug for Types {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(Type::name)).finish()
    }
}

/// Compiles the levels of one term recursively.
struct Compiler<'a> {
    types: &'a Types,
    text: &'a str,
    aliases: &'a [(&'a str, &'a str)],
    ignore_case: bool,
    timezone: &'a jiff::tz::TimeZone,
}

/// The attributes in the JSON object of the definition that apply to a term.
struct TermAttributes<'a> {
    attributes: &'a Map<String, Json>,
    fields: Option<&'a [ObjectField]>,
}

impl<'a> TermAttributes<'a> {
    /// Returns the attributes that apply to the items of an array: `fields`, which is moved from the array to the
    /// items, and the content of `items`. `empty` is an empty map.
    fn take_item_attributes<'b>(&mut self, empty: &'b Map<String, Json>) -> TermAttributes<'b>
    where
        'a: 'b,
    {
        let attributes = self.attributes.get(ITEMS).and_then(Json::as_object);
        TermAttributes { attributes: attributes.unwrap_or(empty), fields: self.fields.take() }
    }
}

type CompileResult = Result<Arc<dyn Check>, Vec<TermError>>;

impl Compiler<'_> {
    /// Compiles the term at `span`.
    fn compile_term(&self, span: Range<usize>, mut term_attributes: TermAttributes<'_>, depth: usize) -> CompileResult {
        let empty = Map::new();
        if span.is_empty() {
            return Err(single_error(span, TermErrorKind::Empty));
        }
        if depth >= grammar::MAX_DEPTH {
            let message = format!("types can be nested at most {} levels deep", grammar::MAX_DEPTH);
            return Err(single_error(span, TermErrorKind::Syntax(message)));
        }
        match grammar::split_term(self.text, span.clone()).map_err(syntax_error)? {
            // The caller has removed the `?` before the whole term; any other `?` is allowed only before the type of
            // items.
            Level::Nullable(_) if depth == 0 || self.text[..span.start].ends_with('?') => {
                let message = "`?` is allowed only once before a type".to_owned();
                Err(single_error(span.start..span.start + 1, TermErrorKind::Syntax(message)))
            }
            Level::Nullable(inner) => Ok(nullable(self.compile_term(inner, term_attributes, depth + 1)?)),
            Level::List(inner) => {
                let item = self
                    .compile_term(inner, term_attributes.take_item_attributes(&empty), depth + 1)
                    .map_err(qualify_items)?;
                match self.types.find("array") {
                    Some(array) => {
                        self.compile_type(array, "array", span, &[TypeArgument::Type(item)], &term_attributes)
                    }
                    None => Err(single_error(span, TermErrorKind::UnknownType("array".to_owned()))),
                }
            }
            Level::Named(name, brackets) => {
                let type_name = self.resolve_alias(&self.text[name.clone()], &brackets);
                let ignoring_case = || self.types.find_ignoring_case(type_name).filter(|_| self.ignore_case);
                let r#type = self.types.find(type_name).or_else(ignoring_case);
                let positional = match brackets {
                    Brackets::None => Ok(Vec::new()),
                    Brackets::Term(inner) => {
                        let item = self.compile_term(inner, term_attributes.take_item_attributes(&empty), depth + 1);
                        item.map(|item| vec![TypeArgument::Type(item)]).map_err(qualify_items)
                    }
                    // Only the type knows which of its arguments are types.
                    Brackets::Arguments(spans) => {
                        r#type.map_or(Ok(Vec::new()), |r#type| self.compile_arguments(r#type, spans, depth))
                    }
                };
                let Some(r#type) = r#type else {
                    let mut errors = single_error(name.clone(), TermErrorKind::UnknownType(self.text[name].to_owned()));
                    errors.extend(positional.err().unwrap_or_default());
                    return Err(errors);
                };
                self.compile_type(r#type, &self.text[name], span, &positional?, &term_attributes)
            }
        }
    }

    /// Compiles the arguments in parentheses after the name of a type.
    fn compile_arguments(
        &self,
        r#type: &dyn Type,
        spans: Vec<Range<usize>>,
        depth: usize,
    ) -> Result<Vec<TypeArgument>, Vec<TermError>> {
        let empty = Map::new();
        let mut arguments = Vec::with_capacity(spans.len());
        let mut errors = Vec::new();
        for (index, span) in spans.into_iter().enumerate() {
            let argument = if r#type.argument_is_type(index) {
                let term_attributes = TermAttributes { attributes: &empty, fields: None };
                self.compile_term(span, term_attributes, depth + 1).map(TypeArgument::Type)
            } else {
                let word = grammar::parse_word(self.text, span);
                word.map(|word| TypeArgument::Word(word.to_owned())).map_err(syntax_error)
            };
            match argument {
                Ok(argument) => arguments.push(argument),
                Err(more) => errors.extend(more),
            }
        }
        if errors.is_empty() { Ok(arguments) } else { Err(errors) }
    }

    /// Returns the type name that `name` is an alias of, or `name` itself.
    fn resolve_alias<'n>(&'n self, name: &'n str, brackets: &Brackets) -> &'n str {
        let is_alias = |(alias, _): &&(&str, &str)| *alias == name && !matches!(brackets, Brackets::Term(_));
        self.aliases.iter().find(is_alias).map_or(name, |(_, type_name)| type_name)
    }

    /// Compiles a type with its arguments and attributes. `name` is the name in the term.
    fn compile_type(
        &self,
        r#type: &dyn Type,
        name: &str,
        span: Range<usize>,
        positional: &[TypeArgument],
        term_attributes: &TermAttributes<'_>,
    ) -> CompileResult {
        let known = r#type.attributes();
        let fields = term_attributes.fields.map(|_| "fields");
        let attributes = term_attributes.attributes.keys().map(String::as_str).chain(fields);
        let unknown: Vec<_> = attributes
            .filter(|attribute| !known.contains(attribute))
            .map(|attribute| TermError {
                span: span.clone(),
                kind: TermErrorKind::Argument(unknown_attribute(name, attribute, known)),
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
                timezone: self.timezone,
                functions: &self.types.functions,
            })
            .map_err(|error| single_error(span, TermErrorKind::Argument(error)))
    }
}

fn unknown_attribute(name: &str, attribute: &str, known: &[&str]) -> ArgumentError {
    let message = format!("the type `{name}` has no attribute `{attribute}`");
    let error = ArgumentError::new(ArgumentErrorKind::UnknownAttribute, message).at(attribute);
    if known.is_empty() {
        error.help(format!("`{name}` has no attributes"))
    } else {
        error.help(format!("the attributes of `{name}` are `{}`", known.join("`, `")))
    }
}

/// Adds the prefix `items.` to the attributes in errors about items, so that they name the path from the array.
fn qualify_items(mut errors: Vec<TermError>) -> Vec<TermError> {
    for error in &mut errors {
        if let TermErrorKind::Argument(ArgumentError { attribute: Some(attribute), .. }) = &mut error.kind
            && attribute != "fields"
        {
            *attribute = format!("{ITEMS}.{attribute}");
        }
    }
    errors
}

fn single_error(span: Range<usize>, kind: TermErrorKind) -> Vec<TermError> {
    vec![TermError { span, kind }]
}

fn syntax_error(error: GrammarError) -> Vec<TermError> {
    single_error(error.span, TermErrorKind::Syntax(error.message))
}
