//! Converts strings and numbers.

use std::sync::LazyLock;

use serde_json::{Map, Value as Json, json};

use rulebook_model::call::Value;
use rulebook_model::types::{CompiledTerm, TermError, TermErrorKind, Types, UncompiledTerm};

use super::{Converter, LossKind, Place, Type};

/// The types of dates, each with its JSON Schema. Their patterns match nothing else, so that a pattern shows the type.
static DATES: LazyLock<Vec<(&str, Json)>> = LazyLock::new(|| {
    let schema = |name| Some((name, compile(name, &Map::new()).ok()?.check.schema()));
    ["date", "datetime"].into_iter().filter_map(schema).collect()
});

impl Converter<'_> {
    /// Converts a string, to the type of its format, or to `string` with its length and its pattern.
    pub(super) fn string(&mut self, schema: &Json, place: &Place) -> Type {
        let document = self.document;
        let is_date =
            |known: &Json| ["format", "pattern"].iter().all(|keyword| known.get(*keyword) == schema.get(*keyword));
        let date = DATES.iter().find(|(_, known)| is_date(known)).map(|(date, _)| Type::new(*date));
        if let Some(exact) = date.or_else(|| decimal_of_schema(schema)) {
            document.read(schema, "format");
            document.read(schema, "pattern");
            return exact;
        }
        let has_limits = ["maxLength", "minLength", "pattern"].iter().any(|keyword| schema.get(*keyword).is_some());
        if let Some(format) = type_of_format(schema) {
            let place = place.member("format");
            if !has_limits {
                let looser = match format {
                    "datetime" => Some("`datetime` also accepts dates, and times without a `T` or an offset"),
                    "ip" if schema["format"] != "ip" => Some("`ip` accepts addresses of IPv4 and of IPv6"),
                    _ => None,
                };
                if let Some(message) = looser {
                    self.losses.widen(LossKind::FORMAT, &place, message);
                }
                document.read(schema, "format");
                return Type::new(format);
            }
            self.losses.widen(LossKind::FORMAT, &place, "the string has a length or a pattern, too");
        }
        let length = |keyword: &str| {
            let length = schema.get(keyword).filter(|length| length.is_u64());
            length.inspect(|length| document.record(length)).and_then(Json::as_u64)
        };
        let mut string = match (length("minLength").filter(|min| *min > 0), length("maxLength")) {
            (min, Some(max)) => Type::new(format!("string({},{max})", min.unwrap_or(0))),
            (Some(min), None) => Type::new("string").with("min", min),
            (None, None) => Type::new("string"),
        };
        if let Some(pattern) = schema.get("pattern").and_then(Json::as_str).filter(|pattern| !pattern.is_empty()) {
            match usable_pattern(pattern) {
                Ok(notation) => {
                    document.read(schema, "pattern");
                    string = string.with("regex", notation);
                }
                Err(why) => {
                    let message = format!("`{}`: {}", pattern.escape_debug(), why.lines().next().unwrap_or_default());
                    self.losses.widen(LossKind::PATTERN, &place.member("pattern"), message);
                }
            }
        }
        string
    }
}

/// Returns the decimal numbers of a schema whose pattern is that of a `decimal`. Without it, the number of digits is
/// not known.
fn decimal_of_schema(schema: &Json) -> Option<Type> {
    let pattern = schema.get("pattern").filter(|_| schema.get("format").is_some_and(|format| format == "decimal"))?;
    let digits = (1..=38).flat_map(|precision| (0..=precision).map(move |scale| (precision, scale)));
    let terms = digits.map(|(precision, scale)| format!("decimal({precision},{scale})"));
    let unsigned = Map::from_iter([("min".to_owned(), json!(0))]);
    terms.flat_map(|term| [(term.clone(), Map::new()), (term, unsigned.clone())]).find_map(|(term, attributes)| {
        let known = compile(&term, &attributes).ok()?.check.schema();
        (known.get("pattern") == Some(pattern))
            .then(|| Type::new(term).with_some("min", attributes.get("min").cloned()))
    })
}

