//! The members of a line that a worker sends. Those before an error in the line are known, too, so that the call to
//! which the line belongs can be found.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of a JSON-RPC message. They borrow from the line.
#[derive(Debug, Default)]
pub struct LineMembers<'a> {
    pub jsonrpc: Option<Cow<'a, str>>,
    pub id: Option<&'a RawValue>,
    /// `None` also if it is null.
    pub method: Option<Cow<'a, str>>,
    pub params: Option<&'a RawValue>,
    pub result: Option<&'a RawValue>,
    pub error: Option<&'a RawValue>,
    /// `true` if the line has a member `result` or `error`, also if its value is not valid.
    pub is_response: bool,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Name {
    JsonRpc,
    Id,
    Method,
    Params,
    Result,
    Error,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> LineMembers<'a> {
    /// Reads a line. Returns the members before the first error, and this error.
    pub fn read(line: &'a [u8]) -> (Self, serde_json::Result<()>) {
        let mut members = Self::default();
        let mut deserializer = serde_json::Deserializer::from_slice(line);
        let read = MembersSeed(&mut members).deserialize(&mut deserializer).and_then(|()| deserializer.end());
        (members, read)
    }

    /// Returns the id, if it can be the id of a call.
    pub fn call_id(&self) -> Option<u64> {
        self.id.and_then(|id| id.get().parse().ok())
    }
}

struct MembersSeed<'m, 'a>(&'m mut LineMembers<'a>);

impl<'de> DeserializeSeed<'de> for MembersSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MembersSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON-RPC message")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let members = self.0;
        while let Some(name) = map.next_key::<Name>()? {
            members.is_response |= matches!(name, Name::Result | Name::Error);
            match name {
                Name::JsonRpc => set(&mut members.jsonrpc, map.next_value::<Text<'_>>()?.0)?,
                Name::Id => set(&mut members.id, map.next_value()?)?,
                Name::Method => members.method = map.next_value::<Option<Text<'_>>>()?.map(|text| text.0),
                Name::Params => set(&mut members.params, map.next_value()?)?,
                Name::Result => set(&mut members.result, map.next_value()?)?,
                Name::Error => set(&mut members.error, map.next_value()?)?,
                Name::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Sets a member, unless the line has set it before.
fn set<T, E: Error>(member: &mut Option<T>, value: T) -> Result<(), E> {
    match member.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::custom("a member appears twice")),
    }
}
