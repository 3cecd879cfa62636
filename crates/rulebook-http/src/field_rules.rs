//! The header fields of requests to upstreams: fixed ones, those of the request that are passed on, and the identity.

use std::fmt::Write;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use rulebook::handler_kind::settings::{boolean, texts, wrong_value};
use rulebook::handler_kind::{HandlerError, JsonData, JsonNode, SettingsReader, expand_variables};
use rulebook::{Context, Identity};

use super::field_names::{
    IDENTITY, NEVER_COPIED, REQUEST_ID, TRACE, is_named_by_connection, is_reserved, unambiguous_name,
};

/// The header fields of requests that the definition chooses.
#[derive(Debug, Clone, Default)]
pub struct FieldRules {
    /// Fields that each request has.
    pub fixed: Vec<(HeaderName, HeaderValue)>,
    /// The names of the fields that are copied from the request of the client.
    pub forward: Vec<HeaderName>,
    /// `true` if the upstream gets the name and the permissions of the caller.
    pub identity: bool,
}

impl FieldRules {
    /// Reads the settings `headers`, `forward` and `identity`. The fields of a handler are added to those of all
    /// handlers, and replace those with equal names.
    pub fn read(reader: &mut SettingsReader<'_>) -> Self {
        let nodes = |name| [reader.shared_node(name), reader.method.optional_setting(name)].into_iter().flatten();
        let (headers, forwards) = (nodes("headers"), nodes("forward"));
        let mut rules = Self { identity: reader.read("identity", boolean).unwrap_or(false), ..Self::default() };
        for node in headers {
            let added = read_fixed(node, &mut reader.errors);
            rules.fixed.retain(|(name, _)| added.iter().all(|(other, _)| other != name));
            rules.fixed.extend(added);
        }
        for name in forwards.flat_map(|node| read_forward(node, &mut reader.errors)) {
            if !rules.forward.contains(&name) {
                rules.forward.push(name);
            }
        }
        rules
    }

    /// Adds the fields of a call to those that the handler has set. Fixed fields replace all others.
    pub fn write(&self, fields: &mut HeaderMap, context: &Context) {
        for name in TRACE.iter().chain(&self.forward) {
            copy_field(fields, context, name);
        }
        if let Some(id) = context.request_id().and_then(|id| HeaderValue::try_from(id.to_string()).ok()) {
            fields.insert(REQUEST_ID, id);
        }
        if let Some(identity) = context.identity().filter(|_| self.identity).and_then(identity_field) {
            fields.insert(IDENTITY, identity);
        }
        for (name, value) in &self.fixed {
            fields.insert(name, value.clone());
        }
    }
}

/// Copies a field of the request, unless it concerns only the connection of the client.
fn copy_field(fields: &mut HeaderMap, context: &Context, name: &HeaderName) {
    let Some(head) = context.head().filter(|head| !is_named_by_connection(head, name)) else { return };
    fields.remove(name);
    for value in head.header_values(name.as_str()) {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            fields.append(name, value);
        }
    }
}

/// Returns the name and the permissions of a caller as JSON in ASCII, which every server accepts in a header field.
fn identity_field(identity: &Identity) -> Option<HeaderValue> {
    let json = serde_json::to_string(identity).ok()?;
    let mut ascii = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() && !c.is_ascii_control() {
            ascii.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(ascii, "\\u{unit:04x}").ok()?;
            }
        }
    }
    HeaderValue::try_from(ascii).ok()
}

fn read_fixed(node: &JsonNode, errors: &mut Vec<HandlerError>) -> Vec<(HeaderName, HeaderValue)> {
    let JsonData::Object(members) = &node.data else {
        errors.push(wrong_value(node, "headers", "an object").help("write `{\"X-Source\": \"api\"}`"));
        return Vec::new();
    };
    let mut fixed: Vec<(HeaderName, HeaderValue)> = Vec::new();
    // Unlike elsewhere, names that begin with `x-` are not comments.
    for member in members.list.iter().filter(|member| !member.key.value.starts_with('$')) {
        let name = read_name(&member.key.value, member.key.span, errors);
        let value = read_value(&member.key.value, &member.value).map_err(|error| errors.push(error)).ok();
        let Some((name, mut value)) = name.zip(value) else { continue };
        // Fixed fields may be credentials.
        value.set_sensitive(true);
        if fixed.iter().any(|(other, _)| *other == name) {
            let message = format!("`headers` contains `{name}` twice");
            errors.push(HandlerError::new(message).at(member.key.span).help("remove one of them"));
        }
        fixed.push((name, value));
    }
    fixed
}

/// Reads the value of the header field `name`, and replaces environment variables, unless the value is from `app.json`,
/// whose variables have been replaced.
fn read_value(name: &str, node: &JsonNode) -> Result<HeaderValue, HandlerError> {
    let text = node.string().map(|text| text.value);
    let expanded = match (text, &node.expanded) {
        (Some(text), None) => Some(expand_variables(&text, node.span)?),
        (text, _) => text,
    };
    expanded.and_then(|text| HeaderValue::try_from(text).ok()).ok_or_else(|| {
        let message = format!("the value of the header field `{}` is not valid", name.escape_debug());
        let error = HandlerError::new(message).at(node.span);
        error.help("a value is a text without line breaks and control characters")
    })
}

fn read_forward(node: &JsonNode, errors: &mut Vec<HandlerError>) -> Vec<HeaderName> {
    let items = texts(node, "forward").map_err(|found| errors.extend(found)).unwrap_or_default();
    let mut names = Vec::new();
    for text in items {
        let Some(name) = read_name(&text.value, text.span, errors) else { continue };
        if NEVER_COPIED.contains(&unambiguous_name(&name)) {
            let error = HandlerError::new(format!("the header field `{name}` of a request is never passed on"));
            errors.push(error.at(text.span).help("remove it, or set a fixed value with `headers`"));
        } else {
            names.push(name);
        }
    }
    names
}

fn read_name(text: &str, span: rulebook::model::Span, errors: &mut Vec<HandlerError>) -> Option<HeaderName> {
    let Ok(name) = HeaderName::from_bytes(text.as_bytes()) else {
        let message = format!("`{}` is not a name of a header field", text.escape_debug());
        errors.push(HandlerError::new(message).at(span));
        return None;
    };
    if is_reserved(&unambiguous_name(&name)) {
        let error = HandlerError::new(format!("the header field `{name}` is set by the server"));
        errors.push(error.at(span).help("remove it"));
        return None;
    }
    Some(name)
}
