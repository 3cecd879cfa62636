//! `enum(a|b|c)`: one of a set of words.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{Argument, ArgumentError, ArgumentErrorKind, Arguments, Check, Written};
use crate::call::{Broken, Mismatch, Value, shortened};

/// How many words are told in [`Check::expected`].
const TOLD: usize = 20;

#[derive(Debug)]
struct Enumeration {
    words: Vec<String>,
}

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    let words = match (arguments.terms, arguments.texts("range")?) {
        ([], Some(words)) if arguments.attributes.get("range").is_some_and(Json::is_array) => words,
        ([], Some(_)) => {
            return Err(arguments.bad("`range` is a list of words").at("range").help("write `[\"a\", \"b\"]`"));
        }
        ([], None) => Vec::new(),
        ([Argument::Word(words)], None) => words.split('|').map(str::to_owned).collect(),
        (_, Some(_)) => {
            return Err(arguments
                .bad("the words are written twice, in the term and beside it")
                .at("range")
                .help("leave `range` out"));
        }
        _ => {
            return Err(arguments
                .bad("`enum` takes words with `|` between them")
                .help("write `enum(a|b|c)`, or the words as a list in `range`"));
        }
    };
    let mut seen = HashSet::with_capacity(words.len());
    if let Some(word) = words.iter().find(|word| !seen.insert(word.as_str())) {
        return Err(arguments.bad(format!("the word `{word}` stands twice")));
    }
    let in_term = !arguments.terms.is_empty();
    if in_term && words.iter().any(String::is_empty) {
        return Err(arguments
            .bad("a word of `enum` is empty")
            .help("write the words as a list in `range` if one is meant to be empty"));
    }
    if words.is_empty() {
        let error = ArgumentError::new(ArgumentErrorKind::MissingRange, "`enum` needs the words that it takes");
        return Err(error.help("write `enum(a|b|c)`, or the words as a list in `range`"));
    }
    Ok(Arc::new(Enumeration { words }))
}

/// Whether a word can stand in a term.
fn is_simple(word: &str) -> bool {
    let quoted = |c: char| matches!(c, '|' | ',' | '(' | ')' | '<' | '>') || c.is_whitespace() || c.is_control();
    !word.is_empty() && !word.contains(quoted)
}

impl Enumeration {
    /// As many words as are told of it, and what came instead of one.
    fn broken(&self, text: &str) -> Broken {
        let more = if self.words.len() > TOLD { "/…" } else { "" };
        let words = format!("{}{more}", self.words[..self.words.len().min(TOLD)].join("/"));
        Broken::Words { words, got: shortened(text) }
    }
}

impl Check for Enumeration {
    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        match &value {
            Value::Text(text) if self.words.iter().any(|word| word == text) => Ok(value),
            Value::Text(text) => Err(Mismatch::new(self.expected(), &value).breaking(self.broken(text))),
            _ => Err(Mismatch::new(self.expected(), &value)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        let told = self.words[..self.words.len().min(TOLD)].join(", ");
        let more = if self.words.len() > TOLD { ", …" } else { "" };
        format!("one of {told}{more}").into()
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "enum": self.words })
    }

    fn written(&self) -> Written {
        if self.words.iter().all(|word| is_simple(word)) {
            return Written::term(format!("enum({})", self.words.join("|")));
        }
        let mut written = Written::term("enum");
        written.attributes.insert("range".to_owned(), json!(self.words));
        written
    }

    fn extremes(&self) -> Vec<Value<'static>> {
        // Every word: a handler's enumeration may have forgotten any of them.
        self.words.iter().map(|word| Value::Text(Cow::Owned(word.clone()))).collect()
    }

    fn example(&self) -> Option<Value<'static>> {
        let word = self.words.iter().find(|word| !word.is_empty()).or(self.words.first())?;
        Some(Value::Text(Cow::Owned(word.clone())))
    }
}
