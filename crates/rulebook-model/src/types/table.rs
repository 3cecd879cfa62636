//! The table of the types that a definition can name.

use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::after_attribute::{AFTER_ATTRIBUTE, with_after_functions};
use super::nullable::{NULLABLE_ATTRIBUTE, nullable_check, with_nullable};
use super::term_compiler::{TermAttributes, TermCompiler, single_error};
use super::{ArgumentError, Check, Functions, Type, builtin};
use crate::constraint::Constraint;

pub(super) const ITEMS_ATTRIBUTE: &str = "items";

pub(crate) const FIELDS_ATTRIBUTE: &str = "fields";

/// The table of the types that terms can name, and of the functions that attributes can name.
#[derive(Clone, Default)]
pub struct Types {
    types: Vec<Arc<dyn Type>>,
    /// The names of the built-in types in `types`.
    builtin_names: Vec<&'static str>,
    pub(super) functions: Functions,
}

/// A term as the definition writes it, with the attributes and settings that determine its meaning.
pub struct UncompiledTerm<'a> {
    /// The text of the term, such as `?array<varchar(1,20)>`.
    pub term: &'a str,
    /// The attributes that the definition writes next to the term, without the attribute `fields`.
    pub attributes: &'a Map<String, Json>,
    /// The compiled members of the attribute `fields`, or `None` if the definition does not have this attribute.
    pub fields: Option<Vec<ObjectField>>,
    /// The aliases of the dialect with their type names. An alias precedes a type, unless `<…>` follows it.
    pub aliases: &'a [(&'a str, &'a str)],
    /// If `true`, names of types are also found if the case of ASCII letters differs.
    pub ignores_type_case: bool,
    /// The time zone that applies to dates and times without an offset.
    pub timezone: &'a jiff::tz::TimeZone,
    /// Returns the schema of the definition with this name; `None` if the definition has no such schema.
    pub schemas: &'a dyn Fn(&str) -> Option<Arc<dyn Check>>,
    /// The constraints that an object inherits with the fields of the schemas that it extends.
    pub inherited_constraints: &'a [Constraint],
    /// `true` if `fields` lacks members because of a reported error, so that unknown names are no errors.
    pub has_missing_fields: bool,
    /// The compiled types in the attributes `of` and `keys`, also in those of `items`.
    pub nested_types: &'a [NestedCheck],
}

/// A type in an attribute of another type, such as `of`.
#[derive(Debug, Clone)]
pub struct NestedCheck {
    /// The path of the attribute that contains the type: `of`, or `items.of` for the items of an array.
    pub attribute: String,
    /// The name of the type, if the attribute is an object: the value of the tag for which a union has this type.
    pub name: Option<String>,
    /// The check of the type.
    pub check: Arc<dyn Check>,
}

/// Returns the path of a type in an attribute, which diagnostics use to find its span.
pub(crate) fn nested_type_path(attribute: &str, index: usize) -> String {
    format!("{attribute}[{index}]")
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
    pub is_optional: bool,
    /// The check of the type that follows the `?`.
    pub check: Arc<dyn Check>,
}

