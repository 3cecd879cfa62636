//! Reads those fields of a request's body that authenticators check.

use std::borrow::Cow;

use super::body::{Body, BodyPart, BodyPartContent};
use super::urlencoded::{decode_text, split_fields};
use crate::call::{BodyFields, JsonLimits, MemberCollector, Value, collect_members};

/// Returns the fields of a body whose names are in `names`. Fields that are not texts are omitted, and so are all
/// fields of a JSON body that cannot be parsed: the next stage reports its error.
pub(super) fn read_auth_fields(names: &[Box<str>], body: &Body) -> BodyFields {
    let is_read = |name: &str| names.iter().any(|known| **known == *name);
    match body {
        Body::Empty => BodyFields::default(),
        Body::Form(bytes) => BodyFields::new(split_fields(bytes).filter_map(|(name, value)| {
            let name = decode_text(name).filter(|name| is_read(name))?;
            Some((name, decode_text(value)?))
        })),
        Body::Json(bytes) => {
            let mut members = TextMembers { names, texts: Vec::new() };
            let limits = JsonLimits::new(JsonLimits::HIGHEST_NESTING_LIMIT, u64::MAX);
            let mut reader = serde_json::Deserializer::from_slice(bytes);
            match collect_members(&mut reader, &limits, u64::MAX, &mut members) {
                Ok(()) => BodyFields::new(members.texts),
                Err(_) => BodyFields::default(),
            }
        }
        Body::Parts(parts) => BodyFields::new(parts.iter().filter_map(|BodyPart { name, content }| match content {
            BodyPartContent::Field(bytes) if is_read(name) => Some((name.as_str(), std::str::from_utf8(bytes).ok()?)),
            BodyPartContent::Field(_) | BodyPartContent::File(_) => None,
        })),
    }
}

/// Collects the members with these names whose values are strings.
struct TextMembers<'n, 'a> {
    names: &'n [Box<str>],
    texts: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> MemberCollector<'a> for TextMembers<'_, 'a> {
    type Key = Cow<'a, str>;

    fn select(&mut self, name: Cow<'a, str>) -> Option<Cow<'a, str>> {
        self.names.iter().any(|known| **known == *name).then_some(name)
    }

    fn add(&mut self, name: Cow<'a, str>, value: Value<'a>) {
        if let Value::Text(text) = value {
            self.texts.push((name, text));
        }
    }
}
