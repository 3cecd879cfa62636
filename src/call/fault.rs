//! What is wrong with one parameter of a call.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut};

use super::{Broken, Objection, Value};

/// Where in a request a parameter stands. The names are OpenAPI's `in` where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// A captured or positional segment of the path.
    Path,
    /// The query.
    Query,
    /// The body.
    Body,
    /// The query or the body; the body wins.
    Any,
    /// A header field.
    Header,
    /// A cookie.
    Cookie,
}

impl Source {
    /// Its name in answers and documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Body => "body",
            Self::Any => "query or body",
            Self::Header => "header",
            Self::Cookie => "cookie",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How many characters of a client's value are told back.
const SHOWN: usize = 100;

/// A value that a check did not let pass. Boxed, so that the result of a check stays as small as a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch(Box<Details>);

/// What a [`Mismatch`] tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// What the type takes, to be read behind "expected": "a whole number from 1 to 5".
    pub expected: Cow<'static, str>,
    /// What came, shortened: `"abc"`, `null`, `3 items`.
    pub got: String,
    /// Where inside the value: empty for the whole, else like `[2].name`.
    pub at: String,
    /// The one rule that is broken, where it is one.
    pub broken: Option<Broken>,
}

impl Mismatch {
    /// `value` where `expected` was expected.
    pub fn new(expected: impl Into<Cow<'static, str>>, value: &Value<'_>) -> Self {
        Self::with_got(expected, shown(value))
    }

    /// The same, telling `got` instead of the value itself.
    pub fn with_got(expected: impl Into<Cow<'static, str>>, got: impl Into<String>) -> Self {
        Self(Box::new(Details { expected: expected.into(), got: got.into(), at: String::new(), broken: None }))
    }

    /// This mismatch as one inside the item or member `at` (`[2]`, `.name`) of a larger value.
    #[must_use]
    pub fn inside(mut self, at: &str) -> Self {
        self.0.at.insert_str(0, at);
        self
    }

    /// This mismatch as one of a single rule.
    #[must_use]
    pub fn breaking(mut self, broken: impl Into<Option<Broken>>) -> Self {
        self.0.broken = broken.into();
        self
    }

    /// What it tells.
    #[must_use]
    pub fn into_details(self) -> Details {
        *self.0
    }
}

impl Deref for Mismatch {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Mismatch {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

/// Whether what has this name is never told back.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    const WORDS: [&str; 7] = ["password", "passwd", "passphrase", "secret", "token", "api_key", "apikey"];
    let name = name.to_lowercase().replace('-', "_");
    WORDS.iter().any(|word| name.contains(word))
}

/// The first characters of a client's text, as many as are told back.
#[must_use]
pub fn shortened(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// The value without what its members' names tell to be secret, also where it is the text of an object that
/// could not be read.
fn masked<'a>(value: &'a Value<'_>) -> Value<'a> {
    match value {
        Value::Text(text) if text.trim_start().starts_with(['{', '[']) && is_secret_name(text) => {
            Value::Text("…".into())
        }
        Value::List(items) => Value::List(items.iter().map(masked).collect()),
        Value::Map(members) => {
            let shown =
                |name: &str, member| if is_secret_name(name) { Value::Text("…".into()) } else { masked(member) };
            Value::Map(members.iter().map(|(name, member)| (Cow::Borrowed(&**name), shown(name, member))).collect())
        }
        other => other.reborrow(),
    }
}

/// A value as it is told back to a client: JSON, cut at 100 characters; never a file's content or a secret.
fn shown(value: &Value<'_>) -> String {
    match value {
        Value::List(items) if items.len() > SHOWN => format!("{} items", items.len()),
        Value::Map(members) if members.len() > SHOWN => format!("{} members", members.len()),
        Value::File(upload) => {
            let (name, size, media_type) = (Json(upload.filename()), upload.size(), upload.media_type());
            cut(&format!("the file {name} of {size} bytes, {media_type}"))
        }
        Value::Text(text) if text.chars().nth(SHOWN).is_some() => match masked(value) {
            Value::Text(text) => cut(&Json(&shortened(&text))),
            other => other.kind().to_owned(),
        },
        other => cut(&serde_json::to_string(&masked(other)).unwrap_or_else(|_| other.kind().to_owned())),
    }
}

fn cut(text: &(impl fmt::Display + ?Sized)) -> String {
    let text = text.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A text as a JSON string.
struct Json<'a>(&'a str);

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self.0).unwrap_or_default())
    }
}

/// In which way a parameter is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// It is required and not there.
    Missing,
    /// Its value does not pass.
    Invalid,
    /// It stands more than once and takes one value.
    Repeated,
    /// The method has no such parameter (only where unknown ones are refused).
    Unknown,
}

/// A parameter at fault: which, where it was looked for, what was expected and what came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// In which way.
    pub kind: FaultKind,
    /// The parameter as the client writes it; `article_id`, `tags[2].name`.
    pub parameter: String,
    /// Where it was looked for.
    pub source: Source,
    /// What would pass.
    pub expected: Cow<'static, str>,
    /// What came; none where nothing came or where it may be a secret.
    pub got: Option<String>,
    /// The definition's own words for this, where it has some.
    pub message: Option<Box<str>>,
    /// The one rule that is broken, where it is one; none where it would tell a secret.
    pub broken: Option<Box<Broken>>,
}

impl Fault {
    /// What a function or type of the program says, where it is what the client is told.
    #[must_use]
    pub fn objection(&self) -> Option<&Objection> {
        match self.broken.as_deref() {
            Some(Broken::Own(objection)) if self.message.is_none() => Some(objection),
            _ => None,
        }
    }
}
