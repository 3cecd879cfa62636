//! Parses the fields of a query, or of the first bytes of a body. Such fields may name an API method and contain its
//! positional parameters.

use std::borrow::Cow;
use std::future::ready;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use rulebook_model::limits;

use super::BodyPrefix;
use crate::call::{
    ApiError, Head, JsonLimits, MalformedRequest, MemberCollector, Value, collect_members, split_array_name,
};
use crate::pipeline::body::{BodyKind, multipart_parser};
use crate::pipeline::urlencoded::{decode_text, split_fields};
use crate::plan::{Plan, SegmentError};

/// A field of a query or a body: a name with a value.
#[derive(Debug, Clone)]
pub(super) struct Field<'a> {
    /// The name of the field. For `x[]` and `x[y]`, which PHP parses as arrays, the name is `x`.
    pub(super) name: Cow<'a, str>,
    pub(super) value: FieldContent<'a>,
}

#[derive(Debug, Clone)]
pub(super) enum FieldContent<'a> {
    /// The value is a single text.
    Text(Cow<'a, str>),
    /// The value is not a single text, for this reason.
    Invalid(SegmentError),
}

impl FieldContent<'_> {
    /// Copies the text, so that the returned value no longer borrows from the request.
    pub(super) fn into_owned(self) -> FieldContent<'static> {
        match self {
            Self::Text(text) => FieldContent::Text(Cow::Owned(text.into_owned())),
            Self::Invalid(why) => FieldContent::Invalid(why),
        }
    }
}

/// Returns the value of the field with this name. If the field is repeated, its last value is used if `uses_last_value`
/// is `true`; otherwise the value is invalid.
pub(super) fn single_field_value<'a>(
    fields: impl Iterator<Item = Field<'a>>,
    name: &str,
    uses_last_value: bool,
) -> Option<FieldContent<'a>> {
    let mut values = fields.filter(|field| field.name == name).map(|field| field.value);
    let first = values.next()?;
    match values.last() {
        None => Some(first),
        Some(last) if uses_last_value => Some(last),
        Some(_) => Some(FieldContent::Invalid(SegmentError::SeveralValues)),
    }
}

/// Returns the fields of a request's query whose names are in `names`.
pub(super) fn query_fields<'h>(head: &'h Head, names: &[&str]) -> impl Iterator<Item = Field<'h>> {
    urlencoded_fields(head.query().as_bytes(), move |name| names.contains(&name))
}

/// Parses urlencoded text, and returns the fields for whose names `has_name` returns `true`. Other fields are skipped
/// without decoding their values, and so are fields whose names are not UTF-8.
fn urlencoded_fields(text: &[u8], has_name: impl Fn(&str) -> bool) -> impl Iterator<Item = Field<'_>> {
    split_fields(text).filter_map(move |(name, value)| {
        let name = decode_text(name)?;
        let text = || decode_text(value).map_or(FieldContent::Invalid(SegmentError::InvalidUtf8), FieldContent::Text);
        match split_array_name(&name) {
            Some((parameter, _)) => has_name(parameter).then(|| array_field(parameter)),
            None => has_name(&name).then(|| Field { name, value: text() }),
        }
    })
}

/// Returns the field for a name with brackets, such as `x[]`. The value of the field is invalid, because PHP parses the
/// field as an array. `parameter` is the part of the name before the brackets.
fn array_field(parameter: &str) -> Field<'static> {
    Field { name: parameter.to_owned().into(), value: FieldContent::Invalid(SegmentError::SeveralValues) }
}

/// Parses the fields in the first bytes of a body. If the last field may continue after these bytes, it is omitted.
/// Fails if the body exceeds a limit. Also fails if the prefix is the whole body and is malformed.
pub(super) fn read_fields<'b>(
    plan: &Plan,
    kind: &BodyKind,
    prefix: &'b BodyPrefix,
) -> Result<Vec<Field<'b>>, ApiError> {
    let BodyPrefix { bytes, is_whole: whole } = prefix;
    let fields = match kind {
        BodyKind::Nothing | BodyKind::Other | BodyKind::File { .. } | BodyKind::Unsupported { .. } => Vec::new(),
        BodyKind::Form => {
            let end = if *whole { Some(bytes.len()) } else { bytes.iter().rposition(|byte| *byte == b'&') };
            // One field more than the limit allows is parsed, because that field proves that the limit is exceeded.
            let max = usize::try_from(plan.limits.fields).unwrap_or(usize::MAX).saturating_add(1);
            urlencoded_fields(&bytes[..end.unwrap_or_default()], |_| true).take(max).collect()
        }
        BodyKind::Json => json_fields(plan, bytes, *whole)?,
        BodyKind::Multipart { boundary, .. } => match boundary {
            Some(boundary) => part_fields(plan, bytes, boundary),
            None => Vec::new(),
        },
    };
    if fields.len() as u64 > plan.limits.fields {
        return Err(ApiError::too_large(limits::FIELD_COUNT.with_value(plan.limits.fields), None));
    }
    Ok(fields)
}

