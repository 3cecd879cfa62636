//! The table of all types, and the way from a term to a check.

use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::after::AFTER;
use super::grammar::{self, Inside, Level};
use super::nullable::nullable;
use super::{Argument, ArgumentError, ArgumentErrorKind, Arguments, Check, Functions, Type, builtin};

/// The attribute that holds those of items.
pub(super) const ITEMS: &str = "items";

/// The types that terms can name.
#[derive(Clone, Default)]
pub struct Types {
    types: Vec<Arc<dyn Type>>,
    functions: Functions,
}

/// A term with all that stands beside it.
#[derive(Debug)]
pub struct TermText<'a> {
    /// The term: `?array<varchar(1,20)>`.
    pub term: &'a str,
    /// The attributes beside it, `fields` left out.
    pub attributes: &'a Map<String, Json>,
    /// The compiled members of an object, where `fields` is written.
    pub fields: Option<Vec<Field>>,
    /// Words of its author's for types, each with the name of the type that it stands for where no `<…>` is behind it.
    /// They come before the names of types.
    pub words: &'a [(&'a str, &'a str)],
    /// Whether the names of types compare without regard to case where none is written so.
    pub any_case: bool,
    /// The zone of dates and times that name none.
    pub timezone: &'a jiff::tz::TimeZone,
}

/// A member of an object type.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it is.
    pub info: String,
    /// Whether it may be missing or null.
    pub optional: bool,
    /// What it takes.
    pub check: Arc<dyn Check>,
    /// A value that shows it.
    pub example: Option<Json>,
}

/// A compiled term.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// Whether the term begins with `?`.
    pub optional: bool,
    /// The check of what stands behind it.
    pub check: Arc<dyn Check>,
}

/// Why a term is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermError {
    /// The part of the term at fault, in bytes.
    pub span: Range<usize>,
    /// In which way.
    pub kind: TermErrorKind,
}

/// The kinds of [`TermError`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TermErrorKind {
    /// Nothing stands where a type should (`missing-type`).
    Empty,
    /// It does not follow the grammar (`unknown-type`); what was expected.
    Syntax(String),
    /// No type has this name (`unknown-type`).
    Unknown(String),
    /// The type does not take these arguments or attributes.
    Argument(ArgumentError),
}

impl Types {
    /// A table without types.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The table of the built-in types.
    #[must_use]
    pub fn builtin() -> Self {
        Self {
            types: builtin::TABLE.iter().map(|row| Arc::new(row) as Arc<dyn Type>).collect(),
            functions: Functions::default(),
        }
    }

    /// Adds a type; one of the same name is replaced.
    pub fn add(&mut self, new: Arc<dyn Type>) {
        self.types.retain(|old| old.name() != new.name());
        self.types.push(new);
    }

    /// Adds the functions that terms can name.
    #[must_use]
    pub fn with_functions(mut self, functions: Functions) -> Self {
        self.functions = functions;
        self
    }

    /// The types of the table.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Type> {
        self.types.iter().map(AsRef::as_ref)
    }

    /// Compiles a term.
    ///
    /// `?` in front of the whole term is told apart in [`Compiled::optional`];
    /// in front of an item it lets null pass. Attributes belong to the
    /// outermost type, but `fields` beside an array of objects to its items, and what is in `items`; `after` names functions that a value
    /// of any type goes through when it has passed.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile(&self, text: TermText<'_>) -> Result<Compiled, Vec<TermError>> {
        let TermText { term, attributes, fields, words, any_case, timezone } = text;
        let optional = term.starts_with('?');
        let compiler = Compiler { types: self, text: term, words, any_case, timezone };
        let beside = Beside { attributes, fields: fields.as_deref() };
        let span = usize::from(optional)..term.len();
        let Some(after) = attributes.get(AFTER) else {
            return Ok(Compiled { optional, check: compiler.term(span, beside, 0)? });
        };
        let mut inner = attributes.clone();
        inner.remove(AFTER);
        let check = compiler.term(span.clone(), Beside { attributes: &inner, ..beside }, 0)?;
        let check = super::after::after(check, after, &self.functions);
        Ok(Compiled { optional, check: check.map_err(|error| fault(span, TermErrorKind::Argument(error)))? })
    }

    fn find(&self, name: &str) -> Option<&dyn Type> {
        self.iter().find(|known| known.name() == name)
    }

    /// The type that was added last of those whose names only differ in case.
    fn find_in_any_case(&self, name: &str) -> Option<&dyn Type> {
        self.types.iter().rev().find(|known| known.name().eq_ignore_ascii_case(name)).map(AsRef::as_ref)
    }
}

impl std::fmt::Debug for Types {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(Type::name)).finish()
    }
}

/// Compiles the levels of one text.
struct Compiler<'a> {
    types: &'a Types,
    text: &'a str,
    words: &'a [(&'a str, &'a str)],
    any_case: bool,
    timezone: &'a jiff::tz::TimeZone,
}

/// What stands beside a term.
struct Beside<'a> {
    attributes: &'a Map<String, Json>,
    fields: Option<&'a [Field]>,
}

impl<'a> Beside<'a> {
    /// What stands beside the items of an array: its `fields`, which go to the
    /// items here, and what is in its `items`.
    fn items<'b>(&mut self, none: &'b Map<String, Json>) -> Beside<'b>
    where
        'a: 'b,
    {
        let attributes = self.attributes.get(ITEMS).and_then(Json::as_object);
        Beside { attributes: attributes.unwrap_or(none), fields: self.fields.take() }
    }
}

type Compilation = Result<Arc<dyn Check>, Vec<TermError>>;

