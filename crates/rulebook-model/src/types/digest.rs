//! The type `digest(n)`: a text of n lower-case hexadecimal digits.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::bounds::Bounds;
use super::{ArgumentError, Check, TypeArguments, TypeExpr};
use crate::call::{TypeMismatch, Value};

#[derive(Debug)]
struct DigestCheck {
    length: u64,
}

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    match Bounds::from_arguments(arguments, true)? {
        Bounds { min: Some(min), max: Some(max) } if arguments.positional.len() == 1 && min == max && min > 0 => {
            Ok(Arc::new(DigestCheck { length: min }))
        }
        _ => Err(arguments.error("`digest` requires the number of digits").help("write `digest(64)`")),
    }
}

/// The digits of generated examples. Longer examples repeat these digits.
const EXAMPLE_DIGITS: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const MAX_EXAMPLE_LEN: usize = 1024;

impl Check for DigestCheck {
    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        match value {
            Value::Text(text)
                if text.len() as u64 == self.length
                    && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) =>
            {
                Ok(())
            }
            _ => Err(TypeMismatch::new(self.expected(), value)),
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

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term(format!("digest({})", self.length))
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        super::string::repeated_text("f", self.length).into_iter().collect()
    }

    fn example(&self) -> Option<Value<'static>> {
        let length = usize::try_from(self.length).ok()?;
        let digits = EXAMPLE_DIGITS.chars().cycle().take(length.min(MAX_EXAMPLE_LEN)).collect();
        super::check::first_valid_value(self, [Value::Text(Cow::Owned(digits))])
    }
}
