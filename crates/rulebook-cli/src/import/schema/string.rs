//! Converts strings.

use serde_json::{Map, Value as Json};

use rulebook_model::types::{TermErrorKind, Types, UncompiledTerm};

use super::{Converter, LossKind, Place, Type};

/// The keywords of strings that are read here.
const KEYWORDS: [&str; 4] = ["format", "maxLength", "minLength", "pattern"];

impl Converter<'_> {
    /// Converts a string, to the type of its format, or to `string` with its length and its pattern.
    pub(super) fn string(&mut self, schema: &Json, place: &Place) -> Type {
        self.report_unsupported(schema, place, &KEYWORDS);
        let has_limits = ["maxLength", "minLength", "pattern"].iter().any(|keyword| schema.get(*keyword).is_some());
        if let Some(format) = schema.get("format").and_then(Json::as_str).filter(|format| !format.is_empty()) {
            let name = match format {
                "date" => Some("date"),
                "date-time" => Some("datetime"),
                "email" => Some("mail"),
                "uuid" => Some("uuid"),
                "ipv4" | "ipv6" | "ip" => Some("ip"),
                _ => None,
            };
            let place = place.member("format");
            match name {
                Some(name) if !has_limits => {
                    if format.starts_with("ipv") {
                        self.losses.add(LossKind::Format, &place, "`ip` accepts addresses of IPv4 and of IPv6");
                    }
                    return Type::new(name);
                }
                Some(_) => self.losses.add(LossKind::Format, &place, "the string has a length or a pattern, too"),
                None => self.losses.add(LossKind::Format, &place, format!("`{format}` is not checked")),
            }
        }
        let length = |keyword: &str| schema.get(keyword).and_then(Json::as_u64);
        let mut string = match (length("minLength").filter(|min| *min > 0), length("maxLength")) {
            (min, Some(max)) => Type::new(format!("string({},{max})", min.unwrap_or(0))),
            (Some(min), None) => Type::new("string").with("min", min),
            (None, None) => Type::new("string"),
        };
        if let Some(pattern) = schema.get("pattern").and_then(Json::as_str).filter(|pattern| !pattern.is_empty()) {
            match usable_pattern(pattern) {
                Ok(pattern) => string = string.with("regex", pattern),
                Err(why) => {
                    let message = format!("`{}`: {}", pattern.escape_debug(), why.lines().next().unwrap_or_default());
                    self.losses.add(LossKind::Pattern, &place.member("pattern"), message);
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
    let attributes = Map::from_iter([("regex".to_owned(), Json::String(notation.clone()))]);
    let compiled = Types::builtin().compile(UncompiledTerm {
        term: "string",
        attributes: &attributes,
        fields: None,
        aliases: &[],
        ignores_type_case: false,
        timezone: &jiff::tz::TimeZone::UTC,
        schemas: &|_| None,
        inherited_constraints: &[],
        nested_types: &[],
    });
    match compiled {
        Ok(_) => Ok(notation),
        Err(errors) => Err(match errors.into_iter().next().map(|error| error.kind) {
            Some(TermErrorKind::Argument(error)) => error.to_string(),
            _ => "is not a pattern".to_owned(),
        }),
    }
}
