//! The fields of a query, and of the beginning of a body, as far as they may name a method and its positions.

use std::borrow::Cow;
use std::fmt;
use std::future::ready;

use bytes::Bytes;
use futures_util::{FutureExt, stream};
use multer::Multipart;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::too_large;
use crate::call::{Head, JsonLimits, Key, Limit, Reason, Refusal, Unreadable, Value};
use crate::pipeline::body::BodyKind;
use crate::pipeline::pairs::{decode, pairs};
use crate::plan::{Plan, Unfit};

/// The beginning of a body.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// Its bytes.
    pub bytes: Bytes,
    /// Whether nothing is behind them.
    pub whole: bool,
}

/// A field.
#[derive(Debug, Clone)]
pub(super) struct Field<'a> {
    /// Its name; of `x[]` and `x[y]`, which make PHP's arrays, what stands in front of the bracket.
    pub(super) name: Cow<'a, str>,
    /// What it holds.
    pub(super) given: Given<'a>,
}

/// What a field holds.
#[derive(Debug, Clone)]
pub(super) enum Given<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// None.
    Unfit(Unfit),
}

impl Given<'_> {
    /// The same, borrowing from nothing.
    pub(super) fn into_owned(self) -> Given<'static> {
        match self {
            Self::Text(text) => Given::Text(Cow::Owned(text.into_owned())),
            Self::Unfit(what) => Given::Unfit(what),
        }
    }
}

/// What the field of this name holds. `last_counts`: where there are several.
pub(super) fn one<'a>(fields: impl Iterator<Item = Field<'a>>, name: &str, last_counts: bool) -> Option<Given<'a>> {
    let mut found = fields.filter(|field| field.name == name).map(|field| field.given);
    let first = found.next()?;
    match found.last() {
        None => Some(first),
        Some(last) if last_counts => Some(last),
        Some(_) => Some(Given::Unfit(Unfit::Several)),
    }
}

/// The fields of the query that have one of these names.
pub(super) fn query<'h>(head: &'h Head, names: &[&str]) -> impl Iterator<Item = Field<'h>> {
    urlencoded(head.query().as_bytes(), move |name| names.contains(&name))
}

/// The fields of an urlencoded text whose names are `wanted`; no other is decoded. None has a name that is not UTF-8.
fn urlencoded(text: &[u8], wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = Field<'_>> {
    pairs(text).filter_map(move |(name, value)| {
        let name = decode(name)?;
        let end = name.find('[');
        wanted(&name[..end.unwrap_or(name.len())]).then(|| match end {
            None => Field { name, given: decode(value).map_or(Given::Unfit(Unfit::NoText), Given::Text) },
            Some(_) => array(&name),
        })
    })
}

/// A field whose name has a bracket.
fn array(name: &str) -> Field<'static> {
    let name = name.split('[').next().unwrap_or_default().to_owned().into();
    Field { name, given: Given::Unfit(Unfit::Several) }
}

/// The fields of a beginning; what it breaks off in is none.
///
/// # Errors
/// A whole body cannot be read, or a limit is passed.
pub(super) fn read<'b>(plan: &Plan, kind: &BodyKind, beginning: &'b Beginning) -> Result<Vec<Field<'b>>, Refusal> {
    let Beginning { bytes, whole } = beginning;
    let fields = match kind {
        BodyKind::Nothing | BodyKind::Unsupported(_) => Vec::new(),
        BodyKind::Form => {
            let end = if *whole { Some(bytes.len()) } else { bytes.iter().rposition(|byte| *byte == b'&') };
            // One more than there may be is enough to tell.
            let most = usize::try_from(plan.limits.fields).unwrap_or(usize::MAX).saturating_add(1);
            urlencoded(&bytes[..end.unwrap_or_default()], |_| true).take(most).collect()
        }
        BodyKind::Json => json(plan, bytes, *whole)?,
        BodyKind::Multipart { boundary, .. } => match boundary {
            Some(boundary) => parts(plan, bytes, boundary),
            None => Vec::new(),
        },
    };
    if fields.len() as u64 > plan.limits.fields {
        return Err(too_large(Limit::fields(plan.limits.fields)));
    }
    Ok(fields)
}

/// The members of an object.
fn json<'b>(plan: &Plan, bytes: &'b [u8], whole: bool) -> Result<Vec<Field<'b>>, Refusal> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // A character may be what it breaks off in.
        Err(error) if !whole => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
        Err(error) => return Err(unreadable(Unreadable::JsonEncoding { byte: error.valid_up_to() })),
    };
    if text.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let limits = JsonLimits::new(plan.limits.nesting, plan.limits.items);
    let mut fields = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(text);
    let members = Members { limits: &limits, most: plan.limits.fields, fields: &mut fields };
    let read = members.deserialize(&mut reader).and_then(|()| reader.end());
    match (read, limits.passed()) {
        (_, Some(limit)) => Err(too_large(limit)),
        (Err(error), None) if error.is_data() => Err(unreadable(Unreadable::JsonKind)),
        (Err(error), None) if whole => Err(unreadable(Unreadable::json(&error))),
        (_, None) => Ok(fields),
    }
}

/// Collects the members of an object.
struct Members<'r, 'a> {
    limits: &'r JsonLimits,
    most: u64,
    fields: &'r mut Vec<Field<'a>>,
}

impl<'a> DeserializeSeed<'a> for Members<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Members<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut access: A) -> Result<(), A::Error> {
        let mut count = 0;
        // The number that a text breaks off in looks whole until something comes behind it.
        let mut last = None;
        while let Some(name) = access.next_key_seed(Key)? {
            self.fields.extend(last.take());
            count += 1;
            if count > self.most {
                return Err(self.limits.refuse(Limit::fields(self.most)));
            }
            let given = match access.next_value_seed(self.limits.seed(1))? {
                // A member without a value is none.
                Value::Null => continue,
                Value::Text(text) => Given::Text(text),
                Value::Bool(bool) => Given::Text(bool.to_string().into()),
                Value::Int(int) => Given::Text(int.to_string().into()),
                Value::Uint(uint) => Given::Text(uint.to_string().into()),
                Value::Float(float) => Given::Text(float.to_string().into()),
                Value::List(_) | Value::Map(_) | Value::File(_) => Given::Unfit(Unfit::Several),
            };
            last = Some(Field { name, given });
        }
        self.fields.extend(last);
        Ok(())
    }
}

/// The parts of a multipart body that are no files. What is broken in it is for the reading of the body to tell.
fn parts(plan: &Plan, bytes: &Bytes, boundary: &str) -> Vec<Field<'static>> {
    let feed = stream::once(ready(Ok::<_, std::convert::Infallible>(bytes.clone())));
    let mut multipart = Multipart::new(feed, boundary);
    let mut fields = Vec::new();
    // All bytes are there: nothing is ever waited for.
    for _ in 0..plan.limits.parts {
        let Some(Ok(Some(part))) = multipart.next_field().now_or_never() else { break };
        let Some(name) = part.name().map(str::to_owned).filter(|_| part.file_name().is_none()) else { continue };
        let Some(Ok(content)) = part.bytes().now_or_never() else { break };
        let text = String::from_utf8(content.into()).ok();
        let given = text.map_or(Given::Unfit(Unfit::NoText), |text| Given::Text(text.into()));
        fields.push(if name.contains('[') { array(&name) } else { Field { name: name.into(), given } });
    }
    fields
}

fn unreadable(what: Unreadable) -> Refusal {
    Refusal::new(Reason::Unreadable(what))
}
