//! The table of the types that a definition can name, and of the built-in types, with the name, the description and the
//! compiler of each type.

use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::array::ArrayKind;
use super::functions::{AFTER_ATTRIBUTE, with_after_functions};
use super::moment::DateGrammar;
use super::nullable::{NULLABLE_ATTRIBUTE, nullable_check, with_nullable};
use super::term::{TermAttributes, TermCompiler, single_error};
use super::{
    ArgumentError, Check, Functions, Type, TypeArguments, array, constant, decimal, file, filename, functions, loose,
    map, moment, nullable, number, object, simple_type, string, text_type, union,
};
use crate::constraint::Constraint;

pub(super) const ITEMS_ATTRIBUTE: &str = "items";

pub(crate) const FIELDS_ATTRIBUTE: &str = "fields";

/// The table of the types that terms can name, and of the functions that attributes can name.
#[derive(Clone, Default)]
pub struct Types {
    types: Vec<Arc<dyn Type>>,
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

/// Diagnostics use the path to find the span of the type.
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
            types: BUILTIN_TYPES.iter().map(|row| Arc::new(row) as Arc<dyn Type>).collect(),
            builtin_names: BUILTIN_TYPES.iter().map(|row| row.name).collect(),
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

    pub(super) fn find(&self, name: &str) -> Option<&dyn Type> {
        self.iter().find(|known| known.name() == name)
    }

    /// The case is that of ASCII. If several types match, returns the type that was added last.
    pub(super) fn find_ignoring_case(&self, name: &str) -> Option<&dyn Type> {
        self.types.iter().rev().find(|known| known.name().eq_ignore_ascii_case(name)).map(AsRef::as_ref)
    }
}

impl std::fmt::Debug for Types {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(Type::name)).finish()
    }
}

struct BuiltinType {
    pub(super) name: &'static str,
    description: &'static str,
    attributes: &'static [&'static str],
    /// The index (from 0) of the argument of a term that is a term itself; `None` if all arguments are words.
    type_argument_index: Option<usize>,
    compile: fn(&TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError>,
}

impl Type for &'static BuiltinType {
    fn name(&self) -> &str {
        self.name
    }

    fn info(&self) -> &str {
        self.description
    }

    fn attributes(&self) -> &[&str] {
        self.attributes
    }

    fn argument_is_type(&self, index: usize) -> bool {
        self.type_argument_index == Some(index)
    }

    fn compile(&self, arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
        (self.compile)(arguments)
    }
}

const fn builtin_type(
    name: &'static str,
    description: &'static str,
    attributes: &'static [&'static str],
    compile: fn(&TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError>,
) -> BuiltinType {
    BuiltinType { name, description, attributes, type_argument_index: None, compile }
}

impl BuiltinType {
    const fn with_type_argument(mut self, index: usize) -> Self {
        self.type_argument_index = Some(index);
        self
    }
}

/// Returns `true` if the argument at `index` of a type is a term. Arguments of types of the program can be terms.
#[cfg(feature = "documents")]
pub(super) fn is_term_argument(name: &str, index: usize) -> bool {
    let builtin = BUILTIN_TYPES.iter().find(|builtin| builtin.name == name);
    builtin.is_none_or(|builtin| builtin.argument_is_type(index))
}

const BOUNDS_ATTRIBUTES: &[&str] = &["min", "max"];
const STRING_ATTRIBUTES: &[&str] = &["min", "max", "regex"];
const MOMENT_ATTRIBUTES: &[&str] = &["min", "max", "format"];
const OBJECT_ATTRIBUTES: &[&str] = &["min", "max", "closed", "constraints", "fields"];
const MAP_ATTRIBUTES: &[&str] = &["min", "max", "keys", "items", "fields"];
const ARRAY_ATTRIBUTES: &[&str] = &["min", "max", "format", "separator", "items", "fields"];

