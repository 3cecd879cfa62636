//! The content of responses, which is combined if several envelopes send the same status.

use std::collections::BTreeMap;
use std::iter;

use serde_json::{Value as Json, json};
use utoipa::openapi::example::Example;
use utoipa::openapi::{ContentBuilder, Response};

use super::schemas::Schemas;

/// The possible bodies of responses with one status and one media type.
pub(super) struct ResponseContent {
    pub(super) status: u16,
    pub(super) media_type: String,
    /// The schemas of the possible bodies. Every body matches one of them.
    pub(super) any: Vec<Json>,
    pub(super) examples: Vec<(String, Example)>,
}

impl ResponseContent {
    pub(super) fn new(status: u16, media_type: &str, schema: Json) -> Self {
        Self { status, media_type: media_type.to_owned(), any: vec![schema], examples: Vec::new() }
    }

    /// Returns this content as JSON and in each of the formats.
    pub(super) fn in_json_and(self, formats: &[String]) -> impl Iterator<Item = Self> {
        let others: Vec<_> = formats
            .iter()
            // Examples are written in JSON, so other formats have none.
            .map(|format| Self { media_type: format.clone(), any: self.any.clone(), examples: Vec::new(), ..self })
            .collect();
        iter::once(self).chain(others)
    }
}

/// Returns a response that can have each of these contents, grouped by media type.
pub(super) fn response_of<'s>(
    description: &str,
    contents: impl Iterator<Item = &'s ResponseContent>,
    schemas: &mut Schemas,
) -> Response {
    let mut by_type: Vec<(&str, Vec<&Json>, BTreeMap<&String, &Example>)> = Vec::new();
    for ResponseContent { media_type, any, examples, .. } in contents {
        let media_type = media_type_essence(media_type);
        let index = by_type.iter().position(|(other, ..)| *other == media_type).unwrap_or_else(|| {
            by_type.push((media_type, Vec::new(), BTreeMap::new()));
            by_type.len() - 1
        });
        let (_, schemas, by_name) = &mut by_type[index];
        schemas.extend(any);
        // If two examples have the same name, the first one is kept, which is in the envelope of the method.
        examples.iter().for_each(|(name, example)| {
            by_name.entry(name).or_insert(example);
        });
    }
    let mut response = Response::new(description);
    for (media_type, any, examples) in by_type {
        let schema = if let [one] = any[..] { one.clone() } else { json!({ "anyOf": any }) };
        let mut content = ContentBuilder::new().schema(Some(schemas.add(schema))).build();
        content.examples = examples.into_iter().map(|(name, example)| (name.clone(), example.clone().into())).collect();
        response.content.insert(media_type.to_owned(), content.into());
    }
    response
}

/// Returns a media type without its parameters (RFC 9110 section 8.3.1).
fn media_type_essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or(media_type)
}