impl CompiledTerm {
    /// Returns the check of a type in an attribute: it accepts null if the term begins with `?`.
    #[must_use]
    pub fn into_nested_check(self) -> Arc<dyn Check> {
        if self.is_optional { nullable_check(self.check) } else { self.check }
    }
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
            builtin_names: builtin::BUILTIN_TYPES.iter().map(|row| row.name).collect(),
            functions: Functions::default(),
        }
    }

    /// Adds a type. If the table has a type with the same name, the new type replaces it.
    pub fn add(&mut self, new: Arc<dyn Type>) {
        self.types.retain(|old| old.name() != new.name());
        self.builtin_names.retain(|old| *old != new.name());
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
    /// A `?` before the whole term sets [`CompiledTerm::is_optional`]. A `?` before the type of an array's items makes
    /// null a valid item. Attributes apply to the outermost type, with two exceptions: in an array, the attribute
    /// `fields` and the content of the attribute `items` apply to the items. The attribute `after` names functions that
    /// are called with the checked value. Every type except files has this attribute. `nullable` says whether an
    /// optional value can be null.
    ///
    /// # Errors
    /// Returns every error in the term and its attributes.
    pub fn compile(&self, uncompiled: UncompiledTerm<'_>) -> Result<CompiledTerm, Vec<TermError>> {
        let compiler = TermCompiler { types: self, uncompiled };
        let UncompiledTerm { term, attributes, fields, .. } = &compiler.uncompiled;
        let is_optional = term.starts_with('?');
        let term_attributes = TermAttributes { attributes, fields: fields.as_deref(), path: String::new() };
        let span = usize::from(is_optional)..term.len();
        let (after, nullable) = (attributes.get(AFTER_ATTRIBUTE), attributes.get(NULLABLE_ATTRIBUTE));
        if after.is_none() && nullable.is_none() {
            return Ok(CompiledTerm { is_optional, check: compiler.compile_term(span, term_attributes, 0)? });
        }
        let mut others = (*attributes).clone();
        others.retain(|name, _| name != AFTER_ATTRIBUTE && name != NULLABLE_ATTRIBUTE);
        let check =
            compiler.compile_term(span.clone(), TermAttributes { attributes: &others, ..term_attributes }, 0)?;
        let check = match after {
            Some(after) => with_after_functions(check, after, &self.functions),
            None => Ok(check),
        };
        let check = check.and_then(|check| match nullable {
            Some(nullable) => with_nullable(check, is_optional, nullable),
            None => Ok(check),
        });
        let check = check.map_err(|error| single_error(span, TermErrorKind::Argument(error)))?;
        Ok(CompiledTerm { is_optional, check })
    }

    /// Returns the name of the built-in type that a term means if it contains `name` and the case of names is ignored.
    /// Returns `None` if the term means a type of the program, or if `name` is exactly the name of a type.
    pub(crate) fn builtin_name_in_other_case(&self, name: &str) -> Option<&'static str> {
        let meant = self.find_ignoring_case(name).filter(|_| self.find(name).is_none())?;
        self.builtin_names.iter().copied().find(|builtin| *builtin == meant.name())
    }

    /// Returns `true` if the argument at `index`, in the parentheses after `name` in a term, is a term itself. The
    /// arguments have the same meaning as the fields of [`UncompiledTerm`].
    pub(crate) fn is_term_argument(
        &self,
        name: &str,
        index: usize,
        aliases: &[(&str, &str)],
        ignores_type_case: bool,
    ) -> bool {
        let found = self.find_in_dialect(name, aliases, ignores_type_case);
        found.is_some_and(|r#type| r#type.argument_is_type(index))
    }

    /// Returns the type that a name means in a dialect. The arguments have the same meaning as the fields of
    /// [`UncompiledTerm`].
    pub(crate) fn find_in_dialect(
        &self,
        name: &str,
        aliases: &[(&str, &str)],
        ignores_type_case: bool,
    ) -> Option<&dyn Type> {
        let name = aliases.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, type_name)| type_name);
        let ignoring_case = || self.find_ignoring_case(name).filter(|_| ignores_type_case);
        self.find(name).or_else(ignoring_case)
    }

    /// Returns the type with exactly this name.
    pub(super) fn find(&self, name: &str) -> Option<&dyn Type> {
        self.iter().find(|known| known.name() == name)
    }

    /// Returns the type whose name equals `name` without regard to ASCII case. If several types match, returns the type
    /// that was added last.
    pub(super) fn find_ignoring_case(&self, name: &str) -> Option<&dyn Type> {
        self.types.iter().rev().find(|known| known.name().eq_ignore_ascii_case(name)).map(AsRef::as_ref)
    }
}

impl std::fmt::Debug for Types {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(Type::name)).finish()
    }
}
