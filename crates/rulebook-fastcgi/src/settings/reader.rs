//! Reads the values of settings, and collects the errors in them.

use rulebook::handler_kind::settings::{non_empty_text, object, unknown_setting};
use rulebook::handler_kind::{HandledMethod, HandlerError, JsonNode};
use rulebook::model::Spanned;

use super::{KIND, METHOD_SETTINGS, POOL_SETTINGS, UNSHARED_SETTINGS};

/// The name of the settings that all methods share.
const SHARED: &str = "handlers.fastcgi";

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
        match shared.map(|shared| object(shared, SHARED)) {
            None => {}
            Some(Ok(members)) => members.into_iter().for_each(|member| reader.check_shared_name(&member.key)),
            Some(Err(error)) => reader.error(error),
        }
        reader
    }

    fn check_shared_name(&mut self, key: &Spanned<String>) {
        let name = key.value.as_str();
        let is_shared = |name: &&str| !UNSHARED_SETTINGS.contains(name);
        let known: Vec<_> = METHOD_SETTINGS.into_iter().filter(is_shared).chain(POOL_SETTINGS).collect();
        if UNSHARED_SETTINGS.contains(&name) {
            let error = HandlerError::new(format!("`{name}` belongs to one method")).at(key.span);
            self.error(error.help("move it to the `handler` of the method"));
        } else if !known.contains(&name) {
            self.error(unknown_setting(key, &format!("`{SHARED}`"), &known));
        }
    }

    pub fn error(&mut self, error: HandlerError) {
        self.errors.push(error);
    }

    /// Returns the value of a setting of the method, or of a shared setting.
    pub fn node(&self, name: &str) -> Option<&'a JsonNode> {
        self.method.optional_setting(name).or_else(|| self.shared?.member(name))
    }

    /// Reads a setting with a function of [`settings`](rulebook::handler_kind::settings), if it exists.
    pub fn read<T>(&mut self, name: &str, read: impl FnOnce(&JsonNode, &str) -> Result<T, HandlerError>) -> Option<T> {
        read(self.node(name)?, name).map_err(|error| self.error(error)).ok()
    }

    /// Reads a setting with several values, each of which can be wrong.
    pub fn read_list<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&JsonNode, &str) -> Result<Vec<T>, Vec<HandlerError>>,
    ) -> Vec<T> {
        let list = self.node(name).map_or(Ok(Vec::new()), |node| read(node, name));
        list.map_err(|errors| self.errors.extend(errors)).unwrap_or_default()
    }

    /// Reads a text that is not empty.
    pub fn text(&mut self, name: &str) -> Option<Spanned<String>> {
        self.read(name, non_empty_text)
    }
}
