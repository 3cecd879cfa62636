//! `digest(n)`: the small hexadecimal digits of a digest, n of them.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::bounds::Bounds;
use super::{ArgumentError, Arguments, Check, Written};
use crate::call::{Mismatch, Value};

#[derive(Debug)]
struct Digest {
    length: u64,
}

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    match Bounds::read(arguments, true)? {
        Bounds { min: Some(min), max: Some(max) } if arguments.terms.len() == 1 && min == max && min > 0 => {
            Ok(Arc::new(Digest { length: min }))
        }
        _ => Err(arguments.bad("`digest` takes the number of its digits").help("write `digest(64)`")),
    }
}

/// The digits that examples are made of.
const DIGITS: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The most digits of an example.
const LONGEST: usize = 1024;

impl Check for Digest {
    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        match &value {
            Value::Text(text)
                if text.len() as u64 == self.length
                    && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) =>
            {
                Ok(value)
            }
            _ => Err(Mismatch::new(self.expected(), &value)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        format!("a digest of {} hexadecimal digits (0-9, a-f)", self.length).into()
    }

    fn schema(&self) -> Json {
        json!({
            "type": "string",
            "minLength": self.length,
            "maxLength": self.length,
            "pattern": "^[0-9a-f]*$",
        })
    }

    fn written(&self) -> Written {
        Written::term(format!("digest({})", self.length))
    }

    fn extremes(&self) -> Vec<Value<'static>> {
        super::string::repeated("f", self.length).into_iter().collect()
    }

    fn example(&self) -> Option<Value<'static>> {
        let length = usize::try_from(self.length).ok()?;
        let digits = DIGITS.chars().cycle().take(length.min(LONGEST)).collect();
        super::check::example(self, [Value::Text(Cow::Owned(digits))])
    }
}