fn type_of_format(schema: &Json) -> Option<&'static str> {
    match schema.get("format")?.as_str()? {
        "date" => Some("date"),
        "date-time" => Some("datetime"),
        "email" => Some("mail"),
        "uuid" => Some("uuid"),
        "ipv4" | "ipv6" | "ip" => Some("ip"),
        _ => None,
    }
}

fn bounds_of_format(schema: &Json) -> Option<(i128, i128)> {
    match schema.get("format")?.as_str()? {
        "int8" => Some((-128, 127)),
        "int16" => Some((i16::MIN.into(), i16::MAX.into())),
        "int32" => Some((i32::MIN.into(), i32::MAX.into())),
        "uint8" => Some((0, 255)),
        "uint16" => Some((0, u16::MAX.into())),
        "uint32" => Some((0, u32::MAX.into())),
        "uint64" => Some((0, u64::MAX.into())),
        _ => None,
    }
}

pub(super) fn is_of_format(constant: &Json, schema: &Json) -> bool {
    if constant.is_string() {
        let format = type_of_format(schema).and_then(|name| compile(name, &Map::new()).ok());
        return format.is_some_and(|format| format.check.checked(Value::from(constant)).is_ok());
    }
    let whole = constant.as_i64().map(i128::from).or_else(|| constant.as_u64().map(i128::from));
    whole.zip(bounds_of_format(schema)).is_none_or(|(whole, (min, max))| (min..=max).contains(&whole))
}

/// Returns the notation of a pattern in definitions. Returns an error message if a definition cannot have the pattern.
fn usable_pattern(pattern: &str) -> Result<String, String> {
    // A definition can write these characters as the delimiters of a pattern.
    let notation =
        if pattern.starts_with(['/', '#', '~', '%', '@', '{']) { format!("(?:{pattern})") } else { pattern.to_owned() };
    let attributes = Map::from_iter([("regex".to_owned(), json!(notation))]);
    match compile("string", &attributes) {
        Ok(_) => Ok(notation),
        Err(errors) => Err(match errors.into_iter().next().map(|error| error.kind) {
            Some(TermErrorKind::Argument(error)) => error.to_string(),
            _ => "is not a pattern".to_owned(),
        }),
    }
}

/// Compiles a type without fields, to find out whether it is valid, or what its JSON Schema is.
fn compile(term: &str, attributes: &Map<String, Json>) -> Result<CompiledTerm, Vec<TermError>> {
    Types::builtin().compile(UncompiledTerm {
        term,
        attributes,
        fields: None,
        aliases: &[],
        ignores_type_case: false,
        timezone: &jiff::tz::TimeZone::UTC,
        schemas: &|_| None,
        inherited_constraints: &[],
        has_missing_fields: false,
        nested_types: &[],
    })
}

