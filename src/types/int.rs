//! `int`, `uint` and `id`: whole numbers, which differ in what they hold.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::bounds::{Bound, Bounds};
use super::check::passing;
use super::{ArgumentError, Arguments, Check, Written, number};
use crate::call::{Broken, Measure, Mismatch, Value};

/// The whole numbers from `low` to `high`, as far as the bounds let them pass.
#[derive(Debug, Clone)]
pub(super) struct Int {
    name: &'static str,
    low: i128,
    high: i128,
    bounds: Bounds<i128>,
}

const I64: (i128, i128) = (i64::MIN as i128, i64::MAX as i128);
const U64: (i128, i128) = (0, u64::MAX as i128);

/// What a database's signed 32 bits hold, without the negative ones.
const ID: (i128, i128) = (0, i32::MAX as i128);

/// What examples are, where it is inside of the bounds.
const USUAL: [i128; 12] = [1, 42, 10, 5, 3, 2, 100, 1000, -1, -10, -42, -100];

/// Between bounds that are farther apart the middle is no pleasant number.
const FAR: i128 = 1_000_000;

pub(super) fn int(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(Int::read("int", I64, arguments)?))
}

pub(super) fn uint(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(Int::read("uint", U64, arguments)?))
}

pub(super) fn id(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(Int::read("id", ID, arguments)?))
}

impl Int {
    /// The numbers of `loose_int`.
    pub(super) fn loose(arguments: &Arguments<'_>) -> Result<Self, ArgumentError> {
        Self::read("loose_int", I64, arguments)
    }

    /// The numbers of `text_id`.
    pub(super) fn text_id(arguments: &Arguments<'_>) -> Result<Self, ArgumentError> {
        Self::read("text_id", ID, arguments)
    }

    fn read(name: &'static str, (low, high): (i128, i128), arguments: &Arguments<'_>) -> Result<Self, ArgumentError> {
        if arguments.terms.len() > 2 {
            return Err(arguments.bad(format!("`{name}` takes two bounds")));
        }
        let bounds = Bounds::read(arguments, false)?;
        if let Some(beyond) = [bounds.min, bounds.max].into_iter().flatten().find(|bound| !(low..=high).contains(bound))
        {
            return Err(arguments
                .bad(format!("the bound {beyond} is no value of `{name}`"))
                .help(format!("`{name}` holds {low} to {high}")));
        }
        Ok(Self {
            name,
            low,
            high,
            // A bound that the type has anyway is none: one type, one way to write it.
            bounds: Bounds { min: bounds.min.filter(|min| *min != low), max: bounds.max.filter(|max| *max != high) },
        })
    }

    /// The least number that passes.
    pub(super) fn min(&self) -> i128 {
        self.bounds.min.unwrap_or(self.low)
    }

    /// The greatest number that passes.
    pub(super) fn max(&self) -> i128 {
        self.bounds.max.unwrap_or(self.high)
    }

    /// `value` does not pass; `whole` is the number that it was read as.
    pub(super) fn mismatch(&self, value: &Value<'_>, whole: Option<i128>) -> Mismatch {
        let bounds = |whole| Broken::bounds(Measure::Value, Some(self.min()), Some(self.max()), whole);
        Mismatch::new(self.expected(), value).breaking(whole.and_then(bounds))
    }

    /// `whole` as a value, if it passes.
    pub(super) fn value(&self, whole: i128) -> Option<Value<'static>> {
        (self.min()..=self.max()).contains(&whole).then(|| number::value_of(whole)).flatten()
    }
}

impl Check for Int {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        number::decode_whole(text)
    }

    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        let whole = number::whole(&value);
        whole.and_then(|whole| self.value(whole)).ok_or_else(|| self.mismatch(&value, whole))
    }

    fn expected(&self) -> Cow<'static, str> {
        // That a number fits 64 bits is told where nothing else is, as it is of no use to most.
        let told = Bounds {
            min: Some(self.min()).filter(|min| *min != I64.0),
            max: Some(self.max()).filter(|max| *max != I64.1 && *max != U64.1),
        };
        if told.is_open() {
            Cow::Borrowed("a whole number of 64 bits")
        } else {
            format!("a whole number{}", told.range()).into()
        }
    }

    fn schema(&self) -> Json {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("integer"));
        schema.insert("minimum".to_owned(), self.min().json());
        schema.insert("maximum".to_owned(), self.max().json());
        Json::Object(schema)
    }

    fn written(&self) -> Written {
        let mut bounds = self.bounds;
        // A lower bound of 0 is said easily, so that the upper one can stand in the term.
        if bounds.max.is_some() && self.low == 0 {
            bounds.min = bounds.min.or(Some(0));
        }
        bounds.write(self.name, false)
    }

    fn extremes(&self) -> Vec<Value<'static>> {
        let candidates = [self.min(), 0, self.max()];
        passing(self, candidates.into_iter().filter_map(number::value_of).collect())
    }

    fn example(&self) -> Option<Value<'static>> {
        let inside = |number: &i128| self.min() < *number && *number < self.max();
        let usual = USUAL.into_iter().find(inside);
        let between = match self.max() - self.min() {
            distance if distance < FAR => self.min() + distance / 2,
            _ if self.min() == self.low => self.max() - 1,
            _ => self.min() + 1,
        };
        number::value_of(usual.unwrap_or(between))
    }
}
