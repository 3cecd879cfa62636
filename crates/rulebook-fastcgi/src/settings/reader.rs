//! Reads the values of settings, and collects the errors in them.

use std::ops::RangeInclusive;
use std::time::Duration;

use rulebook::handler_kind::{HandledMethod, HandlerError, JsonData, JsonNode};
use rulebook::model::Spanned;

use super::{KIND, METHOD_SETTINGS, POOL_SETTINGS, UNSHARED_SETTINGS};

/// Reads settings of a handler: those of its method, and otherwise those that all methods share.
pub struct Reader<'a> {
    pub method: &'a HandledMethod<'a>,
    shared: Option<&'a JsonNode>,
    pub errors: Vec<HandlerError>,
}

impl<'a> Reader<'a> {
    /// Creates a reader. Unknown names of shared settings are errors.
    pub fn new(method: &'a HandledMethod<'a>) -> Self {
        let shared = method.shared_settings(KIND);
        let mut reader = Self { method, shared, errors: Vec::new() };
        match shared.map(|node| (&node.data, node)) {
            None => {}
            Some((JsonData::Object(members), _)) => {
                for member in members.list.iter().filter(|member| !member.is_comment()) {
                    reader.check_shared_name(&member.key);
                }
            }
            Some((_, node)) => {
                let message =
                    format!("the settings of `{KIND}` must be an object, but this is {}", node.describe_kind());
                reader.error(HandlerError::new(message).at(node.span));
            }
        }
        reader
    }

    fn check_shared_name(&mut self, key: &Spanned<String>) {
        let name = key.value.as_str();
        if UNSHARED_SETTINGS.contains(&name) {
            let error = HandlerError::new(format!("`{name}` belongs to one method")).at(key.span);
            self.error(error.help("move it to the `handler` of the method"));
        } else if !METHOD_SETTINGS.contains(&name) && !POOL_SETTINGS.contains(&name) {
            let known = METHOD_SETTINGS.iter().filter(|known| !UNSHARED_SETTINGS.contains(known)).chain(&POOL_SETTINGS);
            let known = known.map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
            let error = HandlerError::new(format!("`{KIND}` has no setting `{}`", name.escape_debug())).at(key.span);
            self.error(error.help(format!("its settings are {known}")));
        }
    }

    pub fn error(&mut self, error: HandlerError) {
        self.errors.push(error);
    }

    /// Returns the value of a setting of the method, or of a shared setting.
    pub fn node(&self, name: &str) -> Option<&'a JsonNode> {
        self.method.optional_setting(name).or_else(|| self.shared?.member(name))
    }

    /// Reports that a setting has the wrong type or an invalid value.
    fn expected(&mut self, name: &str, expected: &str, node: &JsonNode) {
        let message = format!("`{name}` must be {expected}, but this is {}", node.describe_kind());
        self.error(HandlerError::new(message).at(node.span));
    }

    /// Returns a text that is not empty.
    pub fn text(&mut self, name: &str) -> Option<Spanned<String>> {
        let node = self.node(name)?;
        let text = node.string().filter(|text| !text.value.is_empty() && !text.value.contains('\0'));
        if text.is_none() {
            self.expected(name, "a text that is not empty", node);
        }
        text
    }

    pub fn bool(&mut self, name: &str) -> Option<bool> {
        let node = self.node(name)?;
        match node.data {
            JsonData::Bool(value) => Some(value),
            _ => {
                self.expected(name, "true or false", node);
                None
            }
        }
    }

    /// Returns one of several words; the first one is the default.
    pub fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> T {
        let default = choices[0].1;
        let Some(node) = self.node(name) else { return default };
        let text = node.string();
        let chosen = choices.iter().find(|(word, _)| text.as_ref().is_some_and(|text| text.value == *word));
        if chosen.is_none() {
            let words = choices.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(" or ");
            let message = format!("`{name}` must be {words}");
            self.error(HandlerError::new(message).at(node.span));
        }
        chosen.map_or(default, |(_, value)| *value)
    }

    pub fn integer(&mut self, name: &str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let Some(node) = self.node(name) else { return default };
        let value = node.integer().map(|integer| integer.value).filter(|value| range.contains(value));
        value.unwrap_or_else(|| {
            self.expected(name, &format!("an integer from {} to {}", range.start(), range.end()), node);
            default
        })
    }

    pub fn byte_size(&mut self, name: &str, default: usize, range: RangeInclusive<u64>) -> usize {
        let Some(node) = self.node(name) else { return default };
        let value = node.byte_size().map(|size| size.value).filter(|value| range.contains(value));
        value.and_then(|value| usize::try_from(value).ok()).unwrap_or_else(|| {
            let expected =
                format!("a number of bytes from {} to {}, or a size such as `\"5MB\"`", range.start(), range.end());
            self.expected(name, &expected, node);
            default
        })
    }

    /// Returns a time in seconds, which may have a fraction.
    pub fn seconds(&mut self, name: &str, default: f64, range: RangeInclusive<f64>) -> Duration {
        let Some(node) = self.node(name) else { return Duration::from_secs_f64(default) };
        let value = match &node.data {
            JsonData::Number(number) => number.as_f64().filter(|value| range.contains(value)),
            _ => None,
        };
        if value.is_none() {
            self.expected(name, &format!("a number of seconds from {} to {}", range.start(), range.end()), node);
        }
        Duration::from_secs_f64(value.unwrap_or(default))
    }

    /// Returns the items of a list of texts.
    pub fn texts(&mut self, name: &str) -> Vec<Spanned<String>> {
        let Some(node) = self.node(name) else { return Vec::new() };
        let JsonData::Array(items) = &node.data else {
            self.expected(name, "a list of texts", node);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match item.string() {
                Some(text) => texts.push(text),
                None => self.expected(name, "a list of texts", item),
            }
        }
        texts
    }

    /// Returns the members of an object whose values are texts.
    pub fn members(&mut self, name: &str) -> Vec<(Spanned<String>, Spanned<String>)> {
        let Some(node) = self.node(name) else { return Vec::new() };
        let JsonData::Object(members) = &node.data else {
            self.expected(name, "an object whose members are texts", node);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for member in members.list.iter().filter(|member| !member.is_comment()) {
            match member.value.string() {
                Some(text) => texts.push((member.key.clone(), text)),
                None => self.expected(name, "an object whose members are texts", &member.value),
            }
        }
        texts
    }
}
