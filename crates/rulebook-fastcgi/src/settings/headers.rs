//! How parameters and header fields are sent, and further FastCGI parameters.

use rulebook::AuthScheme;
use rulebook::handler_kind::settings::{text_members, texts};
use rulebook::handler_kind::{HandlerError, SettingsReader};
use rulebook::http::HeaderName;
use rulebook::model::{Location, Parameter, Spanned};

use super::{ArgumentNotation, Credentials, ParameterSettings, PhpStyle, RequestHeader, SentIn};
use crate::request::{RESERVED, RESERVED_PREFIX, is_readable_name, php_name};

/// The FastCGI parameter that many programs read as the address of their proxy ("httpoxy"), so that no client may set
/// it.
const PROXY_VARIABLE: &str = "HTTP_PROXY";

/// Returns the FastCGI parameter for a header field; `None` if a script must not get this field.
pub fn variable(name: &str) -> Option<String> {
    let variable = format!("HTTP_{}", name.to_ascii_uppercase().replace('-', "_"));
    (variable != PROXY_VARIABLE).then_some(variable)
}

pub fn request_headers(reader: &mut SettingsReader<'_>) -> Vec<RequestHeader> {
    let mut headers = Vec::new();
    for name in header_names(reader, "request_headers") {
        match variable(&name.value) {
            Some(variable) => headers.push(RequestHeader { name: name.value, variable }),
            None => {
                let message =
                    "a script must not get the header field `Proxy`: many programs would use it as their proxy";
                reader.errors.push(HandlerError::new(message).at(name.span).help("remove it"));
            }
        }
    }
    headers
}

/// Returns the header fields and cookies that the authentication schemes of the API use.
pub fn credentials(reader: &SettingsReader<'_>) -> Credentials {
    let mut credentials = Credentials { header_fields: vec!["authorization".to_owned()], cookies: Vec::new() };
    for scheme in &reader.method.api.auth_schemes {
        match scheme {
            AuthScheme::Header(name) => credentials.header_fields.push(name.to_ascii_lowercase()),
            AuthScheme::Cookie(name) => credentials.cookies.push(name.clone()),
            _ => {}
        }
    }
    credentials
}

pub fn response_headers(reader: &mut SettingsReader<'_>) -> Vec<String> {
    header_names(reader, "response_headers").into_iter().map(|name| name.value).collect()
}

fn header_names(reader: &mut SettingsReader<'_>, setting: &str) -> Vec<Spanned<String>> {
    let mut names = reader.read_list(setting, texts);
    names.retain(|name| {
        let is_name = HeaderName::from_bytes(name.value.as_bytes()).is_ok();
        if !is_name {
            let message = format!("`{}` is not the name of a header field", name.value.escape_debug());
            reader.errors.push(HandlerError::new(message).at(name.span));
        }
        is_name
    });
    names
}

pub fn environment(reader: &mut SettingsReader<'_>) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    for (name, value) in reader.read_list("environment", text_members) {
        let is_variable = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let error =
            if !name.value.bytes().all(is_variable) || !name.value.starts_with(|char: char| !char.is_ascii_digit()) {
                Some("the name of a FastCGI parameter has capital letters, digits and `_`".to_owned())
            } else if RESERVED.contains(&name.value.as_str()) || name.value.starts_with(RESERVED_PREFIX) {
                Some(format!("rulebook sets the FastCGI parameter `{}`", name.value))
            } else if name.value == PROXY_VARIABLE {
                Some(format!("`{PROXY_VARIABLE}` must not be set: many programs would use it as their proxy"))
            } else if value.value.len() > MAX_VALUE_LEN {
                Some(format!("the value has more than {MAX_VALUE_LEN} bytes"))
            } else {
                None
            };
        match error {
            Some(message) => reader.errors.push(HandlerError::new(message).at(name.span)),
            None => parameters.push((name.value, value.value)),
        }
    }
    parameters
}

/// The maximum length of a parameter in `environment` in bytes: a parameter must fit into a FastCGI record.
const MAX_VALUE_LEN: usize = 32 << 10;

/// The field of PhalApi that names the service, which the handler adds itself.
const SERVICE: &str = "service";

/// Returns how each parameter is sent. The code of PhalApi knows parameters by their names in requests, and reads some
/// of them from header fields and cookies; other code knows them by their names in code.
pub fn parameters(
    reader: &mut SettingsReader<'_>,
    style: &PhpStyle,
    notation: ArgumentNotation,
) -> Vec<ParameterSettings> {
    let method = reader.method.method;
    let is_phalapi = matches!(style, PhpStyle::PhalApi { .. });
    let is_form = notation == ArgumentNotation::Form && !matches!(style, PhpStyle::Api3 { .. });
    let mut list = Vec::new();
    for parameter in &method.parameters {
        let name = if is_phalapi { parameter.request_name() } else { &parameter.name };
        let sent_in = if is_phalapi { phalapi_location(parameter) } else { Some(SentIn::Form) };
        let is_service = is_phalapi && php_name(name).0.eq_ignore_ascii_case(SERVICE);
        if is_service && is_form {
            let message = format!("PhalApi would take the service from the parameter `{}`", parameter.name);
            reader.errors.push(HandlerError::new(message).at(parameter.span).help("give it another `name`"));
        }
        let sent_in = if is_service { Some(SentIn::Nowhere) } else { sent_in };
        let Some(sent_in) = sent_in else {
            let message = "a script must not get the header field `Proxy`: many programs would use it as their proxy";
            reader.errors.push(HandlerError::new(message).at(parameter.span));
            continue;
        };
        if is_form && matches!(sent_in, SentIn::Form | SentIn::Cookie) && !is_readable_name(name) {
            let message = format!("PHP would change the name of the field `{}` of {}", name.escape_debug(), method.id);
            let help = "use letters, digits, `_` and `-`, or set `arguments` to `json`";
            reader.errors.push(HandlerError::new(message).at(parameter.span).help(help));
        }
        list.push(ParameterSettings {
            name: name.to_owned(),
            sent_in,
            is_timestamp: is_phalapi && is_timestamp(parameter),
        });
    }
    list
}

fn phalapi_location(parameter: &Parameter) -> Option<SentIn> {
    match parameter.from {
        Location::Header => variable(&parameter.key).map(SentIn::HeaderField),
        Location::Cookie => Some(SentIn::Cookie),
        _ => Some(SentIn::Form),
    }
}

/// Returns `true` if the checked value of a date is the number of seconds since 1970.
fn is_timestamp(parameter: &Parameter) -> bool {
    let written = &parameter.r#type.written;
    written.term.starts_with("date") && written.attributes.get("format").is_some_and(|format| format == "timestamp")
}
