//! Reads all settings of a handler, and collects the errors in them.

use rulebook_model::definition::{JsonMember, JsonNode};

use super::settings::{object, unknown_setting};
use super::{HandledMethod, HandlerError};

/// The names of the settings of a kind of handlers, besides that with the name of the kind.
#[derive(Debug, Clone, Copy)]
pub struct SettingNames {
    /// The settings of a handler.
    pub handler: &'static [&'static str],
    /// Those of them that belong to one handler, so that handlers cannot share them.
    pub unshared: &'static [&'static str],
    /// The settings that only all handlers together have.
    pub only_shared: &'static [&'static str],
}

/// Reads the settings of a handler: those of its method, and otherwise those that all handlers of the kind share.
#[derive(Debug)]
pub struct SettingsReader<'a> {
    /// The method whose handler is compiled.
    pub method: HandledMethod<'a>,
    /// The errors that were found.
    pub errors: Vec<HandlerError>,
    shared: Option<&'a JsonNode>,
}

impl<'a> SettingsReader<'a> {
    /// Creates a reader for a method whose handler has this kind. Other names of shared settings are errors.
    #[must_use]
    pub fn new(method: HandledMethod<'a>, kind: &str, names: &SettingNames) -> Self {
        let mut reader = Self { method, errors: Vec::new(), shared: method.shared_settings(kind) };
        let Some(shared) = reader.shared else { return reader };
        let owner = format!("handlers.{kind}");
        let members = object(shared, &owner).map_err(|error| reader.errors.push(error)).unwrap_or_default();
        let is_shared = |name: &&str| !names.unshared.contains(name);
        let known: Vec<_> = names.only_shared.iter().chain(names.handler).copied().filter(is_shared).collect();
        for JsonMember { key, .. } in members {
            let name = key.value.as_str();
            if names.unshared.contains(&name) {
                let error = HandlerError::new(format!("`{name}` belongs to one method")).at(key.span);
                reader.errors.push(error.help("move it to the `handler` of the method"));
            } else if !known.contains(&name) {
                reader.errors.push(unknown_setting(key, &format!("`{owner}`"), &known));
            }
        }
        reader
    }

    /// Returns the value of a setting that only all handlers together can have.
    #[must_use]
    pub fn shared_node(&self, name: &str) -> Option<&'a JsonNode> {
        self.shared?.member(name)
    }

    /// Returns the value of a setting of the method, or else of a shared setting.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&'a JsonNode> {
        self.method.optional_setting(name).or_else(|| self.shared_node(name))
    }

    /// Reads a setting with a function of [`settings`](super::settings), if the definition contains it.
    pub fn read<T>(&mut self, name: &str, read: impl FnOnce(&JsonNode, &str) -> Result<T, HandlerError>) -> Option<T> {
        read(self.node(name)?, name).map_err(|error| self.errors.push(error)).ok()
    }

    /// Reads a setting with several values, each of which can be wrong. Without the setting, the list is empty.
    pub fn read_list<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&JsonNode, &str) -> Result<Vec<T>, Vec<HandlerError>>,
    ) -> Vec<T> {
        let list = self.node(name).map_or(Ok(Vec::new()), |node| read(node, name));
        list.map_err(|errors| self.errors.extend(errors)).unwrap_or_default()
    }
}
