//! The style of a handler, and the service or class that it calls.

use rulebook::error::PhalapiVersion;
use rulebook::handler_kind::settings::{boolean, choice, non_empty_text};
use rulebook::handler_kind::{HandlerError, SettingsReader};
use rulebook::model::{Segment, Spanned};

use super::{PhpStyle, api3};
use crate::request::NAMESPACE;

/// The services that PhalApi 1 and 2 run if a request names none.
const DEFAULTS: [&str; 2] = ["Default.Index", "Site.Index"];

/// Reads the style, and the FastCGI parameters by which the bridge finds a class.
pub fn style(reader: &mut SettingsReader<'_>, root: Option<&str>) -> (PhpStyle, Vec<(String, String)>) {
    let names = ["plain", "phalapi", "api3"].map(|name| (name, name));
    let name = reader.read("style", |node, setting| choice(node, setting, &names)).unwrap_or("plain");
    let others: &[&str] = match name {
        "plain" => &["service", "uri_match", "class", "function", "strict"],
        "phalapi" => &["class", "function"],
        _ => &["service", "uri_match", "arguments"],
    };
    for setting in others {
        let Some(node) = reader.method.optional_setting(setting) else { continue };
        let message = format!("`{setting}` has no effect with the style `{name}`");
        reader.errors.push(HandlerError::new(message).at(node.span).help("remove it, or set another `style`"));
    }
    match name {
        "plain" => (PhpStyle::Plain, Vec::new()),
        "phalapi" => {
            let service = service(reader);
            let is_second = reader.method.api.catalogue.version() >= PhalapiVersion::V2_0;
            let unnamed_uri = unnamed_uri(reader, &service, is_second);
            (PhpStyle::PhalApi { service, unnamed_uri, is_second }, Vec::new())
        }
        _ => api3::class(reader, root),
    }
}

/// Returns the two segments of the path of the method's service; `None` if it has another path.
pub fn path_names<'a>(reader: &SettingsReader<'a>) -> Option<(&'a str, &'a str)> {
    let modules = reader.method.api.modules.iter();
    let mut services = modules.flat_map(|module| &module.services);
    let service = services.find(|service| service.methods.iter().any(|method| method.id == reader.method.method.id));
    match &service?.path[..] {
        [Segment::Static(first), Segment::Static(second)] => Some((first, second)),
        _ => None,
    }
}

/// Returns the `REQUEST_URI` with which PhalApi finds the service if a request does not name it. It contains no part of
/// the request, because PhalApi searches the whole of it for its script.
fn unnamed_uri(reader: &mut SettingsReader<'_>, service: &str, is_second: bool) -> Option<String> {
    let matches_uris = reader.read("uri_match", boolean).unwrap_or(false);
    let without_namespace = service.strip_prefix(NAMESPACE).and_then(|rest| rest.strip_prefix('.')).unwrap_or(service);
    let is_default = |name: &Spanned<String>| {
        name.value.eq_ignore_ascii_case(without_namespace)
            && DEFAULTS[usize::from(is_second)].eq_ignore_ascii_case(without_namespace)
    };
    if reader.method.api.service.default.as_ref().is_some_and(is_default) {
        return Some("/".to_owned());
    }
    (matches_uris && is_second).then(|| format!("/{}", service.replace('.', "/")))
}

/// Returns the name of the PhalApi service: the setting `service`, or `Class.Method` for the path `/Class/Method`.
fn service(reader: &mut SettingsReader<'_>) -> String {
    if let Some(service) = reader.read("service", non_empty_text) {
        return service.value;
    }
    let Some((class, method)) = path_names(reader) else {
        let message = format!("the path of {} does not name a service of PhalApi", reader.method.method.id);
        reader.errors.push(HandlerError::new(message).help("set `service`, for example to `User.Login`"));
        return String::new();
    };
    // The path of a class has a small first letter, and PhalApi accepts both.
    let mut letters = class.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    let class: String = first.into_iter().chain(letters).collect();
    format!("{class}.{method}")
}
