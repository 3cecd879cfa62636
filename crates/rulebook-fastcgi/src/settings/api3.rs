//! The class of an api 3.0 module.

use rulebook::handler_kind::settings::{non_empty_text, texts};
use rulebook::handler_kind::{HandlerError, SettingsReader};
use rulebook::model::{Segment, Spanned};
use serde_json::Value as Json;

use super::PhpStyle;
use super::style::path_names;

/// The folder with the classes of modules, below the root of a project.
const FOLDER: &str = "build/api/module";
/// The namespace of the classes of modules.
const NAMESPACE: &str = r"api\module";

/// Reads the settings of an api 3.0 class, and returns them with the FastCGI parameters for the bridge.
pub fn class(reader: &mut SettingsReader<'_>, root: Option<&str>) -> (PhpStyle, Vec<(String, String)>) {
    if root.is_none() && reader.node("root").is_none() {
        let error = HandlerError::new("the style `api3` needs the folder of the project");
        reader.errors.push(error.help("set `root`, for example to `/srv/app`"));
    }
    let root = root.unwrap_or_default();
    let names = path_names(reader);
    let class = name(reader, "class", names.map(|(module, _)| module));
    let function = name(reader, "function", names.map(|(_, method)| method));
    if function.starts_with("__") {
        let message = format!("`{function}` is not a function that clients can call");
        reader.errors.push(HandlerError::new(message).help("set `function`"));
    }
    let folder = read_path(reader, "folder", FOLDER);
    let namespace = read_namespace(reader);
    let file = format!("{root}/{folder}/{class}.php");
    let bootstrap = reader.read("bootstrap", non_empty_text);
    let bootstrap = bootstrap.map(|bootstrap| below(root, &bootstrap.value));
    let delegates = read_delegates(reader);
    let parameters = [
        ("RULEBOOK_ROOT", root.to_owned()),
        ("RULEBOOK_FOLDER", format!("{root}/{folder}")),
        ("RULEBOOK_NAMESPACE", namespace),
        ("RULEBOOK_CLASS", class),
        ("RULEBOOK_FUNCTION", function),
        ("RULEBOOK_BOOTSTRAP", bootstrap.unwrap_or_default()),
        ("RULEBOOK_DELEGATES", Json::from(delegates).to_string()),
        ("RULEBOOK_DOWNLOAD", if reader.method.method.options.download { "1".to_owned() } else { String::new() }),
    ];
    let parameters = parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    (PhpStyle::Api3 { file }, parameters)
}

/// Returns a path below the root, unless it is absolute.
pub fn below(root: &str, path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", root.trim_end_matches('/')) }
}

/// Reads the name of a class or of a function; its default is a segment of the path.
fn name(reader: &mut SettingsReader<'_>, setting: &str, default: Option<&str>) -> String {
    let text = reader.read(setting, non_empty_text);
    let value = text.as_ref().map(|text| text.value.as_str()).or(default);
    let Some(value) = value else {
        let message = format!("the path of {} does not name a class and a function", reader.method.method.id);
        reader.errors.push(HandlerError::new(message).help(format!("set `{setting}`")));
        return String::new();
    };
    let value = value.to_owned();
    if !is_identifier(&value) {
        let message = format!("`{}` is not the name of a {setting} in PHP", value.escape_debug());
        let error = HandlerError::new(message).help(format!("set `{setting}`"));
        reader.errors.push(text.map_or(error.clone(), |text| error.at(text.span)));
    }
    value
}

fn is_identifier(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80;
    name.bytes().next().is_some_and(is_letter) && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit())
}

fn read_path(reader: &mut SettingsReader<'_>, setting: &str, default: &str) -> String {
    let path = reader.read(setting, non_empty_text).map_or_else(|| default.to_owned(), |text| text.value);
    path.trim_matches('/').to_owned()
}

fn read_namespace(reader: &mut SettingsReader<'_>) -> String {
    let Some(node) = reader.node("namespace") else { return NAMESPACE.to_owned() };
    let text = node.string().map(|text| text.value.trim_matches('\\').to_owned());
    let namespace = text.filter(|text| text.is_empty() || text.split('\\').all(is_identifier));
    namespace.unwrap_or_else(|| {
        let error = HandlerError::new("`namespace` must be the namespace of the classes").at(node.span);
        reader.errors.push(error.help(r"for example `api\\module`, or an empty text"));
        String::new()
    })
}

/// Reads the methods that the class may call with `Request`.
fn read_delegates(reader: &mut SettingsReader<'_>) -> Vec<String> {
    let mut delegates = reader.read_list("delegates", texts);
    delegates.retain(|delegate| is_known_delegate(reader, delegate));
    delegates.into_iter().map(|delegate| delegate.value).collect()
}

fn is_known_delegate(reader: &mut SettingsReader<'_>, delegate: &Spanned<String>) -> bool {
    let mut services = reader.method.api.services();
    let is_known = services.any(|service| match &service.path[..] {
        [Segment::Static(module), Segment::Static(method)] => format!("{module}/{method}") == delegate.value,
        _ => false,
    });
    if !is_known {
        let message = format!("no service has the path `{}`", delegate.value.escape_debug());
        reader
            .errors
            .push(HandlerError::new(message).at(delegate.span).help("name it `module/method`, as in the definition"));
    }
    is_known
}
