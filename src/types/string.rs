//! `string`: texts, bounded in length, of a pattern, or of another type's texts.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::bounds::Bounds;
use super::check::{example, passing};
use super::pattern::Pattern;
use super::{Argument, ArgumentError, Arguments, Check, Written};
use crate::call::{Broken, Measure, Mismatch, Value};

/// Texts. Lengths count code points.
#[derive(Debug)]
pub(super) struct Text {
    name: &'static str,
    length: Bounds<u64>,
    pattern: Option<Pattern>,
    /// `varchar(a,b,T)`: the type that texts are of too.
    also: Option<Arc<dyn Check>>,
}

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(Text::read("string", arguments)?))
}

impl Text {
    pub(super) fn read(name: &'static str, arguments: &Arguments<'_>) -> Result<Self, ArgumentError> {
        let also = match arguments.terms {
            [] | [_] | [_, _] => None,
            [_, _, Argument::Type(also)] => Some(Arc::clone(also)),
            _ => {
                return Err(arguments
                    .bad(format!("`{}` takes too many arguments", arguments.name))
                    .help("write `string(n)`, `string(a,b)` or `varchar(a,b,type)`"));
            }
        };
        let length = Bounds::read(arguments, true)?;
        let text = Self {
            name,
            length,
            pattern: Pattern::read(arguments)?,
            // Every text is a plain one.
            also: also.filter(|also| also.written() != Written::term("string")),
        };
        if let Some(also) = &text.also
            && !also.extremes().iter().any(|value| matches!(value, Value::Text(_)))
            && !takes_texts(&**also)
        {
            return Err(arguments
                .bad(format!("`{}` takes no texts", also.written().term))
                .help(format!("the third argument of `{}` is a type of texts", arguments.name)));
        }
        Ok(text)
    }

    pub(super) fn length(&self) -> &Bounds<u64> {
        &self.length
    }

    /// Whether any text of an allowed length passes.
    pub(super) fn is_plain(&self) -> bool {
        self.pattern.is_none() && self.also.is_none()
    }

    /// Which rule a value that does not pass breaks.
    fn broken(&self, value: &Value<'_>) -> Option<Broken> {
        let Value::Text(text) = value else { return None };
        let length = text.chars().count() as u64;
        let matches = self.pattern.as_ref().is_none_or(|pattern| pattern.matches(text));
        Broken::bounds(Measure::Length, self.length.min, self.length.max, length)
            .or_else(|| (!matches).then_some(Broken::Pattern))
    }

    fn passes(&self, text: &str) -> bool {
        (self.length.is_open() || self.length.holds(text.chars().count()))
            && self.pattern.as_ref().is_none_or(|pattern| pattern.matches(text))
            && self.also.as_ref().is_none_or(|also| also.check(Value::Text(Cow::Borrowed(text))).is_ok())
    }
}

/// Whether some texts pass a check that gives other values, as `text_id` does.
fn takes_texts(check: &dyn Check) -> bool {
    ["0", "1", "true", "null"].into_iter().any(|text| check.check(Value::Text(Cow::Borrowed(text))).is_ok())
}

/// The longest text that extremes are made of.
const LONG: u64 = 4096;

/// `unit` so many times, unless that is too long to try anything with.
pub(super) fn repeated(unit: &str, times: u64) -> Option<Value<'static>> {
    let times = usize::try_from(times).ok().filter(|_| times <= LONG)?;
    Some(Value::Text(Cow::Owned(unit.repeat(times))))
}

/// What examples are, where it is of a fitting length.
const WORDS: [&str; 4] = ["text", "abc", "ab", "a"];

/// A text of words, so many characters long.
fn words(length: u64) -> String {
    let mut words: String = "a text of several words ".chars().cycle().take(length as usize).collect();
    // No blank stands at the end.
    if words.ends_with(' ') {
        words.pop();
        words.push('.');
    }
    words
}

impl Check for Text {
    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        match &value {
            Value::Text(text) if self.passes(text) => Ok(value),
            _ => Err(Mismatch::new(self.expected(), &value).breaking(self.broken(&value))),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        let mut words = format!("a text{}", self.length.count("character"));
        if let Some(pattern) = &self.pattern {
            words.push_str(" that matches ");
            words.push_str(pattern.written());
        }
        if let Some(also) = &self.also {
            words.push_str(" that is ");
            words.push_str(&also.expected());
        }
        words.into()
    }

    fn schema(&self) -> Json {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("string"));
        self.length.describe(&mut schema, "minLength", "maxLength");
        if let Some(pattern) = &self.pattern {
            schema.insert("pattern".to_owned(), json!(pattern.ecma()));
        }
        if let Some(also) = &self.also {
            schema.insert("allOf".to_owned(), json!([also.schema()]));
        }
        Json::Object(schema)
    }

    fn written(&self) -> Written {
        let mut written = match (&self.also, self.length) {
            (Some(also), Bounds { min: Some(min), max: Some(max) }) => {
                Written::term(format!("varchar({min},{max},{})", also.written().term))
            }
            (_, length) => length.write(self.name, true),
        };
        if let Some(pattern) = &self.pattern {
            written.attributes.insert("regex".to_owned(), json!(pattern.written()));
        }
        written
    }

    fn extremes(&self) -> Vec<Value<'static>> {
        let bounds = [self.length.min, self.length.max];
        let mut candidates: Vec<_> = bounds.into_iter().flatten().filter_map(|length| repeated("a", length)).collect();
        candidates.extend(["", "a", "0"].map(|text| Value::Text(Cow::Borrowed(text))));
        if let Some(sample) = self.pattern.as_ref().and_then(Pattern::sample) {
            candidates.push(Value::Text(Cow::Owned(sample)));
        }
        if let Some(also) = &self.also {
            candidates.extend(also.extremes());
        }
        passing(self, candidates)
    }

    fn example(&self) -> Option<Value<'static>> {
        let least = self.length.min.unwrap_or(0).min(LONG);
        let also = self.also.as_ref().and_then(|also| also.example());
        let short = self.pattern.iter().flat_map(Pattern::samples);
        // A pattern that says nothing of the end of a text matches longer ones too.
        let long = self.pattern.iter().flat_map(Pattern::samples);
        let long = long.map(|text| format!("{text} {}", words(least.saturating_sub(text.chars().count() as u64 + 1))));
        let free = WORDS.iter().map(|text| (*text).to_owned());
        let usual = free.clone().take(1).chain(short).chain(long).chain(free).chain([words(least)]);
        let texts = usual.map(|text| Value::Text(Cow::Owned(text)));
        example(self, also.into_iter().chain(texts))
    }
}
