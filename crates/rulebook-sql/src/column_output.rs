//! What a column becomes: the values that its output accepts.

use std::borrow::Cow;
use std::mem::discriminant;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rulebook::types::{Check, Structure, Value};
use serde_json::{Value as Json, json};

use crate::moments::{with_zone, without_fraction};
use crate::raw_value::FLOAT_DIGITS;
use crate::target::{Target, scalar_expr};

/// The maximum number of dimensions of an array of PostgreSQL. A schema can be an array of itself.
const MAX_DIMENSIONS: usize = 6;
/// The maximum depth in a JSON value at which its decimals are found.
const MAX_DECIMAL_DEPTH: usize = 6;

#[derive(Debug, Clone)]
pub(crate) struct ColumnOutput {
    pub target: Target,
    /// `true` if a row without the column is valid. In a statement whose columns are known, outputs need all of them.
    pub may_be_missing: bool,
    pub accepts_null: bool,
    /// `true` if a row with null has no such output: it can be left out, but cannot be null.
    pub omits_null: bool,
    /// The items, if the output accepts arrays.
    pub items: Option<Box<ColumnOutput>>,
    pub accepts_objects: bool,
    /// Where an array or object has decimals, which databases write as numbers there; `None` if it has none.
    decimals: Option<Arc<Decimals>>,
    /// The type of the output; `None` if it accepts any value, or the definition contains none.
    check: Option<Arc<dyn Check>>,
    /// `true` if the log contains that the column has a value that the output cannot express.
    is_reported: Arc<AtomicBool>,
}

impl From<Target> for ColumnOutput {
    fn from(target: Target) -> Self {
        Self {
            target,
            may_be_missing: true,
            accepts_null: true,
            omits_null: false,
            items: None,
            accepts_objects: false,
            decimals: None,
            check: None,
            is_reported: Arc::default(),
        }
    }
}

impl ColumnOutput {
    /// Returns what is known about an output of a type. An optional output may be null.
    pub(crate) fn of(check: &Arc<dyn Check>, is_optional: bool) -> Self {
        Self::of_dimension(check, is_optional, 0)
    }

    fn of_dimension(check: &Arc<dyn Check>, is_optional: bool, dimension: usize) -> Self {
        let target = Target::of(&**check);
        let (items, accepts_objects) = match target {
            Target::Nested => nested(&**check, dimension),
            Target::Any => (Some(Box::new(Target::Any.into())), true),
            _ => (None, false),
        };
        Self {
            accepts_null: is_optional || check.checked(Value::Null).is_ok(),
            omits_null: is_optional && check.refuses_null(),
            decimals: if target == Target::Nested { Decimals::of(check, 0).map(Arc::new) } else { None },
            items,
            accepts_objects,
            check: (check.schema() != json!({})).then(|| Arc::clone(check)),
            ..target.into()
        }
    }

    /// Returns what a column becomes without which rows are valid or not.
    pub(crate) fn for_column(&self, may_be_missing: bool) -> Self {
        Self { may_be_missing, ..self.clone() }
    }

    /// Returns `true` if the output accepts any value.
    pub(crate) fn accepts_all(&self) -> bool {
        self.check.is_none()
    }

    /// Returns `true` if the type of the output accepts a value.
    pub(crate) fn accepts(&self, json: &Json) -> bool {
        self.check.as_ref().is_none_or(|check| check.checked(Value::from(json)).is_ok())
    }

    /// Returns `true` if the type of the output accepts values such as this one, perhaps only others within its bounds.
    /// No such bound is the range of whole numbers of 64 bits.
    pub(crate) fn accepts_kind(&self, json: &Json) -> bool {
        let result = self.check.as_ref().map(|check| check.checked(Value::from(json)).map(drop));
        !matches!(result, Some(Err(mismatch)) if mismatch.violation.is_none() || exceeds_i64(json))
    }

    /// Returns `true` if a type that accepts values of several kinds may accept one of the kind of a value.
    pub(crate) fn may_accept(&self, sample: &Json) -> bool {
        let known = self.check.as_ref().map(|check| check.boundary_values()).unwrap_or_default();
        let is_like = |value: &Value<'_>| discriminant(&value.to_json()) == discriminant(sample);
        known.is_empty() || self.accepts_kind(sample) || known.iter().any(is_like)
    }

    /// Returns `true` if the type of the output is `id` without an upper bound. A bound is a promise of the author that
    /// no value is larger.
    pub(crate) fn is_unbounded_id(&self) -> bool {
        let expr = self.check.as_ref().and_then(|check| scalar_expr(&**check));
        expr.is_some_and(|expr| matches!(&*expr.term, "id" | "text_id") && !expr.attributes.contains_key("max"))
    }

    /// Returns the items of an array, whatever its number of dimensions is.
    pub(crate) fn innermost_item(&self) -> Option<&Self> {
        let item = self.items.as_deref()?;
        Some(item.innermost_item().unwrap_or(item))
    }

    /// Returns the text of a date or time in the notation of the output.
    ///
    /// # Errors
    /// Returns the text if the output cannot express it. A text beyond the bounds of the type remains, so that it is
    /// reported like another value beyond the bounds of its type.
    pub(crate) fn moment(&self, text: String) -> Result<Json, Json> {
        let text = match self.target {
            Target::Datetime => with_zone(text),
            Target::Time => without_fraction(text),
            _ => text,
        };
        let json = Json::String(text);
        if self.accepts_kind(&json) { Ok(json) } else { Err(json) }
    }