impl Converter<'_> {
    /// Converts whole numbers, to `int` or `uint` with bounds.
    pub(super) fn integer(&mut self, schema: &Json, place: &Place) -> Type {
        let format = schema.get("format").and_then(Json::as_str);
        let (mut min, mut max) = bounds_of_format(schema).unzip();
        if min.is_some() || format == Some("int64") {
            self.document.read(schema, "format");
        }
        let bounds = self.bounds(schema);
        for bound in &bounds {
            // A whole number above 0.5 is at least 1.
            let whole = whole_bound(bound);
            match bound.is_min {
                true => min = Some(min.map_or(whole, |min| min.max(whole))),
                false => max = Some(max.map_or(whole, |max| max.min(whole))),
            }
        }
        let needs_sign = |bound: i128| bound <= i128::from(i64::MAX);
        let is_unsigned =
            min.is_some_and(|min| min >= 0 && (!needs_sign(min) || max.is_some_and(|max| !needs_sign(max))));
        let (name, low, high) = match is_unsigned {
            true => ("uint", 0, i128::from(u64::MAX)),
            false => ("int", i128::from(i64::MIN), i128::from(i64::MAX)),
        };
        for bound in &bounds {
            let whole = whole_bound(bound);
            if whole < low || whole > high {
                let message = format!("whole numbers have 64 bits: they are from {low} to {high}");
                self.losses.narrow(LossKind::KEYWORD, &place.member(bound.keyword), message);
            }
        }
        if min.unwrap_or(low).max(low) > max.unwrap_or(high).min(high) {
            self.losses.widen(LossKind::KEYWORD, place, "the bounds exclude every number of 64 bits");
            return Type::new(name);
        }
        match (min.filter(|min| *min > low), max.filter(|max| *max < high)) {
            (Some(min), Some(max)) => Type::new(format!("{name}({min},{max})")),
            (min, max) => {
                Type::new(name).with_some("min", min.map(json_integer)).with_some("max", max.map(json_integer))
            }
        }
    }

    /// Converts numbers with a fraction, to `float` with bounds.
    pub(super) fn number(&mut self, schema: &Json, place: &Place) -> Type {
        if schema.get("format").is_some_and(|format| format == "double") {
            self.document.read(schema, "format");
        }
        let mut float = Type::new("float");
        for bound in self.bounds(schema) {
            if bound.is_exclusive {
                let message = "the bound itself is accepted: bounds of `float` are inclusive";
                self.losses.widen(LossKind::KEYWORD, &place.member(bound.keyword), message);
            }
            let attribute = if bound.is_min { "min" } else { "max" };
            let known = float.attributes.get(attribute).and_then(Json::as_f64);
            // Of two bounds, the stricter one excludes more.
            if known.is_none_or(|known| if bound.is_min { bound.value > known } else { bound.value < known }) {
                float = float.with(attribute, bound.number);
            }
        }
        float
    }

    /// Reads the bounds of a schema. In OpenAPI 3.0, `exclusiveMinimum` is a boolean next to `minimum`; in later
    /// versions, it is a number.
    fn bounds(&self, schema: &Json) -> Vec<Bound> {
        let rows = [("minimum", "exclusiveMinimum", true), ("maximum", "exclusiveMaximum", false)];
        let mut bounds = Vec::new();
        for (inclusive, exclusive, is_min) in rows {
            let is_flagged = self.document.read_flag(schema, exclusive);
            for (keyword, is_exclusive) in [(inclusive, is_flagged), (exclusive, true)] {
                let number = schema.get(keyword).filter(|number| number.is_number());
                if let Some((number, value)) = number.and_then(|number| Some((number, number.as_f64()?))) {
                    self.document.record(number);
                    let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
                    bounds.push(Bound { keyword, is_min, is_exclusive, number: number.clone(), value, whole });
                }
            }
        }
        bounds
    }
}

struct Bound {
    keyword: &'static str,
    is_min: bool,
    is_exclusive: bool,
    number: Json,
    value: f64,
    /// The value, if it is a whole number of JSON.
    whole: Option<i128>,
}

/// Returns the smallest or the largest whole number that a bound allows.
fn whole_bound(bound: &Bound) -> i128 {
    let step = i128::from(bound.is_exclusive);
    match (bound.whole, bound.is_min) {
        (Some(whole), true) => whole + step,
        (Some(whole), false) => whole - step,
        // Numbers beyond 128 bits become the smallest or the largest number of 128 bits.
        (None, true) if bound.value.fract() == 0.0 => (bound.value as i128).saturating_add(step),
        (None, true) => bound.value.ceil() as i128,
        (None, false) if bound.value.fract() == 0.0 => (bound.value as i128).saturating_sub(step),
        (None, false) => bound.value.floor() as i128,
    }
}

fn json_integer(number: i128) -> Json {
    i64::try_from(number).map(Json::from).or_else(|_| u64::try_from(number).map(Json::from)).unwrap_or_default()
}
