//! The kind of authenticator `basic`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use rulebook::AuthScheme;
use rulebook::auth_kind::{AuthKind, AuthSettings, CompiledAuth};
use rulebook::handler_kind::settings::non_empty_text;
use rulebook::handler_kind::{HandlerError, JsonNode, expand_variables};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::authenticator::BasicAuthenticator;
use super::user_file::{Stamp, Users};
use crate::template::{Template, name_templates};

/// The interval at which the file of users is checked for changes.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The kind of authenticator `basic`, which accepts the names and passwords (RFC 7617) of the users in a file.
#[derive(Debug, Clone, Copy, Default)]
pub struct BasicKind;

impl AuthKind for BasicKind {
    fn name(&self) -> &str {
        "basic"
    }

    fn settings(&self) -> &[&str] {
        &["users", "permissions", "realm"]
    }

    fn compile(&self, settings: &AuthSettings<'_>) -> Result<CompiledAuth, Vec<HandlerError>> {
        let mut errors = Vec::new();
        let node =
            settings.required("users").map_err(|error| error.help("write the path of a file with lines `name:hash`"));
        let file = node.and_then(|node| {
            let path = non_empty_text(node, "users")?;
            Ok((PathBuf::from(expand_variables(&path.value, path.span)?), path))
        });
        let templates =
            settings.optional("permissions").map_or_else(|| Ok(Vec::new()), |node| name_templates(node, "user"));
        let realm = settings.optional("realm").map(|node| realm(node, "realm")).transpose();
        let templates = templates.map_err(|mut found| errors.append(&mut found)).unwrap_or_default();
        let realm = realm.map_err(|error| errors.push(error)).ok().flatten();
        let (path, written) = match file {
            Ok(file) if errors.is_empty() => file,
            Ok(_) => return Err(errors),
            Err(error) => {
                errors.insert(0, error);
                return Err(errors);
            }
        };
        let users = Arc::new(ArcSwapOption::empty());
        let scheme = AuthScheme::basic(&realm.unwrap_or_else(|| ascii_title(&settings.api.title)));
        // Several servers can have the file in different places. The text in the definition is the same.
        let namespace = format!("basic:{}", written.value);
        let compiled = CompiledAuth::new(BasicAuthenticator::new(Arc::clone(&users), scheme, namespace));
        Ok(compiled.on_start(move || async move {
            match Users::read(&path, &templates) {
                Ok(read) => users.store(Some(Arc::new(read))),
                Err(message) => return Err(vec![HandlerError::new(message).at(written.span)]),
            }
            tokio::spawn(watch(path, templates, users));
            Ok(())
        }))
    }
}

/// Reads the realm, which header fields can contain.
fn realm(node: &JsonNode, name: &str) -> Result<String, HandlerError> {
    let text = non_empty_text(node, name)?;
    match text.value.chars().all(is_header_char) {
        true => Ok(text.value),
        false => {
            Err(HandlerError::new(format!("`{name}` must contain only visible ASCII characters and spaces"))
                .at(node.span))
        }
    }
}

/// Returns the characters of the API's title that header fields can contain.
fn ascii_title(title: &str) -> String {
    title.chars().filter(|c| is_header_char(*c)).collect()
}

fn is_header_char(c: char) -> bool {
    c == ' ' || c.is_ascii_graphic()
}

/// Reads the file again whenever it has changed, until the future is dropped. If the file is not valid, the users that
/// were read before remain valid.
async fn watch(path: PathBuf, templates: Vec<Template>, users: Arc<ArcSwapOption<Users>>) {
    let mut last = users.load().as_ref().map(|users| users.stamp);
    let (path, templates): (Arc<Path>, Arc<[Template]>) = (path.into(), templates.into());
    loop {
        sleep(POLL_INTERVAL).await;
        let stamp = Stamp::of(&path);
        if Some(stamp) == last {
            continue;
        }
        last = Some(stamp);
        let (read_path, read_templates) = (Arc::clone(&path), Arc::clone(&templates));
        let read = spawn_blocking(move || Users::read(&read_path, &read_templates)).await;
        match read.map_err(|error| error.to_string()).flatten() {
            Ok(read) => {
                log::info!("{}: users: {}", path.display(), read.len());
                users.store(Some(Arc::new(read)));
            }
            Err(error) => log::error!("the users stay as they were: {error}"),
        }
    }
}
