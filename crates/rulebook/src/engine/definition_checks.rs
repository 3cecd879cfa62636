//! What the command `check` and the start of a server find in a definition beside the handlers of the program.

use std::path::PathBuf;

use rulebook_model::diagnostic::{Diagnostic, DiagnosticCode, Report};
use rulebook_model::model::Unbound;
use rulebook_model::span::Span;

use super::Validated;
use crate::bind;
use crate::handler::expand_variables;

impl Validated {
    /// Checks the handlers that the definition chooses, without the handlers of the program.
    pub fn check_defined_handlers(self) -> Result<Self, Report> {
        let diagnostics = self.defined_handler_errors();
        if diagnostics.is_empty() { Ok(self) } else { Err(Report::new(self.sources, diagnostics)) }
    }

    /// Returns the errors of the handlers that the definition chooses, without those of methods that have errors
    /// themselves.
    pub fn defined_handler_errors(&self) -> Vec<Diagnostic> {
        let Some(failed) = &self.failed_methods else { return Vec::new() };
        let is_default_used = self.parts.modules.is_empty();
        bind::defined_handler_errors(&self.api, &self.parts.handler_kinds, is_default_used, failed)
    }

    /// Returns a warning for each method that only a program in Rust can handle, if the definition chooses the handlers
    /// of others.
    pub fn missing_handler_warnings(&self) -> Vec<Diagnostic> {
        if self.unbound() == Unbound::Refuse { bind::missing_handler_warnings(&self.api) } else { Vec::new() }
    }

    /// Returns a warning for each file that an authenticator needs and that does not exist. The deployment can create
    /// it.
    pub fn missing_file_warnings(&self) -> Vec<Diagnostic> {
        let missing = self.defined_auth.private_files.iter().filter(|(file, _)| !file.exists());
        let warning = |(file, span): &(PathBuf, Span)| {
            let message = format!("the file {} does not exist, which the server needs", file.display());
            let warning = Diagnostic::new(DiagnosticCode::BadAuth, *span, message).into_warning();
            warning.help("create the file before the server starts, or correct its path")
        };
        missing.map(warning).collect()
    }

    /// Ignores the environment variables in these settings, which the command line or the environment replaces.
    #[must_use]
    pub fn replaced_settings(mut self, replaced: &[&str]) -> Self {
        self.unset_variables.retain(|(setting, _)| !replaced.contains(setting));
        self
    }

    /// Checks that the environment variables in those settings are set that are used.
    pub fn check_variables(self, is_used: impl Fn(&str) -> bool) -> Result<Self, Report> {
        let unset = self.unset_variables.iter().filter(|(setting, _)| is_used(setting));
        let errors: Vec<_> = unset.map(|(_, error)| error.clone()).collect();
        if errors.is_empty() { Ok(self) } else { Err(Report::new(self.sources, errors)) }
    }

    /// Returns warnings about the environment variables that are not set, but with which the API would be served.
    pub fn unset_variable_warnings(&self) -> Vec<Diagnostic> {
        self.unset_variables.iter().map(|(_, error)| error.clone().into_warning()).collect()
    }

    /// Returns the errors in the environment variables of the addresses of the services that a server with this
    /// definition uses. `replaced` are the names of the settings whose addresses are not used, because the command line
    /// or the environment contains others.
    pub fn service_address_errors(&self, replaced: &[&str]) -> Vec<Diagnostic> {
        let api = &self.api;
        let addresses = [
            ("key_storage", api.key_storage.as_ref().filter(|_| api.accepts_keys())),
            ("idempotency_storage", api.idempotency_storage.as_ref().filter(|_| self.uses_idempotency_keys())),
            ("shared_limits", api.shared_limits.as_ref().map(|shared| &shared.url)),
            ("traces", api.traces.as_ref()),
        ];
        let used = addresses.into_iter().filter(|(name, _)| !replaced.contains(name)).filter_map(|(_, url)| url);
        let diagnostics = used.filter_map(|url| {
            let error = expand_variables(&url.value, url.span).err()?;
            // What is in front of an `@` may be a part of a password.
            let error = if url.value.contains('@') { error.hide_line() } else { error };
            Some(error.into_diagnostic(DiagnosticCode::BadOption, url.span))
        });
        diagnostics.collect()
    }
}