/// All built-in types. A type that is another name of a type, such as `varchar` for `string`, follows that type.
#[rustfmt::skip]
static BUILTIN_TYPES: &[BuiltinType] = &[
    builtin_type("any", "Any JSON value. If a text in a request begins with `[` or `{`, it is parsed as JSON.", &[], simple_type::compile_any),
    builtin_type("mixed", "Another name of `any`.", &[], simple_type::compile_any),
    builtin_type("int", "A whole number from -2^63 to 2^63-1; for `int(a,b)`, from a to b.", BOUNDS_ATTRIBUTES, |arguments| number::compile_int("int", number::I64_RANGE, arguments)),
    builtin_type("uint", "A whole number from 0 to 2^64-1; for `uint(a,b)`, from a to b.", BOUNDS_ATTRIBUTES, |arguments| number::compile_int("uint", number::U64_RANGE, arguments)),
    builtin_type("id", "A whole number from 0 to 2147483647.", BOUNDS_ATTRIBUTES, |arguments| number::compile_int("id", number::ID_RANGE, arguments)),
    builtin_type("float", "A finite number of 64 bits (IEEE 754); for `float(a,b)`, from a to b.", BOUNDS_ATTRIBUTES, number::compile_float),
    builtin_type("float64", "Another name of `float`.", BOUNDS_ATTRIBUTES, number::compile_float),
    builtin_type("decimal", "For `decimal(p,s)`, a string with a number of at most p digits, s of them after the point, such as `\"12.50\"` for `decimal(10,2)`. No digit is lost.", BOUNDS_ATTRIBUTES, decimal::compile),
    builtin_type("bool", "`true` or `false`.", &[], |arguments| simple_type::compile(&simple_type::BOOL, arguments)),
    builtin_type("string", "A string; for `string(n)`, it has n characters, for `string(a,b)`, a to b characters. It must match the regular expression in `regex`.", STRING_ATTRIBUTES, string::compile).with_type_argument(2),
    builtin_type("varchar", "Another name of `string`; for `varchar(a,b,T)`, the string must also be a valid value of the type T.", STRING_ATTRIBUTES, string::compile).with_type_argument(2),
    builtin_type("text", "Another name of `string`.", STRING_ATTRIBUTES, string::compile).with_type_argument(2),
    builtin_type("hash", "A SHA-1 or SHA-256 digest: 40 or 64 hexadecimal digits.", &[], |arguments| simple_type::compile(&text_type::HASH, arguments)),
    builtin_type("digest", "For `digest(n)`, a string of n hexadecimal digits, 0 to 9 and a to f; the number of digits is required.", &[], text_type::compile_digest),
    builtin_type("alphanumeric", "A string of ASCII letters, digits, `_`, `-` and `.`.", &[], |arguments| simple_type::compile(&text_type::ALPHANUMERIC, arguments)),
    builtin_type("letters", "A string of ASCII letters, `-` and spaces.", &[], |arguments| simple_type::compile(&text_type::LETTERS, arguments)),
    builtin_type("mail", "An email address in ASCII characters.", &[], |arguments| simple_type::compile(&text_type::MAIL, arguments)),
    builtin_type("phone", "A French phone number: 0 and nine digits, or +33, an optional space, and nine digits.", &[], |arguments| simple_type::compile(&text_type::PHONE, arguments)),
    builtin_type("url", "An absolute URL that begins with `http://` or `https://`.", &[], |arguments| simple_type::compile(&text_type::URL, arguments)),
    builtin_type("uuid", "A UUID in the form with hyphens.", &[], |arguments| simple_type::compile(&text_type::UUID, arguments)),
    builtin_type("ip", "An IPv4 or IPv6 address.", &[], |arguments| simple_type::compile(&text_type::IP, arguments)),
    builtin_type("date", "A date, YYYY-MM-DD. With the format `timestamp`, handlers receive the seconds since 1970-01-01T00:00:00Z.", MOMENT_ATTRIBUTES, |arguments| moment::compile(DateGrammar::Date, arguments)),
    builtin_type("datetime", "A point in time: RFC 3339, YYYY-MM-DD hh:mm:ss, or a date. With the format `timestamp`, handlers receive the seconds since 1970-01-01T00:00:00Z.", MOMENT_ATTRIBUTES, |arguments| moment::compile(DateGrammar::Datetime, arguments)),
    builtin_type("time", "A time of day, hh:mm or hh:mm:ss.", &[], |arguments| simple_type::compile(&text_type::TIME, arguments)),
    builtin_type("enum", "One of the words in `enum(a|b|c)` or in `range`.", &["range"], constant::compile_enum),
    builtin_type("array", "An array; for `array<T>` or `[]T`, an array of values of the type T. `items` contains the attributes of T; `format` defines how a single string is converted to an array.", ARRAY_ATTRIBUTES, |arguments| array::compile(ArrayKind::Any, arguments)),
    builtin_type("object", "An object; `fields` defines its known members.", OBJECT_ATTRIBUTES, |arguments| object::compile(false, arguments)),
    builtin_type("map", "An object with any members; for `map<T>`, their values have the type T. `keys` is a type for their names, and `items` contains the attributes of T.", MAP_ATTRIBUTES, map::compile),
    builtin_type("partial", "For `partial<T>`, an object of the schema T in which every field is optional.", &[], nullable::compile_partial),
    builtin_type("union", "A value of one of the types in `of`. With `tag`, an object whose member with this name says which one: `of` then contains a schema for each value of the member.", &["tag", "of"], union::compile),
    builtin_type("const", "The value in `const(x)` or in `value`: a string, a boolean or a number between -2^53 and 2^53.", &["value"], constant::compile),
    builtin_type("null", "The value null; outside of JSON, the text `null`.", &[], constant::compile_null),
    builtin_type("file", "An uploaded file of `min` to `max` bytes, with one of the media types in `range` and one of the extensions in `ext`.", &["min", "max", "range", "ext"], file::compile),
    builtin_type("FILE", "Another name of `file`.", &["min", "max", "range", "ext"], file::compile),
    builtin_type("filename", "The name of a stored file, with `/` between folders. The name must match one of the patterns in `range` or in `filename(public/**|cache/*.json)`.", &["range"], filename::compile),
    builtin_type("text_id", "An `id`; in JSON, it may also be written as a string.", BOUNDS_ATTRIBUTES, loose::compile_text_id),
    builtin_type("truthy", "A boolean as a word: true, ok, success, on, yes or 1; false, off, no, fail, 0 or an empty string. Case is ignored.", &[], |arguments| simple_type::compile(&simple_type::TRUTHY, arguments)),
    builtin_type("loose_int", "An `int` that may have a `+` or leading zeros; in JSON, it may also be written as a string.", BOUNDS_ATTRIBUTES, loose::compile_int),
    builtin_type("loose_float", "A `float` that may have a `+` or leading zeros, or be written as `.5` or `5.`; in JSON, it may also be written as a string.", BOUNDS_ATTRIBUTES, loose::compile_float),
    builtin_type("loose_string", "A `string`; in JSON, it may also be written as a number, unless `regex` is set: as a whole number of at most 64 bits, or as a number with a fraction if `max` is not set and `min` is at most 3.", STRING_ATTRIBUTES, loose::compile_string),
    builtin_type("loose_array", "An `array` or an object.", ARRAY_ATTRIBUTES, |arguments| array::compile(ArrayKind::Loose, arguments)),
    builtin_type("filled_array", "An `array` with at least one item, unless `min` is set.", ARRAY_ATTRIBUTES, |arguments| array::compile(ArrayKind::Filled, arguments)),
    builtin_type("filled_object", "An `object` with at least one member, unless `min` is set.", OBJECT_ATTRIBUTES, |arguments| object::compile(true, arguments)),
    builtin_type("callable", "A value that the program's function `callback` accepts. The function also receives `params`.", &["callback", "params"], functions::compile_callable),
    builtin_type("numeric", "A number or null; in JSON, both may also be written as a string.", &[], |arguments| simple_type::compile(&simple_type::NUMERIC, arguments)),
];
