//! The arguments and the caller of a call, as a worker gets them.

use std::cell::RefCell;

use rulebook::handler_kind::{ArgumentSlot, ArgumentSlots};
use rulebook::types::Value;
use rulebook::{Context, Upload};
use serde::ser::{Error, Serialize, SerializeMap, SerializeStruct, Serializer};

/// Arguments with their uploaded files.
pub struct Arguments<'a> {
    slots: &'a ArgumentSlots<'a, 'a>,
    /// The uploaded files that were serialized.
    uploads: RefCell<Vec<Upload>>,
}

impl<'a> Arguments<'a> {
    pub fn new(slots: &'a ArgumentSlots<'a, 'a>) -> Self {
        Self { slots, uploads: RefCell::default() }
    }

    /// Returns the uploaded files that were serialized.
    pub fn into_uploads(self) -> Vec<Upload> {
        self.uploads.into_inner()
    }
}

impl Serialize for Arguments<'_> {
    /// Serializes an object with the arguments by name, without those that the client has omitted.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, slot) in self.slots.names.iter().zip(&self.slots.values) {
            match slot {
                ArgumentSlot::Absent => {}
                ArgumentSlot::Null => map.serialize_entry(name, &())?,
                ArgumentSlot::Value(value) => {
                    map.serialize_entry(name, &Argument { value, uploads: &self.uploads })?;
                }
            }
        }
        map.end()
    }
}

/// A value, whose uploaded files are collected.
struct Argument<'a, 'v> {
    value: &'a Value<'v>,
    uploads: &'a RefCell<Vec<Upload>>,
}

impl Serialize for Argument<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inner = |value| Argument { value, uploads: self.uploads };
        match self.value {
            Value::List(items) => serializer.collect_seq(items.iter().map(inner)),
            Value::Map(members) => serializer.collect_map(members.iter().map(|(name, value)| (name, inner(value)))),
            Value::File(upload) => {
                self.uploads.borrow_mut().push(upload.clone());
                serialize_upload(upload, serializer)
            }
            other => other.serialize(serializer),
        }
    }
}

/// Serializes an uploaded file as an object with its path, which is absolute, because workers can have another working
/// directory.
fn serialize_upload<S: Serializer>(upload: &Upload, serializer: S) -> Result<S::Ok, S::Error> {
    let path = upload.path().and_then(std::path::absolute).map_err(S::Error::custom)?;
    let path = path.to_str().ok_or_else(|| S::Error::custom("the path of an uploaded file is not UTF-8"))?;
    let mut file = serializer.serialize_struct("Upload", 4)?;
    file.serialize_field("path", path)?;
    file.serialize_field("name", upload.filename())?;
    file.serialize_field("type", upload.media_type())?;
    file.serialize_field("size", &upload.size())?;
    file.end()
}

/// Appends the line with a call to `line`, except for its end, which [`end_call_line`] appends. Returns the uploaded
/// files among the arguments. `method` is the id of the method as a JSON string.
/// Fails if an uploaded file cannot be named in JSON.
pub fn begin_call_line(
    line: &mut Vec<u8>,
    id: u64,
    method: &str,
    slots: &ArgumentSlots<'_, '_>,
    context: &Context,
) -> Result<Vec<Upload>, serde_json::Error> {
    let arguments = Arguments::new(slots);
    line.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    serde_json::to_writer(&mut *line, &id)?;
    line.extend_from_slice(b",\"method\":");
    line.extend_from_slice(method.as_bytes());
    line.extend_from_slice(b",\"params\":{\"arguments\":");
    serde_json::to_writer(&mut *line, &arguments)?;
    line.extend_from_slice(b",\"identity\":");
    serde_json::to_writer(&mut *line, &context.identity())?;
    line.extend_from_slice(b",\"request_id\":");
    match context.request_id() {
        Some(id) => serde_json::to_writer(&mut *line, &format_args!("{id}"))?,
        None => line.extend_from_slice(b"null"),
    }
    Ok(arguments.into_uploads())
}

/// Appends the end of a line that [`begin_call_line`] has begun. `traceparent` is the span of the call; `None` without
/// a trace.
pub fn end_call_line(line: &mut Vec<u8>, traceparent: Option<&str>) {
    if let Some(traceparent) = traceparent {
        // The text needs no escapes: it consists of hexadecimal digits and `-`.
        line.extend_from_slice(b",\"traceparent\":\"");
        line.extend_from_slice(traceparent.as_bytes());
        line.push(b'"');
    }
    line.extend_from_slice(b"}}\n");
}
