//! The table of the built-in types, with the name, the description and the compiler of each type.

use std::sync::Arc;

use super::array::{self, ArrayKind};
use super::moment::{self, DateGrammar};
use super::{
    ArgumentError, Check, Type, TypeArguments, any, callable, constant, decimal, enumeration, file, filename, float,
    int, loose, map, object, partial, simple_type, string, text_type, union, url,
};

/// A built-in type, which is one row of [`BUILTIN_TYPES`].
pub(super) struct BuiltinType {
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
pub(super) static BUILTIN_TYPES: &[BuiltinType] = &[
    builtin_type("any", "Any JSON value. If a text in a request begins with `[` or `{`, it is parsed as JSON.", &[], any::compile),
    builtin_type("mixed", "Another name of `any`.", &[], any::compile),
    builtin_type("int", "A whole number from -2^63 to 2^63-1; for `int(a,b)`, from a to b.", BOUNDS_ATTRIBUTES, |arguments| int::compile("int", int::I64_RANGE, arguments)),
    builtin_type("uint", "A whole number from 0 to 2^64-1; for `uint(a,b)`, from a to b.", BOUNDS_ATTRIBUTES, |arguments| int::compile("uint", int::U64_RANGE, arguments)),
    builtin_type("id", "A whole number from 0 to 2147483647.", BOUNDS_ATTRIBUTES, |arguments| int::compile("id", int::ID_RANGE, arguments)),
    builtin_type("float", "A finite number of 64 bits (IEEE 754); for `float(a,b)`, from a to b.", BOUNDS_ATTRIBUTES, float::compile),
    builtin_type("float64", "Another name of `float`.", BOUNDS_ATTRIBUTES, float::compile),
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
    builtin_type("url", "An absolute URL that begins with `http://` or `https://`.", &[], |arguments| simple_type::compile(&url::URL, arguments)),
    builtin_type("uuid", "A UUID in the form with hyphens.", &[], |arguments| simple_type::compile(&text_type::UUID, arguments)),
    builtin_type("ip", "An IPv4 or IPv6 address.", &[], |arguments| simple_type::compile(&text_type::IP, arguments)),
    builtin_type("date", "A date, YYYY-MM-DD. With the format `timestamp`, handlers receive the seconds since 1970-01-01T00:00:00Z.", MOMENT_ATTRIBUTES, |arguments| moment::compile(DateGrammar::Date, arguments)),
    builtin_type("datetime", "A point in time: RFC 3339, YYYY-MM-DD hh:mm:ss, or a date. With the format `timestamp`, handlers receive the seconds since 1970-01-01T00:00:00Z.", MOMENT_ATTRIBUTES, |arguments| moment::compile(DateGrammar::Datetime, arguments)),
    builtin_type("time", "A time of day, hh:mm or hh:mm:ss.", &[], |arguments| simple_type::compile(&text_type::TIME, arguments)),
    builtin_type("enum", "One of the words in `enum(a|b|c)` or in `range`.", &["range"], enumeration::compile),
    builtin_type("array", "An array; for `array<T>` or `[]T`, an array of values of the type T. `items` contains the attributes of T; `format` defines how a single string is converted to an array.", ARRAY_ATTRIBUTES, |arguments| array::compile(ArrayKind::Any, arguments)),
    builtin_type("object", "An object; `fields` defines its known members.", OBJECT_ATTRIBUTES, |arguments| object::compile(false, arguments)),
    builtin_type("map", "An object with any members; for `map<T>`, their values have the type T. `keys` is a type for their names, and `items` contains the attributes of T.", MAP_ATTRIBUTES, map::compile),
    builtin_type("partial", "For `partial<T>`, an object of the schema T in which every field is optional.", &[], partial::compile),
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
    builtin_type("callable", "A value that the program's function `callback` accepts. The function also receives `params`.", &["callback", "params"], callable::compile),
    builtin_type("numeric", "A number or null; in JSON, both may also be written as a string.", &[], |arguments| simple_type::compile(&simple_type::NUMERIC, arguments)),
];
