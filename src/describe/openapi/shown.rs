//! Responses made of all that an answer can be, several envelopes among it.

use std::collections::BTreeMap;
use std::iter;

use serde_json::{Value as Json, json};
use utoipa::openapi::example::Example;
use utoipa::openapi::{ContentBuilder, Response};

use super::schemas::Schemas;

/// What an answer of this status and media type can be.
pub(super) struct Shown {
    pub(super) status: u16,
    pub(super) media_type: String,
    /// Schemas of which it has one.
    pub(super) any: Vec<Json>,
    pub(super) examples: Vec<(String, Example)>,
}

impl Shown {
    /// An answer in JSON of this media type, and the same in these formats.
    pub(super) fn and_in(self, formats: &[String]) -> impl Iterator<Item = Self> {
        let others: Vec<_> = formats
            .iter()
            // Examples are JSON.
            .map(|format| Self { media_type: format.clone(), any: self.any.clone(), examples: Vec::new(), ..self })
            .collect();
        iter::once(self).chain(others)
    }

    pub(super) fn one(status: u16, media_type: &str, schema: Json) -> Self {
        Self { status, media_type: media_type.to_owned(), any: vec![schema], examples: Vec::new() }
    }
}

/// A response that is any of these, by their media types.
pub(super) fn response_of<'s>(words: &str, all: impl Iterator<Item = &'s Shown>, schemas: &mut Schemas) -> Response {
    let mut by_type: Vec<(&str, Vec<&Json>, BTreeMap<&String, &Example>)> = Vec::new();
    for Shown { media_type, any, examples, .. } in all {
        let media_type = essence(media_type);
        let index = by_type.iter().position(|(other, ..)| *other == media_type).unwrap_or_else(|| {
            by_type.push((media_type, Vec::new(), BTreeMap::new()));
            by_type.len() - 1
        });
        let (_, schemas, shown) = &mut by_type[index];
        schemas.extend(any);
        // The method's own envelope comes first where several are of one media type.
        examples.iter().for_each(|(name, example)| {
            shown.entry(name).or_insert(example);
        });
    }
    let mut response = Response::new(words);
    for (media_type, any, examples) in by_type {
        let schema = if let [one] = any[..] { one.clone() } else { json!({ "anyOf": any }) };
        let mut content = ContentBuilder::new().schema(Some(schemas.place(schema))).build();
        content.examples = examples.into_iter().map(|(name, shown)| (name.clone(), shown.clone().into())).collect();
        response.content.insert(media_type.to_owned(), content.into());
    }
    response
}

/// A media type without its parameters, as documents name it (RFC 9110 section 8.3.1).
fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or(media_type)
}
