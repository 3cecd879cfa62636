//! Converts strings.

use std::sync::LazyLock;

use serde_json::{Map, Value as Json, json};

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
        if let Some((date, _)) = DATES.iter().find(|(_, known)| is_date(known)) {
            document.read(schema, "format");
            document.read(schema, "pattern");
            return Type::new(*date);
        }
        let has_limits = ["maxLength", "minLength", "pattern"].iter().any(|keyword| schema.get(*keyword).is_some());
        let format = match schema.get("format").and_then(Json::as_str).unwrap_or_default() {
            "date" => Some("date"),
            "date-time" => Some("datetime"),
            "email" => Some("mail"),
            "uuid" => Some("uuid"),
            "ipv4" | "ipv6" | "ip" => Some("ip"),
            _ => None,
        };
        if let Some(format) = format {
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
