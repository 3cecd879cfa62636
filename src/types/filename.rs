//! `filename`: what a stored file or folder is called, below the folder that all are in.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{Argument, ArgumentError, Arguments, Check, Written};
use crate::call::{Mismatch, Value};
use crate::filename::{Name, Patterns};

#[derive(Debug)]
struct Filename {
    /// As they are written; any name where there are none.
    written: Vec<String>,
    patterns: Patterns,
}

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    let written = match (arguments.terms, arguments.texts("range")?) {
        ([], range) => range.unwrap_or_default(),
        ([Argument::Word(patterns)], None) => patterns.split('|').map(str::to_owned).collect(),
        ([Argument::Word(_)], Some(_)) => {
            let error = arguments.bad("the patterns are written twice, in the term and beside it").at("range");
            return Err(error.help("leave `range` out"));
        }
        _ => {
            let error = arguments.bad("`filename` takes patterns with `|` between them");
            return Err(error.help("write `filename(public/**|cache/*.json)`, or the patterns as a list in `range`"));
        }
    };
    let patterns = Patterns::new(&written).map_err(|error| {
        let error = arguments.bad(error.to_string());
        if arguments.terms.is_empty() { error.at("range") } else { error }
    })?;
    Ok(Arc::new(Filename { written, patterns }))
}

/// Whether a pattern can stand in a term.
fn is_simple(pattern: &str) -> bool {
    let quoted = |c: char| matches!(c, '|' | ',' | '(' | ')' | '<' | '>') || c.is_whitespace() || c.is_control();
    !pattern.is_empty() && !pattern.contains(quoted)
}

impl Filename {
    fn parse(&self, text: &str) -> Option<Name> {
        Name::parse(text).ok().filter(|name| self.written.is_empty() || self.patterns.allows(name))
    }
}

impl Check for Filename {
    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        let Value::Text(text) = &value else { return Err(Mismatch::new(self.expected(), &value)) };
        match self.parse(text) {
            Some(name) if name.as_str() == text => Ok(value),
            Some(name) => Ok(Value::Text(Cow::Owned(name.to_string()))),
            None => Err(Mismatch::new(self.expected(), &value)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        if self.written.is_empty() {
            return "the name of a file, `/` between its parts".into();
        }
        format!("the name of a file that is like {}", self.written.join(" or ")).into()
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "minLength": 1, "maxLength": 1024 })
    }

    fn written(&self) -> Written {
        if self.written.is_empty() {
            return Written::term("filename");
        }
        if self.written.iter().all(|pattern| is_simple(pattern)) {
            return Written::term(format!("filename({})", self.written.join("|")));
        }
        let mut written = Written::term("filename");
        written.attributes.insert("range".to_owned(), json!(self.written));
        written
    }

    fn is_early(&self) -> bool {
        true
    }

    fn extremes(&self) -> Vec<Value<'static>> {
        let candidates = vec![Value::Text("a".into()), Value::Text("a/b".into())];
        super::check::passing(self, candidates)
    }
}
