//! Converts request bodies that are files, such as images, to a parameter.

use rulebook_model::model::{WHOLE_BODY_KEY, default_parameter_name};
use serde_json::{Map, Value as Json};

use super::body::rank;
use super::parameter::Parameters;
use crate::openapi::losses::{LossKind, Place};
use crate::openapi::schema::{Converter, ORIGIN_KEY, Type, described, is_binary};

const BINARY_MEDIA_TYPE: &str = "application/octet-stream";
/// Media types that the server detects in files. A file of another one would never have it.
const DETECTED_MEDIA_TYPES: [&str; 16] = [
    "application/gzip",
    "application/pdf",
    "application/zip",
    "audio/*",
    "audio/mpeg",
    "image/*",
    "image/avif",
    "image/bmp",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "image/webp",
    "text/plain",
    "video/*",
    "video/mp4",
];

/// Returns `true` if a body with this media type is a file: it is neither JSON nor a form, and its schema is that of
/// bytes or of a text.
pub(super) fn is_file(converter: &Converter<'_>, (media_type, content): (&String, &Json), place: &Place) -> bool {
    let schema = content.get("schema").map(|schema| converter.document.find_target(schema, place));
    let is_text = |schema: &Json| is_binary(schema) || schema.get("type").is_some_and(|name| name == "string");
    rank(media_type) == 3 && schema.is_none_or(|found| found.is_ok_and(|(schema, _)| is_text(schema)))
}

/// Adds the whole body as a file with these media types. `body` is the request body of the description.
pub(super) fn insert_file<'a>(
    converter: &mut Converter<'a>,
    body: &'a Json,
    all: &'a Map<String, Json>,
    place: &Place,
    parameters: &mut Parameters,
) {
    let document = converter.document;
    let content_place = place.member("content");
    let mut info = document.read_text(body, "description");
    for (media_type, content) in all {
        document.record(content);
        let schema_place = content_place.member(media_type).member("schema");
        if let Some(schema) = content.get("schema") {
            document.read(content, "schema");
            read_file(converter, schema, &schema_place);
            info = info.or(document.read_description(schema));
        }
    }
    let mut file = Type::new("file");
    let essences = || all.keys().map(|name| name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    if essences().all(|essence| DETECTED_MEDIA_TYPES.contains(&essence.as_str())) {
        file.attributes.insert("range".to_owned(), essences().collect());
    } else if essences().any(|essence| essence != BINARY_MEDIA_TYPE) {
        converter.losses.widen(LossKind::CONTENT_TYPE, &content_place, "the body can have any media type");
    }
    let mut parameter = described(info.unwrap_or("The file"), file, !document.read_flag(body, "required"));
    parameter.insert(ORIGIN_KEY.to_owned(), content_place.as_str().into());
    parameters.insert(WHOLE_BODY_KEY.to_owned(), WHOLE_BODY_KEY, default_parameter_name(WHOLE_BODY_KEY), parameter);
}

/// Records that the import uses the schema of a file.
pub(super) fn read_file<'a>(converter: &Converter<'a>, schema: &'a Json, place: &Place) -> Option<()> {
    let document = converter.document;
    let _ = document.resolve(schema, place);
    let (schema, _) = document.find_target(schema, place).ok()?;
    document.read(schema, "type");
    document.read(schema, "format");
    if schema.get("contentMediaType").is_some_and(|name| name == BINARY_MEDIA_TYPE) {
        document.read(schema, "contentMediaType");
    }
    Some(())
}
