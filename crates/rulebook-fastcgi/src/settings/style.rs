//! The style of a handler, and the service or class that it calls.

use rulebook::handler_kind::settings::{choice, non_empty_text};
use rulebook::handler_kind::{HandlerError, SettingsReader};
use rulebook::model::Segment;

use super::{PhpStyle, api3};

/// The parameter of PhalApi that names the service.
const SERVICE: &str = "service";

/// Reads the style, and the FastCGI parameters by which the bridge finds a class.
pub fn style(reader: &mut SettingsReader<'_>, root: Option<&str>) -> (PhpStyle, Vec<(String, String)>) {
    let names = ["plain", "phalapi", "api3"].map(|name| (name, name));
    let name = reader.read("style", |node, setting| choice(node, setting, &names)).unwrap_or("plain");
    let others: &[&str] = match name {
        "plain" => &["service", "class", "function"],
        "phalapi" => &["class", "function", "arguments"],
        _ => &["service", "arguments"],
    };
    for setting in others {
        let Some(node) = reader.method.optional_setting(setting) else { continue };
        let message = format!("`{setting}` has no effect with the style `{name}`");
        reader.errors.push(HandlerError::new(message).at(node.span).help("remove it, or set another `style`"));
    }
    match name {
        "plain" => (PhpStyle::Plain, Vec::new()),
        "phalapi" => {
            check_parameter_names(reader);
            (PhpStyle::PhalApi { service: service(reader) }, Vec::new())
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

/// Reports a parameter with which a client could select another service than the definition.
fn check_parameter_names(reader: &mut SettingsReader<'_>) {
    for parameter in &reader.method.method.parameters {
        // PHP ignores blanks at the beginning of a name, and reads brackets as an array with the name before them.
        let name = parameter.name.trim_start().split('[').next().unwrap_or_default();
        if name.eq_ignore_ascii_case(SERVICE) {
            let message = format!("PhalApi would take the service from the parameter `{}`", parameter.name);
            reader.errors.push(HandlerError::new(message).at(parameter.span).help("give it another `name`"));
        }
    }
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
