//! Compiles the authenticators that a definition chooses.

use std::sync::Arc;

use rulebook_model::definition::JsonMember;
use rulebook_model::diagnostic::{Diagnostic, DiagnosticCode};
use rulebook_model::model::{Api, DefinedAuth};
use rulebook_model::span::Span;

use super::{AuthKind, AuthSettings, CompiledAuth};
use crate::handler::settings::unknown_settings;
use crate::handler::{HandlerError, variable_errors};

/// The kinds that the crate `rulebook-auth` contains. Programs have them only if they add them.
const OPTIONAL_KINDS: [&str; 3] = ["jwt", "basic", "mtls"];
const OPTIONAL_KINDS_HELP: &str = "enable the Cargo feature `auth` of the crate `rulebook-cli`, and add the kinds with \
                                   `rulebook_cli::with_auth_kinds`";

/// The authenticators that a definition chooses, in the order in which they are called.
#[derive(Default)]
pub(crate) struct CompiledAuthKinds {
    pub(crate) authenticators: Vec<(CompiledAuth, Span)>,
    /// The number of authenticators before the one that checks keys; `None` if the definition does not list keys.
    pub(crate) keys_position: Option<usize>,
}

/// Compiles the authenticators in the setting `auth`. The value of a kind is an object with settings, or an array of
/// such objects. `combine` is `true` if a caller has the permissions of all of its credentials.
///
/// # Errors
/// Returns a diagnostic for each error in the settings.
pub(crate) fn compile_auth(
    api: &Api,
    kinds: &[Arc<dyn AuthKind>],
    combine: bool,
) -> Result<CompiledAuthKinds, Vec<Diagnostic>> {
    let mut compiled = CompiledAuthKinds::default();
    let mut diagnostics = Vec::new();
    for member in api.auth.iter().flat_map(|auth| &auth.kinds) {
        let name = member.key.value.as_str();
        let mut report = |errors: Vec<HandlerError>, whole| {
            diagnostics.extend(errors.into_iter().map(|error| error.into_diagnostic(DiagnosticCode::BadAuth, whole)));
        };
        // The command line adds the authenticator that checks keys, because it knows the key file.
        if name == DefinedAuth::KEYS {
            let errors = unknown_settings(&member.value, name, &[]).into_iter();
            let errors = errors.map(|error| error.help("write `{}`: the keys are in the data folder of the server"));
            report(errors.collect(), member.value.span);
            compiled.keys_position = Some(compiled.authenticators.len());
            continue;
        }
        let Some(kind) = kinds.iter().find(|kind| kind.name() == name) else {
            diagnostics.push(unknown_kind_error(member, kinds));
            continue;
        };
        let unset = variable_errors(&member.value);
        if !unset.is_empty() {
            report(unset, member.value.span);
            continue;
        }
        let mut settings = Vec::new();
        for node in DefinedAuth::settings_of(member) {
            let errors = unknown_settings(node, name, kind.settings());
            if errors.is_empty() {
                settings.push(AuthSettings { node, api, combine });
            } else {
                report(errors, node.span);
            }
        }
        let together = if settings.len() > 1 { kind.compile_several(&settings) } else { None };
        let results = match together {
            Some(result) => vec![(result, member.value.span)],
            None => settings.iter().map(|settings| (kind.compile(settings), settings.node.span)).collect(),
        };
        for (result, span) in results {
            match result {
                Ok(authenticator) => compiled.authenticators.push((authenticator, span)),
                Err(errors) => report(errors, span),
            }
        }
    }
    if diagnostics.is_empty() { Ok(compiled) } else { Err(diagnostics) }
}

/// Returns the error about a kind that the program does not have.
fn unknown_kind_error(member: &JsonMember, kinds: &[Arc<dyn AuthKind>]) -> Diagnostic {
    let name = &member.key.value;
    let known: Vec<_> = std::iter::once(DefinedAuth::KEYS).chain(kinds.iter().map(|kind| kind.name())).collect();
    let list: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
    let list = format!("this program has the kinds {}", list.join(", "));
    if OPTIONAL_KINDS.contains(&name.as_str()) {
        let message = format!("this program was compiled without the kind of authenticator `{name}`");
        let error = Diagnostic::new(DiagnosticCode::BadAuth, member.key.span, message);
        return error.help(format!("{OPTIONAL_KINDS_HELP}; {list}"));
    }
    let message = format!("`{}` is not a kind of authenticator", name.escape_debug());
    let error = Diagnostic::new(DiagnosticCode::BadAuth, member.key.span, message);
    error.help(list).suggest(name, known)
}
