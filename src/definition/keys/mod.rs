//! The keys of the definition files: every object that can stand in them, once.
//!
//! The reader knows no other keys than these, suggests from them, and checks
//! the kind of what they hold by them.

pub mod methods;
pub mod rules;

/// What keys begin with that are for other readers than this one.
pub const REMARKS: [&str; 2] = ["$", "x-"];

/// The keys of one kind of object.
#[derive(Debug)]
pub struct Keys {
    /// What the object is, with its article.
    pub what: &'static str,
    /// Its own keys.
    pub keys: &'static [Key],
    /// The tables whose keys it has as well.
    pub also: &'static [&'static Keys],
    /// What other words in upper-case ASCII letters hold: methods that HTTP has and the engine has not.
    pub upper: Option<&'static Keys>,
    /// What names of the author's own hold, which stand among the keys; those begin with `@`, or are `*`.
    pub names: Option<&'static Keys>,
    /// Whether an empty list stands for an object without members.
    pub empty_list: bool,
    /// What to do about an unknown key that is near none of the known ones; none: they are listed.
    pub hint: Option<&'static str>,
}

/// A key.
#[derive(Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What it is for.
    pub info: &'static str,
    /// Whether every object of the kind has it; a text of it is then not blank.
    pub required: bool,
}

/// What a key holds.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A string.
    Text,
    /// True or false.
    Bool,
    /// True or false, or the words for them in a string.
    Flag,
    /// A whole number from 0.
    Whole,
    /// Anything; it is judged where its meaning is known.
    Any,
    /// A list of strings.
    Texts,
    /// A string, or a list of strings.
    Words,
    /// A list of lists of strings.
    Scope,
    /// A list of strings and of lists of strings.
    Permissions,
    /// One object.
    Object(&'static Keys),
    /// A list of objects.
    List(&'static Keys),
    /// Objects by names that are the author's.
    Named(&'static Keys),
    /// Objects by names that are the author's: the parameters of a tree, or rules. They are a tree's where one of them
    /// has an `info` or a key that says a place, for rules have neither.
    Common,
}

impl Keys {
    /// Every key of the object.
    pub fn iter(&'static self) -> impl Iterator<Item = &'static Key> {
        self.keys.iter().chain(self.also.iter().flat_map(|keys| keys.keys))
    }

    /// What `name` holds; none: it is no key of the object.
    #[must_use]
    pub fn find(&'static self, name: &str) -> Option<Kind> {
        let known = self.iter().find(|key| key.name == name).map(|key| key.kind);
        let upper = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase());
        let named = self.names.filter(|_| !name.starts_with('@'));
        known.or_else(|| self.upper.filter(|_| upper).or(named).map(Kind::Object))
    }
}

const fn key(name: &'static str, kind: Kind, info: &'static str) -> Key {
    Key { name, kind, info, required: false }
}

/// A key that no object of the kind may be without.
const fn required(name: &'static str, kind: Kind, info: &'static str) -> Key {
    Key { name, kind, info, required: true }
}

const fn keys(what: &'static str, keys: &'static [Key]) -> Keys {
    Keys { what, keys, also: &[], upper: None, names: None, empty_list: false, hint: None }
}

/// The settings of `app.json`, and of a document that holds a whole API.
pub static APP: Keys = keys(
    "the settings",
    &[
        key("title", Kind::Text, "What the API is called."),
        key("version", Kind::Text, "The version of the API."),
        key("info", Kind::Text, "What the API is for, in markdown."),
        key("contact", Kind::Object(&CONTACT), "Whom to ask."),
        key("license", Kind::Object(&LICENSE), "Under which licence the API may be used."),
        key("servers", Kind::List(&SERVER), "Where the API is served, for documents."),
        key("base", Kind::Text, "The path that all services stand below."),
        key("envelope", Kind::Text, "The shape of answers where a module does not say."),
        key("catalogue", Kind::Text, "The words of refusals in the `phalapi` envelope: `1.x`, `2.x` or `zh`."),
        key("phalapi", Kind::Object(&PHALAPI), "How the `phalapi` envelope answers."),
        key("iapi", Kind::Object(&IAPI), "How the `iapi` envelope answers."),
        key("common", Kind::Common, "Parameters that every method has, as in a tree or as rules."),
        key("unknown", Kind::Text, "What happens to parameters that a method does not have."),
        key("timezone", Kind::Text, "The zone of dates and times that name none."),
        key("types", Kind::Object(&TYPES), "The types that terms can name."),
        key("limits", Kind::Object(&LIMITS), "The most that a request may be."),
        key("unbound", Kind::Text, "What methods without a handler do."),
        key("bind", Kind::Text, "Where to listen, as `address:port`."),
        key("data", Kind::Text, "The folder of the server's own files."),
        key("files", Kind::Text, "The folder of stored files, where the program keeps any."),
        key("workers", Kind::Whole, "How many workers serve."),
        key("log", Kind::Text, "What is logged."),
        key("log_format", Kind::Text, "How it is logged."),
        key("compress", Kind::Bool, "Whether answers go out compressed to clients that take them so."),
        key("cors", Kind::Object(&CORS), "Which pages of other origins may call."),
        key("modules", Kind::Named(&MODULE), "The modules of a whole API, by name."),
        key("formats", Kind::Texts, "The formats of answers beside JSON, such as `xml`."),
        key("jsonp", Kind::Bool, "Whether public methods of GET answer JSONP, unless they say otherwise."),
        key("service", Kind::Object(&SERVICE), "Services named in the query of base, as PhalApi has them."),
        key("dispatch", Kind::Bool, "Whether base takes module and method in a body, as api 3.0 does."),
        key(
            "options",
            Kind::Text,
            "What of the API documents tell: `public`, all of it; `own`, what the asker may call.",
        ),
    ],
);

/// `contact` of the settings.
pub static CONTACT: Keys = keys(
    "a contact",
    &[key("name", Kind::Text, "A name."), key("url", Kind::Text, "A page."), key("email", Kind::Text, "An address.")],
);

/// `license` of the settings.
pub static LICENSE: Keys = keys(
    "a licence",
    &[
        required("name", Kind::Text, "Its name."),
        key("identifier", Kind::Text, "Its SPDX expression."),
        key("url", Kind::Text, "Its text."),
    ],
);

/// A member of `servers` of the settings.
pub static SERVER: Keys = keys(
    "a server",
    &[
        required("url", Kind::Text, "The address that paths are appended to."),
        key("info", Kind::Text, "Which one it is."),
    ],
);

/// `cors` of the settings.
pub static CORS: Keys = keys(
    "the settings for other origins",
    &[
        required("origins", Kind::Texts, "The origins whose pages may call, or `*` for all."),
        key("credentials", Kind::Bool, "Whether browsers may send what they have stored for the API, such as cookies."),
        key("headers", Kind::Texts, "Further header fields that pages may send."),
        key("expose", Kind::Texts, "Further header fields that pages may read."),
        key("max_age", Kind::Whole, "Seconds for which browsers may keep what they were allowed; 600 without it."),
    ],
);

/// `service` of the settings.
pub static SERVICE: Keys = keys(
    "the settings of services in the query",
    &[
        key("on", Kind::Bool, "Whether `?service=` and `?s=` are looked at."),
        key("default", Kind::Text, "The service that answers where none is named, as `Class.method`."),
    ],
);

/// `phalapi` of the settings.
pub static PHALAPI: Keys = keys(
    "the settings of the `phalapi` envelope",
    &[key("real_status", Kind::Bool, "Whether answers have their real HTTP status, and not 200 whatever they say.")],
);

/// `iapi` of the settings.
pub static IAPI: Keys = keys(
    "the settings of the `iapi` envelope",
    &[key("strict_status", Kind::Bool, "Whether answers have their real HTTP status where it would be 400.")],
);

/// `types` of the settings.
pub static TYPES: Keys = keys("the types", &[key("default", Kind::Bool, "Whether the built-in types can be named.")]);

/// `limits` of the settings.
pub static LIMITS: Keys = keys(
    "the limits",
    &[
        key("head", Kind::Whole, "Bytes of all header fields together."),
        key("uri", Kind::Whole, "Bytes of the request target."),
        key("body", Kind::Whole, "Bytes of a body that is no multipart one."),
        key("multipart", Kind::Whole, "Bytes of a multipart body, where the method's files do not need more."),
        key("part", Kind::Whole, "Bytes of one part of a multipart body, but of a file whose parameter says `max`."),
        key("parts", Kind::Whole, "Parts of a multipart body, where the method's parameters do not need more."),
        key("fields", Kind::Whole, "Fields of a query or body."),
        key("nesting", Kind::Whole, "Levels of arrays and objects in JSON, at most 126."),
        key("items", Kind::Whole, "Items of one array and members of one object in JSON."),
        key(
            "seconds",
            Kind::Whole,
            "Seconds until a body must have arrived; one more for each 16 KiB of a multipart one that came.",
        ),
        key("dispatch", Kind::Whole, "Bytes of a body that are read to find module and method in it."),
        key("link", Kind::Whole, "Seconds for which a link to a file is good, at most 31536000."),
        key("links", Kind::Whole, "Bytes of all files together that links lead to."),
    ],
);

/// A module: the top of a file.
pub static MODULE: Keys = Keys {
    what: "a module",
    keys: &[
        key("dialect", Kind::Text, "How the file is written."),
        key("module", Kind::Text, "The module's name; the file's without it."),
        key("info", Kind::Text, "What the module is about."),
        key("envelope", Kind::Text, "The shape of the module's answers."),
        key("ignore_case", Kind::Bool, "Whether URIs compare without regard to case."),
        key("repeated", Kind::Text, "What a parameter that stands twice does: `refuse` or `last`."),
    ],
    also: &[&URI],
    upper: Some(&METHOD),
    names: None,
    empty_list: false,
    hint: Some("URIs stand under `\"/\"`"),
};

/// A URI.
pub static URI: Keys = Keys {
    what: "a URI",
    keys: &[
        key("GET", Kind::Object(&METHOD), "What GET does here; HEAD does the same without the body."),
        key("POST", Kind::Object(&METHOD), "What POST does here."),
        key("PUT", Kind::Object(&METHOD), "What PUT does here."),
        key("DELETE", Kind::Object(&METHOD), "What DELETE does here."),
        key("PATCH", Kind::Object(&METHOD), "What PATCH does here."),
        key("/", Kind::Named(&URI), "The URIs under this one."),
    ],
    also: &[],
    upper: Some(&METHOD),
    names: None,
    empty_list: false,
    hint: Some("a URI has methods (`GET`), and under `\"/\"` further URIs"),
};

/// A method.
pub static METHOD: Keys = keys(
    "a method",
    &[
        key("id", Kind::Text, "Its name; made of path and HTTP method without it."),
        required("info", Kind::Text, "What it does."),
        key("scope", Kind::Scope, "Who may call it: an OR of ANDs of permissions."),
        key("in", Kind::Named(&PARAMETER), "What it takes."),
        key("out", Kind::Named(&OUTPUT), "What it returns."),
        key("errors", Kind::Named(&ERROR), "The errors of its own."),
        key("options", Kind::Object(&OPTIONS), "What else there is to say."),
    ],
);

/// A member of a flat list: a method with its path.
pub static FLAT: Keys = Keys {
    what: "a service of a list",
    keys: &[required("method", Kind::Text, "The HTTP method."), required("path", Kind::Text, "The whole path.")],
    also: &[&METHOD],
    upper: None,
    names: None,
    empty_list: false,
    hint: None,
};

/// A parameter.
pub static PARAMETER: Keys = Keys {
    what: "a parameter",
    keys: &[
        required("info", Kind::Text, "What it is."),
        required("type", Kind::Text, "What values it takes; a leading `?` makes it optional."),
        key("name", Kind::Text, "Its name in code."),
        key("default", Kind::Any, "What it holds when it is left out."),
        key("example", Kind::Any, "A value that shows it."),
        key("message", Kind::Text, "Words for the client when its value does not pass."),
    ],
    also: &[&ATTRIBUTES, &AFTER, &FIELDS],
    upper: None,
    names: None,
    empty_list: false,
    hint: None,
};

/// An output, or a field of an object.
pub static OUTPUT: Keys = Keys {
    what: "an output",
    keys: &[
        required("info", Kind::Text, "What it is."),
        required("type", Kind::Text, "What values it takes; a leading `?` lets it be missing."),
        key("name", Kind::Text, "Its name in aicra's code; nothing is made of it."),
        key("example", Kind::Any, "A value that shows it."),
    ],
    also: &[&ATTRIBUTES, &FIELDS],
    upper: None,
    names: None,
    empty_list: false,
    hint: None,
};

/// What stands beside a type, but for [`FIELDS`].
pub static ATTRIBUTES: Keys = keys(
    "a type",
    &[
        key("min", Kind::Any, "The least value, length, count or size."),
        key("max", Kind::Any, "The greatest value, length, count or size."),
        key("regex", Kind::Any, "The pattern that a text matches."),
        key("format", Kind::Any, "How a value is written."),
        key("separator", Kind::Any, "What stands between the items of an array in one text."),
        key("range", Kind::Any, "The values of an enum, or the media types of a file."),
        key("ext", Kind::Any, "The extensions of a file's name."),
        key("callback", Kind::Words, "The program's function that lets values of a `callable` pass."),
        key("params", Kind::Any, "What else that function, or a type of one's own, is told."),
        key("items", Kind::Object(&ITEMS), "What stands beside the type of the items of an array."),
    ],
);

/// What stands beside the type of items; their `fields` stand beside the array.
pub static ITEMS: Keys = Keys {
    also: &[&ATTRIBUTES],
    hint: Some(
        "what is here stands beside the type of the items, but for their `fields`, which stand beside the array",
    ),
    ..keys("the items", &[])
};

/// What stands beside the type of a parameter.
pub static AFTER: Keys = keys(
    "a type",
    &[key("after", Kind::Words, "The functions that a value goes through when it has passed, in order.")],
);

/// What stands beside the type of an object.
pub static FIELDS: Keys = keys("a type", &[key("fields", Kind::Named(&OUTPUT), "The members of an object.")]);

/// An error of a method's own.
pub static ERROR: Keys = keys(
    "an error",
    &[
        key("status", Kind::Whole, "The HTTP status."),
        required("info", Kind::Text, "When it happens, in words for the client."),
    ],
);

/// `options` of a method.
pub static OPTIONS: Keys = keys(
    "the options",
    &[
        key("status", Kind::Whole, "The HTTP status of a success."),
        key("download", Kind::Bool, "Whether it returns a file instead of outputs."),
        key("jsonp", Kind::Bool, "Whether it answers JSONP."),
        key("deprecated", Kind::Bool, "Whether clients should turn away from it."),
    ],
);
