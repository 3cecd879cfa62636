//! Reads the settings of a handler.

use std::time::Duration;

use rulebook::HttpMethod;
use rulebook::envelope::EnvelopeName;
use rulebook::handler_kind::settings::{
    boolean, byte_size, choice, non_empty_text, seconds, text_members, whole_number, wrong_value,
};
use rulebook::handler_kind::{HandledMethod, HandlerError, JsonNode, SettingsReader};
use rulebook::model::{Location, Module, Span};

use super::api3::below;
use super::{ArgumentNotation, HandlerSettings, KIND, PhpStyle, Responses, headers, style};
use crate::address::Address;
use crate::protocol::PoolLimits;

/// The settings of a handler, the address of its server, and the files that it needs.
pub struct ReadSettings {
    pub settings: HandlerSettings,
    pub address: Address,
    /// The files that must exist on this machine, with the settings that name them.
    pub files: Vec<(String, Span)>,
}

/// Reads the settings of a handler. Returns `None` if an error was found.
pub fn read(reader: &mut SettingsReader<'_>) -> Option<ReadSettings> {
    let method = reader.method.method;
    let address = address(reader);
    let root = root(reader);
    let (style, style_parameters) = style::style(reader, root.as_deref());
    let arguments = arguments(reader, &style);
    let script = script(reader, root.as_deref(), &style);
    let parameters = headers::parameters(reader, &style, arguments);
    let local_files = reader.read("local_files", boolean);
    // With a socket, the server runs on this machine, so that it probably sees the same files.
    let is_local = local_files.unwrap_or(matches!(address, Some(Address::Unix(_))));
    let files = if is_local { files(reader, script.as_deref(), &style) } else { Vec::new() };
    let responses = responses(reader, &style);
    let settings = HandlerSettings {
        http: method.http,
        is_idempotent: matches!(style, PhpStyle::Plain)
            && method.follows_http_semantics
            && matches!(method.http, HttpMethod::Get | HttpMethod::Put | HttpMethod::Delete),
        returns: reader.method.returns(),
        style,
        arguments,
        responses,
        has_api3_envelope: envelope(reader) == Some(&EnvelopeName::Aicra),
        parameters,
        root,
        script,
        timeout: reader.read("timeout", seconds).unwrap_or(Duration::from_secs(30)),
        max_response: reader.read("max_response", |node, name| byte_size(node, name, 1..=1 << 30)).unwrap_or(8 << 20),
        form_fields: reader.read("form_fields", |node, name| whole_number(node, name, 1..=1_000_000)).unwrap_or(1000),
        environment: headers::environment(reader),
        style_parameters,
        request_headers: headers::request_headers(reader),
        credentials: headers::credentials(reader),
        response_headers: headers::response_headers(reader),
        error_names: error_names(reader),
        declared_errors: method.errors_of_call(&reader.method.api.auth_errors).cloned().collect(),
    };
    let address = address.filter(|_| reader.errors.is_empty())?;
    Some(ReadSettings { settings, address, files })
}

/// Reads how PHP gets the arguments. A project for PhalApi reads the request itself, unless a part of its path is an
/// argument, which PhalApi does not know.
fn arguments(reader: &mut SettingsReader<'_>, style: &PhpStyle) -> ArgumentNotation {
    use ArgumentNotation::{Form, Json, Request};
    let parameters = &reader.method.method.parameters;
    let in_path = parameters.iter().find(|parameter| matches!(parameter.from, Location::Path | Location::Position(_)));
    let is_phalapi = matches!(style, PhpStyle::PhalApi { .. });
    let notations = [("request", Request), ("form", Form), ("json", Json)];
    let notation = reader.read("arguments", |node, name| choice(node, name, &notations));
    let mut report = |message: String| {
        let span = reader.node("arguments").map_or(reader.method.handler.span, |node| node.span);
        reader.errors.push(HandlerError::new(message).at(span).help("set `arguments` to `form`"));
    };
    match (notation, in_path) {
        (Some(Request), Some(parameter)) => {
            report(format!("PHP does not find the argument `{}`, which is in the path of requests", parameter.name));
        }
        (Some(Json), _) if is_phalapi => report("PhalApi does not read its arguments from JSON".to_owned()),
        _ => {}
    }
    notation.unwrap_or(if is_phalapi && in_path.is_none() { Request } else { Form })
}

fn responses(reader: &mut SettingsReader<'_>, style: &PhpStyle) -> Responses {
    let is_strict = reader.read("strict", boolean).unwrap_or(false);
    match style {
        PhpStyle::Plain => Responses::Strict,
        _ if is_strict => Responses::Strict,
        PhpStyle::PhalApi { .. } if envelope(reader) == Some(&EnvelopeName::Phalapi) => Responses::Unchanged,
        PhpStyle::PhalApi { .. } | PhpStyle::Api3 { .. } => Responses::Described,
    }
}

