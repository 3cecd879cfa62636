//! The kind of authenticator `basic`.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rulebook::AuthScheme;
use rulebook::auth_kind::{AuthKind, AuthSettings, CompiledAuth};
use rulebook::handler_kind::settings::{non_empty_text, path};
use rulebook::handler_kind::{HandlerError, JsonNode};
use rulebook::model::Spanned;

use super::all_users::{AllUsers, watch};
use super::authenticator::BasicAuthenticator;
use super::user_file::UserFile;
use crate::template::name_templates;

/// The kind of authenticator `basic`, which accepts the names and passwords (RFC 7617) of the users in files.
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
        compile_files(std::slice::from_ref(settings))
    }

    fn compile_several(&self, all: &[AuthSettings<'_>]) -> Option<Result<CompiledAuth, Vec<HandlerError>>> {
        Some(compile_files(all))
    }
}

/// Returns the authenticator for the users of several files.
fn compile_files(all: &[AuthSettings<'_>]) -> Result<CompiledAuth, Vec<HandlerError>> {
    let mut errors = Vec::new();
    let (mut files, mut paths, mut schemes) = (Vec::new(), Vec::new(), Vec::new());
    for settings in all {
        match read_settings(settings) {
            Ok((file, path, scheme)) => {
                files.push(file);
                paths.push(path);
                schemes.push(scheme);
            }
            Err(mut found) => errors.append(&mut found),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let users = Arc::new(ArcSwapOption::empty());
    let only_first = all.iter().any(|settings| !settings.combine);
    let compiled = CompiledAuth::new(BasicAuthenticator::new(Arc::clone(&users), schemes, only_first));
    let compiled = files.iter().fold(compiled, |compiled, file| compiled.private_file(&file.path));
    Ok(compiled.on_start(move || async move {
        let read = |(file, path): (&UserFile, Spanned<String>)| match file.read() {
            Ok(read) => Ok(Arc::new(read)),
            Err(message) => Err(HandlerError::new(message).at(path.span)),
        };
        let (read, errors): (Vec<_>, Vec<_>) = files.iter().zip(paths).map(read).partition(Result::is_ok);
        if !errors.is_empty() {
            return Err(errors.into_iter().filter_map(Result::err).collect());
        }
        users.store(Some(Arc::new(AllUsers::new(read.into_iter().flatten().collect()))));
        tokio::spawn(watch(files.into(), users));
        Ok(())
    }))
}

/// Reads the settings of a file with users: the file, its path in the definition, and the authentication scheme.
fn read_settings(settings: &AuthSettings<'_>) -> Result<(UserFile, Spanned<String>, AuthScheme), Vec<HandlerError>> {
    let mut errors = Vec::new();
    let node =
        settings.required("users").map_err(|error| error.help("write the path of a file with lines `name:hash`"));
    let file = node.and_then(|node| {
        let written = node.written_text().unwrap_or_default().to_owned();
        Ok((path(node, "users", settings.api)?.value, Spanned::new(written, node.span)))
    });
    let templates = settings.optional("permissions").map(|node| name_templates(node, "user", &mut errors));
    let templates = templates.unwrap_or_default();
    let realm =
        settings.optional("realm").and_then(|node| realm(node, "realm").map_err(|error| errors.push(error)).ok());
    match file {
        Ok((path, written)) if errors.is_empty() => {
            // Several servers can have the file in different places. The text in the definition is the same.
            let namespace = format!("basic:{}", written.value);
            let scheme = AuthScheme::basic(&realm.unwrap_or_else(|| ascii_title(&settings.api.title)));
            Ok((UserFile { path, templates, namespace }, written, scheme))
        }
        Ok(_) => Err(errors),
        Err(error) => {
            errors.insert(0, error);
            Err(errors)
        }
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
