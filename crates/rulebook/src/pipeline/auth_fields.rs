//! Reads those fields of a request's body that authenticators check.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value as Json;

use super::body::{Body, BodyPart, BodyPartContent};
use super::urlencoded::{decode_text, split_fields};
use crate::call::BodyFields;

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
            let mut reader = serde_json::Deserializer::from_slice(bytes);
            BodyFields::new(MemberReader { names }.deserialize(&mut reader).unwrap_or_default())
        }
        Body::Parts(parts) => BodyFields::new(parts.iter().filter_map(|BodyPart { name, content }| match content {
            BodyPartContent::Field(bytes) if is_read(name) => Some((name.as_str(), std::str::from_utf8(bytes).ok()?)),
            BodyPartContent::Field(_) | BodyPartContent::File(_) => None,
        })),
    }
}

/// Deserializes the outermost object of a JSON body, and returns its members with these names whose values are strings.
struct MemberReader<'n> {
    names: &'n [Box<str>],
}

impl<'de> DeserializeSeed<'de> for MemberReader<'_> {
    type Value = Vec<(String, String)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MemberReader<'_> {
    type Value = Vec<(String, String)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = access.next_key::<String>()? {
            if !self.names.iter().any(|known| **known == *name) {
                access.next_value::<IgnoredAny>()?;
            } else if let Json::String(text) = access.next_value::<Json>()? {
                members.push((name, text));
            }
        }
        Ok(members)
    }
}
