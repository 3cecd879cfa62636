//! `loose_float`: a `float`, also as a text in JSON, with a `+`, leading zeros, `.5` or `5.`.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::float::Float;
use super::formats::FLOAT_TEXT;
use super::{ArgumentError, Arguments, Check, Written, number};
use crate::call::{Mismatch, Value};

#[derive(Debug)]
struct LooseFloat(Float);

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(LooseFloat(Float::read("loose_float", arguments)?)))
}

/// [`read`]'s grammar as a pattern.
const PATTERN: &str = "^[+\\-]?(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(?:[Ee][+\\-]?[0-9]+)?$";

/// The finite number that a text says.
fn read(text: &str) -> Option<Value<'static>> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.is_empty() || number::is_digits(text);
    let follows = digits(integer)
        && digits(fraction)
        && !(integer.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| number::is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    follows.then(|| number::parse_float(text)).flatten()
}

impl Check for LooseFloat {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        read(&text).unwrap_or(Value::Text(text))
    }

    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        match &value {
            Value::Text(text) => match read(text) {
                Some(number) => self
                    .0
                    .check(number)
                    .map_err(|inner| Mismatch::new(self.expected(), &value).breaking(inner.into_details().broken)),
                None => Err(Mismatch::new(self.expected(), &value)),
            },
            _ => self.0.check(value),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        self.0.expected()
    }

    fn schema(&self) -> Json {
        let mut text = Map::new();
        text.insert("type".to_owned(), json!("string"));
        text.insert("pattern".to_owned(), json!(PATTERN));
        // Which exponents are too large, and how texts compare, no pattern can say.
        text.insert("format".to_owned(), json!(FLOAT_TEXT));
        self.0.bounds().describe(&mut text, "formatMinimum", "formatMaximum");
        json!({ "anyOf": [self.0.schema(), text] })
    }

    fn written(&self) -> Written {
        self.0.written()
    }

    fn extremes(&self) -> Vec<Value<'static>> {
        self.0.extremes()
    }

    fn example(&self) -> Option<Value<'static>> {
        self.0.example()
    }
}
