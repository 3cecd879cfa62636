//! The table of all types, and the way from a term to a check.

use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{ArgumentError, Check, Type};

/// The types that terms can name.
#[derive(Clone, Default)]
pub struct Types {
    types: Vec<Arc<dyn Type>>,
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
        Self::default()
    }

    /// Adds a type; one of the same name is replaced.
    pub fn add(&mut self, new: Arc<dyn Type>) {
        self.types.retain(|old| old.name() != new.name());
        self.types.push(new);
    }

    /// The types of the table.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Type> {
        self.types.iter().map(AsRef::as_ref)
    }

    /// Compiles a term.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile(&self, _text: TermText<'_>) -> Result<Compiled, Vec<TermError>> {
        Err(Vec::new())
    }
}

impl std::fmt::Debug for Types {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(Type::name)).finish()
    }
}
