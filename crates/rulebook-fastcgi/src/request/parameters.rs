//! The FastCGI parameters of a request, which PHP reads as `$_SERVER`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use rulebook::handler_kind::body_len;
use rulebook::{Claims, Context};
use serde_json::Value as Json;

use super::client_request::field_value;
use super::encoded::Encoded;
use crate::settings::HandlerSettings;

/// The names of all parameters that this crate sets, apart from those that begin with [`RESERVED_PREFIX`]. The setting
/// `environment` cannot set them.
pub const RESERVED: [&str; 15] = [
    "CONTENT_LENGTH",
    "CONTENT_TYPE",
    "DOCUMENT_ROOT",
    "DOCUMENT_URI",
    "GATEWAY_INTERFACE",
    "PATH_INFO",
    "QUERY_STRING",
    "REDIRECT_STATUS",
    "REMOTE_ADDR",
    "REQUEST_METHOD",
    "REQUEST_URI",
    "SCRIPT_FILENAME",
    "SCRIPT_NAME",
    "SERVER_PROTOCOL",
    "SERVER_SOFTWARE",
];
/// The beginning of the names of parameters that only rulebook knows.
pub const RESERVED_PREFIX: &str = "RULEBOOK_";

/// Returns the parameters of a request. No value of an argument is part of the path of the script.
pub fn parameters<'a>(
    settings: &'a HandlerSettings,
    script: &'a str,
    encoded: &'a Encoded,
    context: &Context,
) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
    let script_name = format!("/{}", script.rsplit('/').next().unwrap_or_default());
    let len = body_len(&encoded.body);
    let uri = match (&encoded.uri, encoded.query.as_str()) {
        (Some(uri), _) => uri.clone(),
        (None, "") => script_name.clone(),
        (None, query) => format!("{script_name}?{query}"),
    };
    let mut parameters: Vec<(Cow<'a, str>, Cow<'a, str>)> = vec![
        ("GATEWAY_INTERFACE".into(), "CGI/1.1".into()),
        ("SERVER_SOFTWARE".into(), "rulebook".into()),
        ("SERVER_PROTOCOL".into(), "HTTP/1.1".into()),
        // A PHP program that was compiled with `force-cgi-redirect` requires it.
        ("REDIRECT_STATUS".into(), "200".into()),
        ("REQUEST_METHOD".into(), encoded.http.as_ref().into()),
        ("SCRIPT_FILENAME".into(), script.into()),
        ("DOCUMENT_URI".into(), script_name.clone().into()),
        ("SCRIPT_NAME".into(), script_name.into()),
        ("QUERY_STRING".into(), encoded.query.as_str().into()),
        ("REQUEST_URI".into(), uri.into()),
        ("CONTENT_TYPE".into(), encoded.content_type.as_str().into()),
        ("CONTENT_LENGTH".into(), if len == 0 { "".into() } else { len.to_string().into() }),
    ];
    let mut push = |name: &'a str, value: Cow<'a, str>| parameters.push((name.into(), value));
    if let Some(root) = &settings.root {
        push("DOCUMENT_ROOT", root.as_str().into());
    }
    for (name, value) in settings.style_parameters.iter().chain(&settings.environment) {
        push(name, value.as_str().into());
    }
    push("RULEBOOK_METHOD", context.method().to_owned().into());
    push("RULEBOOK_HTTP_METHOD", settings.http.as_str().into());
    if let Some(id) = context.request_id() {
        push("RULEBOOK_REQUEST_ID", id.to_string().into());
    }
    if let Some(identity) = context.identity() {
        push("RULEBOOK_IDENTITY", identity.name().to_owned().into());
        push("RULEBOOK_PERMISSIONS", identity.permissions().map(Json::from).collect::<Json>().to_string().into());
        if let Some(claims) = identity.data::<Claims>() {
            push("RULEBOOK_CLAIMS", claims.to_json().to_string().into());
        }
    }
    if let Some(address) = context.client_address() {
        push("REMOTE_ADDR", address.to_string().into());
    }
    for header in &settings.request_headers {
        if let Some(value) = context.head().and_then(|head| field_value(settings, context, head, &header.name)) {
            push(&header.variable, value.into());
        }
    }
    for (name, value) in &encoded.header_fields {
        push(name, value.as_str().into());
    }
    // A parameter that is sent twice could have either value.
    let mut names = BTreeSet::new();
    parameters.retain(|(name, _)| names.insert(name.clone()));
    parameters
}
