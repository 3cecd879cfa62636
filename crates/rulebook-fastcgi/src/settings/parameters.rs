//! How the parameters of a method are sent.

use rulebook::handler_kind::{HandlerError, SettingsReader};
use rulebook::model::{Location, Parameter};

use super::headers::variable;
use super::{ArgumentNotation, ParameterSettings, PhpStyle, SentIn};
use crate::request::is_readable_name;

/// Returns how each parameter is sent. The code of PhalApi knows parameters by their names in requests, and reads some
/// of them from header fields and cookies; other code knows them by their names in code.
pub fn parameters(
    reader: &mut SettingsReader<'_>,
    style: &PhpStyle,
    notation: ArgumentNotation,
) -> Vec<ParameterSettings> {
    let method = reader.method.method;
    let is_phalapi = matches!(style, PhpStyle::PhalApi { .. });
    let is_form = match style {
        PhpStyle::Plain => notation == ArgumentNotation::Form,
        PhpStyle::PhalApi { .. } => true,
        PhpStyle::Api3 { .. } => false,
    };
    let mut list = Vec::new();
    for parameter in &method.parameters {
        let name = if is_phalapi { parameter.request_name() } else { &parameter.name };
        let sent_in = if is_phalapi { phalapi_location(parameter) } else { Some(SentIn::Form) };
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
