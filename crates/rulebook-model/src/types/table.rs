//! The table of the types that a definition can name.

use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::after_attribute::AFTER_ATTRIBUTE;
use super::grammar::{self, BracketContent, GrammarError, OutermostLevel};
use super::nullable::nullable_check;
use super::{ArgumentError, ArgumentErrorKind, Check, Functions, Type, TypeArgument, TypeArguments, builtin};

/// The name of the attribute of an array that contains the attributes of the array's items.
pub(super) const ITEMS_ATTRIBUTE: &str = "items";

/// The table of the types that terms can name, and of the functions that attributes can name.
#[derive(Clone, Default)]
pub struct Types {
    types: Vec<Arc<dyn Type>>,
    functions: Functions,
}

/// A term as the definition writes it, with the attributes and settings that determine its meaning.
#[derive(Debug)]
pub struct TermText<'a> {
    /// The text of the term, such as `?array<varchar(1,20)>`.
    pub term: &'a str,
    /// The attributes that the definition writes next to the term, without the attribute `fields`.
    pub attributes: &'a Map<String, Json>,
    /// The compiled members of the attribute `fields`, or `None` if the definition does not have this attribute.
    pub fields: Option<Vec<ObjectField>>,
    /// The aliases for type names in the dialect of the definition, as pairs of an alias and a type name. An alias
    /// takes precedence over a type of the same name, unless `<…>` follows the alias.
    pub aliases: &'a [(&'a str, &'a str)],
    /// If `true`, a type name that does not match exactly is compared with the known names without regard to ASCII
    /// case.
    pub ignore_case: bool,
    /// The time zone that applies to dates and times without an offset.
    pub timezone: &'a jiff::tz::TimeZone,
}

/// A member of an object type, which the attribute `fields` defines.
#[derive(Debug, Clone)]
pub struct ObjectField {
    /// The name of the member in the JSON object.
    pub name: String,
    /// The description that the definition gives for the member.
    pub info: String,
    /// If `true`, the member may be missing or null.
    pub optional: bool,
    /// The check that validates the member's value.
    pub check: Arc<dyn Check>,
    /// The example value that the definition gives for the member, or `None`.
    pub example: Option<Json>,
}

/// The result of compiling a term.
#[derive(Debug, Clone)]
pub struct CompiledTerm {
    /// `true` if the term begins with `?`.
    pub optional: bool,
    /// The check of the type that follows the `?`.
    pub check: Arc<dyn Check>,
}

/// An error in a term, or in the attributes next to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermError {
    /// The byte range of the invalid part of the term.
    pub span: Range<usize>,
    /// The kind of error, which determines the code of the diagnostic.
    pub kind: TermErrorKind,
}

/// The kinds of [`TermError`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TermErrorKind {
    /// The term, or a type within it, is empty (`missing-type`).
    Empty,
    /// The term does not follow the grammar (`unknown-type`). The text is the error message.
    Syntax(String),
    /// No type has the name in this text (`unknown-type`).
    UnknownType(String),
    /// The type does not accept an argument or an attribute.
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
            types: builtin::BUILTIN_TYPES.iter().map(|row| Arc::new(row) as Arc<dyn Type>).collect(),
            functions: Functions::default(),
        }
    }

    /// Adds a type. If the table has a type with the same name, the new type replaces it.
    pub fn add(&mut self, new: Arc<dyn Type>) {
        self.types.retain(|old| old.name() != new.name());
        self.types.push(new);
    }

    /// Sets the functions that definitions can name in the attributes `after` and `callback`.
    #[must_use]
    pub fn with_functions(mut self, functions: Functions) -> Self {
        self.functions = functions;
        self
    }

    /// Returns all types of this table.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Type> {
        self.types.iter().map(AsRef::as_ref)
    }

    /// Compiles a term with its attributes to a check.
    ///
    /// A `?` before the whole term sets [`CompiledTerm::optional`]. A `?` before the type of an array's items makes
    /// null a valid item. Attributes apply to the outermost type, with two exceptions: in an array, the attribute
    /// `fields` and the content of the attribute `items` apply to the items. The attribute `after` names functions that
    /// are called with the checked value. Every type except files has this attribute.
    ///
    /// # Errors
    /// Returns every error in the term and its attributes.
    pub fn compile(&self, text: TermText<'_>) -> Result<CompiledTerm, Vec<TermError>> {
        let TermText { term, attributes, fields, aliases, ignore_case, timezone } = text;
        let optional = term.starts_with('?');
        let compiler = Compiler { types: self, text: term, aliases, ignore_case, timezone };
        let term_attributes = TermAttributes { attributes, fields: fields.as_deref() };
        let span = usize::from(optional)..term.len();
        let Some(after) = attributes.get(AFTER_ATTRIBUTE) else {
            return Ok(CompiledTerm { optional, check: compiler.compile_term(span, term_attributes, 0)? });
        };
        let mut without_after = attributes.clone();
        without_after.remove(AFTER_ATTRIBUTE);
        let check =
            compiler.compile_term(span.clone(), TermAttributes { attributes: &without_after, ..term_attributes }, 0)?;
        let check = super::after_attribute::with_after_functions(check, after, &self.functions);
        Ok(CompiledTerm { optional, check: check.map_err(|error| single_error(span, TermErrorKind::Argument(error)))? })
    }

    fn find(&self, name: &str) -> Option<&dyn Type> {
        self.iter().find(|known| known.name() == name)
    }

    /// Returns the type whose name equals `name` without regard to ASCII case. If several types match, returns the type
    /// that was added last.
    fn find_ignoring_case(&self, name: &str) -> Option<&dyn Type> {
        self.types.iter().rev().find(|known| known.name().eq_ignore_ascii_case(name)).map(AsRef::as_ref)
    }
}

