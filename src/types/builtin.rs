//! The one table of the built-in types.

use std::sync::Arc;

use super::{
    ArgumentError, Arguments, Check, Type, alphanumeric, any, array, bool, callable, date, datetime, digest,
    enumeration, file, filename, float, hash, int, ip, letters, loose_float, loose_int, loose_string, mail, numeric,
    object, phone, string, text_id, time, truthy, url, uuid,
};

/// A row of the table.
pub(super) struct Row {
    name: &'static str,
    info: &'static str,
    attributes: &'static [&'static str],
    /// Which of its arguments in round brackets is a type.
    type_argument: Option<usize>,
    compile: fn(&Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError>,
}

impl Type for &'static Row {
    fn name(&self) -> &str {
        self.name
    }

    fn info(&self) -> &str {
        self.info
    }

    fn attributes(&self) -> &[&str] {
        self.attributes
    }

    fn takes_type(&self, argument: usize) -> bool {
        self.type_argument == Some(argument)
    }

    fn compile(&self, arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
        (self.compile)(arguments)
    }
}

const fn row(
    name: &'static str,
    info: &'static str,
    compile: fn(&Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError>,
) -> Row {
    Row { name, info, attributes: &[], type_argument: None, compile }
}

impl Row {
    const fn with(mut self, attributes: &'static [&'static str]) -> Self {
        self.attributes = attributes;
        self
    }

    const fn of_type(mut self, argument: usize) -> Self {
        self.type_argument = Some(argument);
        self
    }
}

const BOUNDS: &[&str] = &["min", "max"];
const TEXT: &[&str] = &["min", "max", "regex"];
const MOMENT: &[&str] = &["min", "max", "format"];
const ARRAY: &[&str] = &["min", "max", "format", "separator", "items", "fields"];

/// Every built-in type once, synonyms behind the name that they stand for.
#[rustfmt::skip]
pub(super) static TABLE: &[Row] = &[
    row("any", "Anything that JSON can say. A text that begins with `[` or `{` is read as JSON.", any::compile),
    row("mixed", "The same as `any`.", any::compile),
    row("int", "A whole number of 64 bits; `int(a,b)` from a to b.", int::int).with(BOUNDS),
    row("uint", "A whole number of 64 bits that is not negative; `uint(a,b)` from a to b.", int::uint).with(BOUNDS),
    row("id", "A whole number from 0 to 2147483647.", int::id).with(BOUNDS),
    row("float", "A finite number; `float(a,b)` from a to b.", float::compile).with(BOUNDS),
    row("float64", "The same as `float`.", float::compile).with(BOUNDS),
    row("bool", "True or false.", bool::compile),
    row("string", "A text; `string(n)` of n characters, `string(a,b)` of a to b characters. `regex` is a pattern that it matches.", string::compile).with(TEXT).of_type(2),
    row("varchar", "The same as `string`; `varchar(a,b,T)` also is of the type T.", string::compile).with(TEXT).of_type(2),
    row("text", "The same as `string`.", string::compile).with(TEXT).of_type(2),
    row("hash", "40 or 64 hexadecimal digits: the text of a SHA-1 or SHA-256 digest.", hash::compile),
    row("digest", "`digest(n)`: n hexadecimal digits, 0 to 9 and a to f.", digest::compile),
    row("alphanumeric", "A text of ASCII letters, digits, `_`, `-` and `.`.", alphanumeric::compile),
    row("letters", "A text of ASCII letters, `-` and blanks.", letters::compile),
    row("mail", "A mail address.", mail::compile),
    row("phone", "A French phone number: 0 and nine digits, or +33, at most one blank, and nine digits.", phone::compile),
    row("url", "An absolute URL that begins with `http://` or `https://`.", url::compile),
    row("uuid", "A UUID with hyphens.", uuid::compile),
    row("ip", "An IP address, version 4 or 6.", ip::compile),
    row("date", "A date, YYYY-MM-DD. With the format `timestamp` handlers get the seconds since 1970.", date::compile).with(MOMENT),
    row("datetime", "A point in time: RFC 3339, YYYY-MM-DD hh:mm:ss, or a date. With the format `timestamp` handlers get the seconds since 1970.", datetime::compile).with(MOMENT),
    row("time", "A time of day, hh:mm or hh:mm:ss.", time::compile),
    row("enum", "One of the words in `enum(a|b|c)` or `range`.", enumeration::compile).with(&["range"]),
    row("array", "A list; `array<T>` or `[]T` of values of the type T. `items` is what stands beside T, `format` says how a single text becomes a list.", array::compile).with(ARRAY),
    row("object", "An object; `fields` are its known members.", object::compile).with(&["min", "max", "fields"]),
    row("file", "An uploaded file of `min` to `max` bytes, of one of the media types in `range` and the extensions in `ext`.", file::compile).with(&["min", "max", "range", "ext"]),
    row("FILE", "The same as `file`.", file::compile).with(&["min", "max", "range", "ext"]),
    row("filename", "What a stored file is called, `/` between its parts; `range` are patterns, one of which its name is like, as `filename(public/**|cache/*.json)` says too.", filename::compile).with(&["range"]),
    row("text_id", "An `id`, also as a text in JSON.", text_id::compile).with(BOUNDS),
    row("truthy", "True (true, ok, success, on, yes, 1) or false (false, off, no, fail, 0, empty), in any case of letters.", truthy::compile),
    row("loose_int", "An `int`, also as a text in JSON, with a `+` or leading zeros.", loose_int::compile).with(BOUNDS),
    row("loose_float", "A `float`, also as a text in JSON, with a `+`, leading zeros, `.5` or `5.`.", loose_float::compile).with(BOUNDS),
    row("loose_string", "A `string`, also as a whole number in JSON.", loose_string::compile).with(TEXT),
    row("loose_array", "An `array`, also as an object.", array::loose).with(ARRAY),
    row("filled_array", "An `array` with one item at least, unless `min` says otherwise.", array::filled).with(ARRAY),
    row("filled_object", "An `object` with one member at least, unless `min` says otherwise.", object::filled).with(&["min", "max", "fields"]),
    row("callable", "What the program's function `callback` lets pass, which is given `params` too.", callable::compile).with(&["callback", "params"]),
    row("numeric", "A number, also as a text in JSON, null or the text `null`.", numeric::compile),
];