/// Parses the members of the JSON object in the first bytes of a body. `whole` is `true` if no bytes follow.
fn json_fields<'b>(plan: &Plan, bytes: &'b [u8], whole: bool) -> Result<Vec<Field<'b>>, ApiError> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // The prefix may end in the middle of a character; the bytes before that character are used.
        Err(error) if !whole => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
        Err(error) => return Err(ApiError::malformed(MalformedRequest::JsonEncoding { byte: error.valid_up_to() })),
    };
    if text.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let limits = JsonLimits::new(plan.limits.nesting, plan.limits.items);
    let mut reader = serde_json::Deserializer::from_str(text);
    let mut collector = FieldCollector::default();
    let read = collect_members(&mut reader, &limits, plan.limits.fields, &mut collector).and_then(|()| {
        collector.fields.extend(collector.last.take());
        reader.end()
    });
    match (read, limits.take_exceeded()) {
        (_, Some(limit)) => Err(ApiError::too_large(limit, None)),
        (Err(error), None) if error.is_data() => Err(ApiError::malformed(MalformedRequest::JsonKind)),
        (Err(error), None) if whole => Err(ApiError::malformed(MalformedRequest::from_json_error(&error))),
        (_, None) => Ok(collector.fields),
    }
}

/// Collects the members of a JSON object as fields.
#[derive(Default)]
struct FieldCollector<'a> {
    fields: Vec<Field<'a>>,
    /// The last field. A number at the end of the prefix may be cut off, so that a member is added only after the
    /// parser has found the next member or the end of the object.
    last: Option<Field<'a>>,
}

impl<'a> MemberCollector<'a> for FieldCollector<'a> {
    type Key = Cow<'a, str>;

    fn select(&mut self, name: Cow<'a, str>) -> Option<Cow<'a, str>> {
        self.fields.extend(self.last.take());
        Some(name)
    }

    fn add(&mut self, name: Cow<'a, str>, value: Value<'a>) {
        let value = match value {
            // A member whose value is null counts as absent.
            Value::Null => return,
            Value::Text(text) => FieldContent::Text(text),
            Value::Bool(bool) => FieldContent::Text(bool.to_string().into()),
            Value::Int(int) => FieldContent::Text(int.to_string().into()),
            Value::Uint(uint) => FieldContent::Text(uint.to_string().into()),
            Value::Float(float) => FieldContent::Text(float.to_string().into()),
            Value::List(_) | Value::Map(_) | Value::File(_) => FieldContent::Invalid(SegmentError::SeveralValues),
        };
        self.last = Some(Field { name, value });
    }
}

/// Parses the parts of a multipart body, except files. Syntax errors are ignored here: a later stage parses the whole
/// body and reports them.
fn part_fields(plan: &Plan, bytes: &Bytes, boundary: &str) -> Vec<Field<'static>> {
    let mut parser = multipart_parser(boundary, stream::once(ready(Ok(bytes.clone()))));
    let mut fields = Vec::new();
    // The stream has all its bytes in memory, so that every future is ready immediately.
    for _ in 0..plan.limits.parts {
        let Some(Some(Ok(mut part))) = parser.next().now_or_never() else { break };
        let Some(Ok(Ok(content))) = part.bytes(usize::MAX).now_or_never() else { break };
        let is_file = part.content_disposition().is_some_and(|given| given.get_filename().is_some());
        let Some(name) = part.name().map(str::to_owned).filter(|_| !is_file) else { continue };
        let text = String::from_utf8(content.into()).ok();
        let value =
            text.map_or(FieldContent::Invalid(SegmentError::InvalidUtf8), |text| FieldContent::Text(text.into()));
        let field = split_array_name(&name).map(|(parameter, _)| array_field(parameter));
        fields.push(field.unwrap_or_else(|| Field { name: name.into(), value }));
    }
    fields
}