impl Compiler<'_> {
    /// Compiles the term at `span`.
    fn term(&self, span: Range<usize>, mut beside: Beside<'_>, depth: usize) -> Compilation {
        let none = Map::new();
        if span.is_empty() {
            return Err(fault(span, TermErrorKind::Empty));
        }
        if depth >= grammar::MAX_DEPTH {
            let message = format!("types nest at most {} deep", grammar::MAX_DEPTH);
            return Err(fault(span, TermErrorKind::Syntax(message)));
        }
        match grammar::split(self.text, span.clone()).map_err(syntax)? {
            // `?` stands in front of the whole, which the caller has cut off, and of items.
            Level::Nullable(_) if depth == 0 || self.text[..span.start].ends_with('?') => {
                let message = "`?` stands once in front of a type".to_owned();
                Err(fault(span.start..span.start + 1, TermErrorKind::Syntax(message)))
            }
            Level::Nullable(inner) => Ok(nullable(self.term(inner, beside, depth + 1)?)),
            Level::List(inner) => {
                let item = self.term(inner, beside.items(&none), depth + 1).map_err(of_items)?;
                match self.types.find("array") {
                    Some(found) => self.named(found, "array", span, &[Argument::Type(item)], &beside),
                    None => Err(fault(span, TermErrorKind::Unknown("array".to_owned()))),
                }
            }
            Level::Named(name, inside) => {
                let meant = self.meant(&self.text[name.clone()], &inside);
                let in_any_case = || self.types.find_in_any_case(meant).filter(|_| self.any_case);
                let found = self.types.find(meant).or_else(in_any_case);
                let terms = match inside {
                    Inside::Nothing => Ok(Vec::new()),
                    Inside::Term(inner) => {
                        let item = self.term(inner, beside.items(&none), depth + 1);
                        item.map(|item| vec![Argument::Type(item)]).map_err(of_items)
                    }
                    // Only the type knows which of its arguments are types.
                    Inside::Arguments(spans) => {
                        found.map_or(Ok(Vec::new()), |found| self.arguments(found, spans, depth))
                    }
                };
                let Some(found) = found else {
                    let mut errors = fault(name.clone(), TermErrorKind::Unknown(self.text[name].to_owned()));
                    errors.extend(terms.err().unwrap_or_default());
                    return Err(errors);
                };
                self.named(found, &self.text[name], span, &terms?, &beside)
            }
        }
    }

    /// Compiles the arguments in round brackets behind the name of `found`.
    fn arguments(
        &self,
        found: &dyn Type,
        spans: Vec<Range<usize>>,
        depth: usize,
    ) -> Result<Vec<Argument>, Vec<TermError>> {
        let none = Map::new();
        let mut arguments = Vec::with_capacity(spans.len());
        let mut errors = Vec::new();
        for (index, span) in spans.into_iter().enumerate() {
            let argument = if found.takes_type(index) {
                let beside = Beside { attributes: &none, fields: None };
                self.term(span, beside, depth + 1).map(Argument::Type)
            } else {
                grammar::word(self.text, span).map(|word| Argument::Word(word.to_owned())).map_err(syntax)
            };
            match argument {
                Ok(argument) => arguments.push(argument),
                Err(more) => errors.extend(more),
            }
        }
        if errors.is_empty() { Ok(arguments) } else { Err(errors) }
    }

    /// The name of the type that is meant by a name with this behind it.
    fn meant<'n>(&'n self, name: &'n str, inside: &Inside) -> &'n str {
        let word = self.words.iter().find(|(word, _)| *word == name && !matches!(inside, Inside::Term(_)));
        word.map_or(name, |(_, meant)| meant)
    }

    /// Makes the check of a type that is written `name`.
    fn named(
        &self,
        found: &dyn Type,
        name: &str,
        span: Range<usize>,
        terms: &[Argument],
        beside: &Beside<'_>,
    ) -> Compilation {
        let known = found.attributes();
        let fields = beside.fields.map(|_| "fields");
        let written = beside.attributes.keys().map(String::as_str).chain(fields);
        let unknown: Vec<_> = written
            .filter(|attribute| !known.contains(attribute))
            .map(|attribute| TermError {
                span: span.clone(),
                kind: TermErrorKind::Argument(unknown_attribute(name, attribute, known)),
            })
            .collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        found
            .compile(&Arguments {
                name,
                terms,
                attributes: beside.attributes,
                fields: beside.fields,
                timezone: self.timezone,
                functions: &self.types.functions,
            })
            .map_err(|error| fault(span, TermErrorKind::Argument(error)))
    }
}

fn unknown_attribute(name: &str, attribute: &str, known: &[&str]) -> ArgumentError {
    let error =
        ArgumentError::new(ArgumentErrorKind::Unknown, format!("the type `{name}` has no `{attribute}`")).at(attribute);
    if known.is_empty() {
        error.help(format!("`{name}` has no attributes"))
    } else {
        error.help(format!("`{name}` has `{}`", known.join("`, `")))
    }
}

/// The errors of items, their attributes told by the way to them from beside the array.
fn of_items(mut errors: Vec<TermError>) -> Vec<TermError> {
    for error in &mut errors {
        if let TermErrorKind::Argument(ArgumentError { attribute: Some(attribute), .. }) = &mut error.kind
            && attribute != "fields"
        {
            *attribute = format!("{ITEMS}.{attribute}");
        }
    }
    errors
}

fn fault(span: Range<usize>, kind: TermErrorKind) -> Vec<TermError> {
    vec![TermError { span, kind }]
}

fn syntax((span, message): grammar::Fault) -> Vec<TermError> {
    fault(span, TermErrorKind::Syntax(message))
}
