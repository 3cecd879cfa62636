//! The keys of the `rules` dialect, and what its words mean in the terms of all dialects.

use super::{ATTRIBUTES, ERROR, FIELDS, Key, Keys, Kind, key};

const NO_KEYS: &[&Keys] = &[];

const fn named(what: &'static str, keys: &'static [Key], names: Option<&'static Keys>) -> Keys {
    Keys { what, keys, also: NO_KEYS, upper: None, names, empty_list: false, hint: None }
}

/// What PHP holds in an array, whose JSON is a list where it is empty.
const fn array(what: &'static str, keys: &'static [Key], names: &'static Keys) -> Keys {
    Keys { empty_list: true, ..named(what, keys, Some(names)) }
}

/// The top of a file.
pub static FILE: Keys =
    named("a file of rules", &[key("dialect", Kind::Text, "How the file is written: `rules`.")], Some(&CLASS));

/// A class: a module.
pub static CLASS: Keys = array(
    "a class",
    &[
        key("@info", Kind::Text, "What the class is about."),
        key("@desc", Kind::Text, "More about it."),
        key("@envelope", Kind::Text, "The shape of its answers."),
        key("*", Kind::Object(&COMMON), "The rules that all of its methods have."),
    ],
    &METHOD,
);

/// The rules that all methods of a class have.
pub static COMMON: Keys = array("the rules of a class", &[], &RULE);

/// A method of a class.
pub static METHOD: Keys = array(
    "a method of a class",
    &[
        key("@info", Kind::Text, "What it does."),
        key("@desc", Kind::Text, "More about it."),
        key("@scope", Kind::Scope, "Who may call it: an OR of ANDs of permissions."),
        key("@method", Kind::Words, "Its HTTP methods; `GET` and `POST` without it."),
        key("@return", Kind::Named(&RETURN), "What it returns, by path: `list[].id`."),
        key("@errors", Kind::Named(&ERROR), "The errors of its own."),
        key("@jsonp", Kind::Bool, "Whether it answers JSONP."),
    ],
    &RULE,
);

/// A rule: a parameter, by its name in code.
pub static RULE: Keys = Keys {
    what: "a rule",
    keys: &[
        key("name", Kind::Text, "Its name for clients; its name in code without it."),
        key("type", Kind::Text, "What values it takes; `string` without it."),
        key("require", Kind::Bool, "Whether it must be there; a default is enough."),
        key("default", Kind::Any, "What it holds when it is left out."),
        key("source", Kind::Text, "Where it stands in a request; query or body without it."),
        key("desc", Kind::Text, "What it is."),
        key("message", Kind::Text, "Words for the client when its value does not pass."),
        key("example", Kind::Any, "A value that shows it."),
        key("callable", Kind::Words, "The same as `callback`."),
        key("on_after_parse", Kind::Words, "The functions that its value goes through, with `|` between them."),
    ],
    also: &[&ATTRIBUTES, &FIELDS],
    upper: None,
    names: None,
    empty_list: true,
    hint: None,
};

/// A field of what a method returns.
pub static RETURN: Keys = named(
    "a field of `@return`",
    &[
        key("type", Kind::Text, "What it holds."),
        key("desc", Kind::Text, "What it is."),
        key("format", Kind::Text, "`timestamp` for a date that is returned in seconds."),
        key("range", Kind::Any, "The values of an enum."),
        key("example", Kind::Any, "A value that shows it."),
    ],
    None,
);

/// A word of the dialect and what it stands for.
#[derive(Debug)]
pub struct Word {
    /// The word; its case does not count.
    pub name: &'static str,
    /// What stands for it in the tree dialect.
    pub means: &'static str,
}

const fn word(name: &'static str, means: &'static str) -> Word {
    Word { name, means }
}

/// The types of rules. Other words are types of the tree dialect, or of the program's own.
pub static TYPES: &[Word] = &[
    word("string", "loose_string"),
    word("int", "loose_int"),
    word("float", "loose_float"),
    word("boolean", "truthy"),
    word("date", "datetime"),
    word("array", "loose_array"),
    word("enum", "enum"),
    word("file", "file"),
    word("callable", "callable"),
    word("callback", "callable"),
];

/// The types of returned fields. Other words are types of the tree dialect, or of the program's own.
pub static RETURN_TYPES: &[Word] = &[
    word("string", "string"),
    word("int", "int"),
    word("float", "float"),
    word("boolean", "bool"),
    word("date", "datetime"),
    word("array", "array"),
    word("fixed", "any"),
    word("enum", "enum"),
    word("object", "object"),
];

/// The sources of rules, with what stands before a name in the key of the tree dialect.
pub static SOURCES: &[Word] = &[
    word("get", "GET@"),
    word("post", ""),
    word("request", "ANY@"),
    word("header", "HEADER@"),
    word("cookie", "COOKIE@"),
];

/// What a word means in one of the tables.
#[must_use]
pub fn meaning(table: &'static [Word], name: &str) -> Option<&'static str> {
    table.iter().find(|word| word.name.eq_ignore_ascii_case(name)).map(|word| word.means)
}
