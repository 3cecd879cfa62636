//! `float`: finite numbers.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::bounds::Bounds;
use super::check::{example, passing};
use super::{ArgumentError, Arguments, Check, Written, number};
use crate::call::{Broken, Measure, Mismatch, Value};

/// The finite numbers, as far as the bounds let them pass.
#[derive(Debug, Clone)]
pub(super) struct Float {
    name: &'static str,
    bounds: Bounds<f64>,
}

/// What examples are, where it is inside of the bounds.
const USUAL: [f64; 6] = [1.5, 0.5, 42.0, 10.0, 100.0, -1.5];

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(Float::read("float", arguments)?))
}

impl Float {
    pub(super) fn read(name: &'static str, arguments: &Arguments<'_>) -> Result<Self, ArgumentError> {
        if arguments.terms.len() > 2 {
            return Err(arguments.bad(format!("`{name}` takes two bounds")));
        }
        let bounds = Bounds::read(arguments, false)?;
        Ok(Self { name, bounds })
    }

    fn mismatch(&self, value: &Value<'_>) -> Mismatch {
        let broken = match value {
            Value::Int(int) => Some(*int as f64),
            Value::Uint(uint) => Some(*uint as f64),
            Value::Float(float) => Some(*float),
            _ => None,
        };
        let bounds = |float| Broken::bounds(Measure::Value, self.bounds.min, self.bounds.max, float);
        Mismatch::new(self.expected(), value).breaking(broken.and_then(bounds))
    }

    /// The bounds, for what JSON Schema cannot say of texts.
    pub(super) fn bounds(&self) -> &Bounds<f64> {
        &self.bounds
    }
}

impl Check for Float {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        number::decode_float(text)
    }

    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        let passes = match &value {
            Value::Int(_) | Value::Uint(_) | Value::Float(_) => {
                let outside = |bound: Option<f64>, side| {
                    bound.is_some_and(|bound| number::compare(&value, bound).is_none_or(|order| order == side))
                };
                !outside(self.bounds.min, Ordering::Less) && !outside(self.bounds.max, Ordering::Greater)
            }
            _ => false,
        };
        if passes { Ok(number::normal(value)) } else { Err(self.mismatch(&value)) }
    }

    fn expected(&self) -> Cow<'static, str> {
        format!("a number{}", self.bounds.range()).into()
    }

    fn schema(&self) -> Json {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("number"));
        self.bounds.describe(&mut schema, "minimum", "maximum");
        Json::Object(schema)
    }

    fn written(&self) -> Written {
        self.bounds.write(self.name, false)
    }

    fn extremes(&self) -> Vec<Value<'static>> {
        let bounds = [self.bounds.min, self.bounds.max].into_iter().flatten();
        let candidates = bounds.chain([0.5, -1.5, 0.0, f64::MIN, f64::MAX]);
        passing(self, candidates.map(Value::Float).map(number::normal).collect())
    }

    fn example(&self) -> Option<Value<'static>> {
        let (min, max) = (self.bounds.min, self.bounds.max);
        let inside = |number: &f64| min.is_none_or(|min| min < *number) && max.is_none_or(|max| *number < max);
        let middle = min.zip(max).map(|(min, max)| min / 2.0 + max / 2.0);
        let candidates = USUAL.into_iter().filter(inside).chain(middle);
        example(self, candidates.map(Value::Float).map(number::normal))
    }
}