/// Returns the envelope of the method's module.
fn envelope<'a>(reader: &SettingsReader<'a>) -> Option<&'a EnvelopeName> {
    let HandledMethod { api, method, .. } = reader.method;
    let mut modules = api.modules.iter();
    let has_method = |module: &&Module| {
        module.services.iter().any(|service| service.methods.iter().any(|other| other.id == method.id))
    };
    modules.find(has_method).map(|module| api.envelope_name(module))
}

/// Reads the limits of connections, which all methods share.
pub fn pool_limits(reader: &mut SettingsReader<'_>) -> PoolLimits {
    let connections = reader.read("connections", |node, name| whole_number(node, name, 1..=10_000));
    let calls = reader.read("calls_per_connection", |node, name| whole_number(node, name, 1..=u16::MAX));
    PoolLimits {
        // php-fpm of Debian has at most 5 processes (`pm.max_children`), of which others may need one.
        connections: connections.unwrap_or(4),
        wait: reader.read("wait", seconds).unwrap_or(Duration::from_secs(5)),
        idle: reader.read("idle", idle).unwrap_or(Duration::from_secs(1)),
        calls_per_connection: calls.unwrap_or(100),
    }
}

/// Reads the time after which an unused connection is closed. 0 closes it after each call.
fn idle(node: &JsonNode, name: &str) -> Result<Duration, HandlerError> {
    match node.integer() {
        Some(zero) if zero.value == 0 => Ok(Duration::ZERO),
        _ => seconds(node, name).map_err(|error| error.help("write 0 to close connections after each call")),
    }
}

fn address(reader: &mut SettingsReader<'_>) -> Option<Address> {
    let node = reader.method.setting(KIND);
    let Some(text) = node.string() else {
        let error = wrong_value(node, KIND, "the address of a FastCGI server");
        reader.errors.push(error.help("for example `unix:/run/php/php-fpm.sock` or `127.0.0.1:9000`"));
        return None;
    };
    Address::parse(&text).map_err(|error| reader.errors.push(error)).ok()
}

fn root(reader: &mut SettingsReader<'_>) -> Option<String> {
    let root = reader.read("root", non_empty_text)?;
    if root.value.starts_with('/') {
        return Some(root.value.trim_end_matches('/').to_owned());
    }
    let message = format!("the path `{}` of `root` must be absolute", root.value.escape_debug());
    let help = "PHP does not know the folder in which rulebook runs; write `/srv/app`, for example";
    reader.errors.push(HandlerError::new(message).at(root.span).help(help));
    None
}

fn script(reader: &mut SettingsReader<'_>, root: Option<&str>, style: &PhpStyle) -> Option<String> {
    let has_bridge = matches!(style, PhpStyle::Api3 { .. });
    let Some(script) = reader.read("script", non_empty_text) else {
        if !has_bridge && reader.node("script").is_none() {
            let error = HandlerError::new(format!("the handler of {} has no script", reader.method.method.id));
            reader.errors.push(error.help("set `script` to the path of a PHP file, for example `public/index.php`"));
        }
        return None;
    };
    if root.is_none() && !script.value.starts_with('/') {
        if reader.node("root").is_none() {
            let message = format!("the path `{}` of `script` is not absolute", script.value.escape_debug());
            let help = "write an absolute path, or set `root` to the folder of the project";
            reader.errors.push(HandlerError::new(message).at(script.span).help(help));
        }
        return None;
    }
    Some(below(root.unwrap_or_default(), &script.value))
}

/// Returns the files that must exist, if PHP sees the files of this machine.
fn files(reader: &SettingsReader<'_>, script: Option<&str>, style: &PhpStyle) -> Vec<(String, Span)> {
    let span = |setting: &str| reader.node(setting).map_or(reader.method.handler.span, |node| node.span);
    let script = script.map(|script| (script.to_owned(), span("script")));
    let class = match style {
        PhpStyle::Api3 { file } => Some((file.clone(), span("class"))),
        PhpStyle::Plain | PhpStyle::PhalApi { .. } => None,
    };
    script.into_iter().chain(class).collect()
}

/// Reads `errors`: the names of declared errors by what PHP returns. Methods may share entries for errors that not all
/// of them declare.
fn error_names(reader: &mut SettingsReader<'_>) -> Vec<(String, String)> {
    let method = reader.method;
    let of_method = method.optional_setting("errors").is_some();
    let mut names = Vec::new();
    for (returned, name) in reader.read_list("errors", text_members) {
        let is_declared = method.method.errors_of_call(&method.api.auth_errors).any(|error| error.name == name.value);
        if is_declared {
            names.push((returned.value, name.value));
        } else if of_method {
            let message = format!("{} declares no error `{}`", method.method.id, name.value.escape_debug());
            let help = "add it to the `errors` of the method, or correct the name";
            reader.errors.push(HandlerError::new(message).at(name.span).help(help));
        }
    }
    names
}
