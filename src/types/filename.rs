//! `filename`: what a stored file or folder is called, below the folder that all are in.
//!
//! What passes the check passes the schema, but not the reverse: a schema says the rules of names and the patterns
//! roughly.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::check::{example, passing};
use super::pattern::names::{self, NamePatterns};
use super::{Argument, ArgumentError, Arguments, Check, Written};
use crate::call::{Mismatch, Value};
use crate::filename::{Name, PatternError, Patterns, regex};

#[derive(Debug)]
struct Filename {
    /// As they are written; any name where there are none.
    written: Vec<String>,
    patterns: Patterns,
    /// The patterns in one, for the schema.
    ecma: Option<String>,
    /// Names that are like them.
    samples: Vec<String>,
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
    let error = |error: PatternError| {
        let error = arguments.bad(error.to_string());
        if arguments.terms.is_empty() { error.at("range") } else { error }
    };
    let patterns = Patterns::new(&written).map_err(error)?;
    if written.is_empty() {
        return Ok(Arc::new(Filename { written, patterns, ecma: Some(names::ANY.to_owned()), samples: Vec::new() }));
    }
    let regexes = written.iter().map(|pattern| regex(pattern)).collect::<Result<Vec<_>, _>>().map_err(error)?;
    let read = NamePatterns::parse(regexes.iter().map(String::as_str));
    let ecma = read.as_ref().and_then(NamePatterns::ecma);
    let samples = read.iter().flat_map(NamePatterns::samples).take(SAMPLES).collect();
    Ok(Arc::new(Filename { written, patterns, ecma, samples }))
}

/// The most names that extremes are made of.
const SAMPLES: usize = 16;

/// Whether a pattern can stand in a term.
fn is_simple(pattern: &str) -> bool {
    let quoted = |c: char| matches!(c, '|' | ',' | '(' | ')' | '<' | '>') || c.is_whitespace() || c.is_control();
    !pattern.is_empty() && !pattern.contains(quoted)
}

/// A name that is perhaps like a pattern: words in place of its wildcards.
fn readable(pattern: &str) -> String {
    let name = match pattern.strip_suffix("**").or_else(|| pattern.strip_suffix('*')) {
        Some(folder) => format!("{folder}report.txt"),
        None => pattern.to_owned(),
    };
    name.replace("**", "folder").replace('*', "report").replace('?', "1")
}

impl Check for Filename {
    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        let Value::Text(text) = &value else { return Err(Mismatch::new(self.expected(), &value)) };
        match Name::parse(text) {
            Ok(name) if !self.written.is_empty() && !self.patterns.allows(&name) => {
                Err(Mismatch::new(self.expected(), &value))
            }
            Ok(name) if name.as_str() == text => Ok(value),
            Ok(name) => Ok(Value::Text(Cow::Owned(name.to_string()))),
            Err(flaw) => Err(Mismatch::new(format!("the name of a file ({flaw})"), &value)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        if self.written.is_empty() {
            return "the name of a file, `/` between its parts".into();
        }
        format!("the name of a file that is like {}", self.written.join(" or ")).into()
    }

    fn schema(&self) -> Json {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("string"));
        schema.insert("minLength".to_owned(), json!(1));
        // A character has a byte at least.
        schema.insert("maxLength".to_owned(), json!(Name::LONGEST));
        schema.extend(self.ecma.as_ref().map(|pattern| ("pattern".to_owned(), json!(pattern))));
        Json::Object(schema)
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
        let known = ["a", "./folder/é.txt"].map(|name| Value::Text(name.into()));
        let own = self.samples.iter().map(|name| Value::Text(name.clone().into()));
        passing(self, known.into_iter().chain(own).collect())
    }

    fn example(&self) -> Option<Value<'static>> {
        let own = self.written.iter().map(|pattern| readable(pattern));
        let names = own.chain(["folder/report.txt".to_owned()]).chain(self.samples.iter().cloned());
        example(self, names.map(|name| Value::Text(name.into())))
    }
}