    /// Returns the text of a number in the notation of the output, which has all digits after the point.
    ///
    /// # Errors
    /// Returns the text if it is not a number with the digits of the type. A number beyond the bounds of the type
    /// remains, so that it is reported like another value beyond the bounds of its type.
    pub(crate) fn decimal(&self, text: String) -> Result<Json, Json> {
        // A column can have more digits after the point than the output. Zeros at the end are not needed.
        let shortest = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        match self.check.as_ref().map(|check| check.checked(Value::from(shortest))) {
            Some(Ok(value)) => Ok(value.to_json()),
            Some(Err(mismatch)) if mismatch.violation.is_none() => Err(Json::String(text)),
            _ => Ok(Json::String(text)),
        }
    }

    /// Replaces the numbers that are decimals in the type of a JSON value: the databases write both without quotes.
    pub(crate) fn with_decimals(&self, mut json: Json) -> Json {
        if let Some(decimals) = &self.decimals {
            decimals.convert(&mut json);
        }
        json
    }

    /// Returns what replaces a value that the output cannot express: null, or if the output does not accept null, the
    /// value itself, which the check of the outputs reports.
    pub(crate) fn null_or(&self, unchanged: Json) -> Json {
        if self.accepts_null { Json::Null } else { unchanged }
    }

    /// Describes the values of the output.
    pub(crate) fn in_words(&self) -> Cow<'static, str> {
        match &self.check {
            Some(check) if self.target == Target::Any => check.expected(),
            _ => self.target.in_words().into(),
        }
    }

    /// Writes to the log, the first time, that a column has a value that the output cannot express.
    pub(crate) fn report(&self, column: &str, sql: &str) {
        if !self.is_reported.swap(true, Ordering::Relaxed) {
            let expected = self.in_words();
            log::warn!(
                "the column `{column}` has a value that is not {expected}, without which the output is null: {sql}"
            );
        }
    }
}

/// Where a JSON value of a type has decimals.
#[derive(Debug)]
enum Decimals {
    Value(ColumnOutput),
    /// In each item, or in the value of each member.
    InEach(Box<Decimals>),
    InMembers(Vec<(String, Decimals)>),
}

impl Decimals {
    fn of(check: &Arc<dyn Check>, depth: usize) -> Option<Self> {
        // A schema can contain itself.
        if depth > MAX_DECIMAL_DEPTH {
            return None;
        }
        let inside = |check: &Arc<dyn Check>| Self::of(check, depth + 1);
        match check.structure() {
            Structure::Array(inner) | Structure::Map(inner) => inside(&inner).map(|it| Self::InEach(Box::new(it))),
            Structure::Nullable(inner) => inside(&inner),
            Structure::Schema(schema) => inside(&schema.check),
            Structure::Object(shape) => {
                let fields = shape.fields.into_iter();
                let found: Vec<_> = fields.filter_map(|it| Some((it.name, inside(&it.check)?))).collect();
                (!found.is_empty()).then_some(Self::InMembers(found))
            }
            Structure::Scalar if Target::of(&**check) == Target::Decimal => {
                Some(Self::Value(ColumnOutput::of(check, false)))
            }
            _ => None,
        }
    }

    fn convert(&self, json: &mut Json) {
        match (self, json) {
            (Self::InEach(inner), Json::Array(items)) => items.iter_mut().for_each(|item| inner.convert(item)),
            (Self::InEach(inner), Json::Object(members)) => members.values_mut().for_each(|value| inner.convert(value)),
            (Self::InMembers(fields), Json::Object(members)) => {
                for (name, inner) in fields {
                    members.get_mut(name).into_iter().for_each(|value| inner.convert(value));
                }
            }
            (Self::Value(output), json @ Json::Number(_)) => {
                let text = json.to_string();
                // With more digits, the number may have lost some when the JSON was read.
                let digits = text.chars().filter(char::is_ascii_digit).count();
                if digits <= FLOAT_DIGITS && !text.contains('e') {
                    *json = output.decimal(text).unwrap_or_else(|unchanged| unchanged);
                }
            }
            _ => {}
        }
    }
}

/// Returns the items of arrays and whether objects are accepted, for a type whose values are arrays or objects.
fn nested(check: &dyn Check, dimension: usize) -> (Option<Box<ColumnOutput>>, bool) {
    match check.structure() {
        Structure::Array(item) if dimension < MAX_DIMENSIONS => {
            (Some(Box::new(ColumnOutput::of_dimension(&item, false, dimension + 1))), false)
        }
        Structure::Nullable(inner) => nested(&*inner, dimension),
        Structure::Schema(schema) => nested(&*schema.check, dimension),
        Structure::Map(_) | Structure::Object(_) | Structure::TaggedUnion { .. } => (None, true),
        _ => (Some(Box::new(Target::Any.into())), true),
    }
}

/// Returns `true` for a number, or the text of one, above the largest whole number of 64 bits or below the smallest.
fn exceeds_i64(json: &Json) -> bool {
    match json {
        Json::Number(number) => number.is_u64() && !number.is_i64(),
        Json::String(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            digits.bytes().all(|digit| digit.is_ascii_digit()) && !digits.is_empty() && text.parse::<i64>().is_err()
        }
        _ => false,
    }
}