impl std::fmt::Debug for Types {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(Type::name)).finish()
    }
}

/// Compiles one term. Each call of [`compile_term`](Self::compile_term) compiles the outermost level of a term and
/// calls itself for the inner terms.
struct Compiler<'a> {
    types: &'a Types,
    text: &'a str,
    aliases: &'a [(&'a str, &'a str)],
    ignore_case: bool,
    timezone: &'a jiff::tz::TimeZone,
}

/// The attributes that apply to one level of a term, taken from the JSON object that contains the term.
struct TermAttributes<'a> {
    attributes: &'a Map<String, Json>,
    fields: Option<&'a [ObjectField]>,
}

impl<'a> TermAttributes<'a> {
    /// Returns the attributes that apply to the items of an array: `fields`, which is moved from the array to the
    /// items, and the content of `items`. `empty_map` must be an empty map, to which the result can refer.
    fn take_item_attributes<'b>(&mut self, empty_map: &'b Map<String, Json>) -> TermAttributes<'b>
    where
        'a: 'b,
    {
        let attributes = self.attributes.get(ITEMS_ATTRIBUTE).and_then(Json::as_object);
        TermAttributes { attributes: attributes.unwrap_or(empty_map), fields: self.fields.take() }
    }
}

type CompileResult = Result<Arc<dyn Check>, Vec<TermError>>;

impl Compiler<'_> {
    /// Compiles the term at `span`. `depth` is the number of terms around this term.
    fn compile_term(&self, span: Range<usize>, mut term_attributes: TermAttributes<'_>, depth: usize) -> CompileResult {
        let empty_map = Map::new();
        if span.is_empty() {
            return Err(single_error(span, TermErrorKind::Empty));
        }
        if depth >= grammar::MAX_TERM_DEPTH {
            let message = format!("types can be nested at most {} levels deep", grammar::MAX_TERM_DEPTH);
            return Err(single_error(span, TermErrorKind::Syntax(message)));
        }
        match grammar::parse_outermost_level(self.text, span.clone()).map_err(syntax_error)? {
            // The caller has removed the `?` before the whole term. Any other `?` is allowed only before the type of an
            // array's items.
            OutermostLevel::Nullable(_) if depth == 0 || self.text[..span.start].ends_with('?') => {
                let message = "`?` is allowed only once before a type".to_owned();
                Err(single_error(span.start..span.start + 1, TermErrorKind::Syntax(message)))
            }
            OutermostLevel::Nullable(inner) => Ok(nullable_check(self.compile_term(inner, term_attributes, depth + 1)?)),
            OutermostLevel::Array(inner) => {
                let item = self
                    .compile_term(inner, term_attributes.take_item_attributes(&empty_map), depth + 1)
                    .map_err(qualify_items)?;
                match self.types.find("array") {
                    Some(array) => {
                        self.compile_type(array, "array", span, &[TypeArgument::Type(item)], &term_attributes)
                    }
                    None => Err(single_error(span, TermErrorKind::UnknownType("array".to_owned()))),
                }
            }
            OutermostLevel::Named(name, brackets) => {
                let type_name = self.resolve_alias(&self.text[name.clone()], &brackets);
                let ignoring_case = || self.types.find_ignoring_case(type_name).filter(|_| self.ignore_case);
                let r#type = self.types.find(type_name).or_else(ignoring_case);
                let positional = match brackets {
                    BracketContent::None => Ok(Vec::new()),
                    BracketContent::Term(inner) => {
                        let item = self.compile_term(inner, term_attributes.take_item_attributes(&empty_map), depth + 1);
                        item.map(|item| vec![TypeArgument::Type(item)]).map_err(qualify_items)
                    }
                    // Only the type knows which of its arguments are types.
                    BracketContent::Arguments(spans) => {
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
                let term_attributes = TermAttributes { attributes: &empty_map, fields: None };
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

    /// Returns the type name for which `name` is an alias in this dialect, or `name` itself if it is not an alias.
    fn resolve_alias<'n>(&'n self, name: &'n str, brackets: &BracketContent) -> &'n str {
        let is_alias = |(alias, _): &&(&str, &str)| *alias == name && !matches!(brackets, BracketContent::Term(_));
        self.aliases.iter().find(is_alias).map_or(name, |(_, type_name)| type_name)
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

/// Adds the prefix `items.` to the attributes that errors of an array's items name, so that the errors name the path
/// from the array to the attribute.
fn qualify_items(mut errors: Vec<TermError>) -> Vec<TermError> {
    for error in &mut errors {
        if let TermErrorKind::Argument(ArgumentError { attribute: Some(attribute), .. }) = &mut error.kind
            && attribute != "fields"
        {
            *attribute = format!("{ITEMS_ATTRIBUTE}.{attribute}");
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
