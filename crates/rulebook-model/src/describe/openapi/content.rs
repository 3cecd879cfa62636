//! The content of responses. An envelope is the format of responses, and several envelopes can send the same status.
//! Then the contents in all of these envelopes are combined to one response.

use std::collections::BTreeMap;
use std::iter;

use serde_json::{Value as Json, json};
use utoipa::openapi::example::Example;
use utoipa::openapi::{ContentBuilder, Response};

use super::schemas::Schemas;

/// The possible bodies of the responses that have the same status and the same media type.
pub(super) struct ResponseContent {
    pub(super) status: u16,
    pub(super) media_type: String,
    /// The schemas of the possible bodies. Each body matches at least one of these schemas.
    pub(super) alternatives: Vec<Json>,
    pub(super) examples: Vec<(String, Example)>,
}

impl ResponseContent {
    pub(super) fn new(status: u16, media_type: &str, schema: Json) -> Self {
        Self { status, media_type: media_type.to_owned(), alternatives: vec![schema], examples: Vec::new() }
    }

    /// Returns this content once for JSON and once for each other response format. `formats` are the media types of the
    /// other formats.
    pub(super) fn in_json_and_formats(self, formats: &[String]) -> impl Iterator<Item = Self> {
        let others: Vec<_> = formats
            .iter()
            // The examples are in JSON, so that they are omitted from the other formats.
            .map(|format| Self {
                media_type: format.clone(),
                alternatives: self.alternatives.clone(),
                examples: Vec::new(),
                ..self
            })
            .collect();
        iter::once(self).chain(others)
    }
}

/// Returns a response whose content can be any of `contents`. Contents with the same media type are merged.
pub(super) fn response_with_contents<'s>(
    description: &str,
    contents: impl Iterator<Item = &'s ResponseContent>,
    schemas: &mut Schemas,
) -> Response {
    let mut by_type: Vec<(&str, Vec<&Json>, BTreeMap<&String, &Example>)> = Vec::new();
    for ResponseContent { media_type, alternatives, examples, .. } in contents {
        let media_type = media_type_essence(media_type);
        let index = by_type.iter().position(|(other, ..)| *other == media_type).unwrap_or_else(|| {
            by_type.push((media_type, Vec::new(), BTreeMap::new()));
            by_type.len() - 1
        });
        let (_, schemas, by_name) = &mut by_type[index];
        schemas.extend(alternatives);
        // If two examples have the same name, the first example is kept. It is in the envelope of the method's API
        // module.
        examples.iter().for_each(|(name, example)| {
            by_name.entry(name).or_insert(example);
        });
    }
    let mut response = Response::new(description);
    for (media_type, alternatives, examples) in by_type {
        let schema = if let [one] = alternatives[..] { one.clone() } else { json!({ "anyOf": alternatives }) };
        let mut content = ContentBuilder::new().schema(Some(schemas.add_with_placeholder(schema))).build();
        content.examples = examples.into_iter().map(|(name, example)| (name.clone(), example.clone().into())).collect();
        response.content.insert(media_type.to_owned(), content.into());
    }
    response
}

/// Returns a media type without its parameters (RFC 9110 section 8.3.1).
fn media_type_essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or(media_type)
}
