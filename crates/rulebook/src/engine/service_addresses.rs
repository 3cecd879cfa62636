//! Checks the addresses of the services in the settings: databases, counters, and collectors of traces.

use rulebook_model::diagnostic::{DiagnosticCode, Report};

use super::validated::Validated;
use crate::handler::expand_variables;

impl Validated {
    /// Checks the environment variables in the addresses of the services that a server with this definition uses.
    /// `replaced` are the names of the settings whose addresses are not used, because the command line or the
    /// environment contains others.
    #[doc(hidden)]
    pub fn check_service_addresses(self, replaced: &[&str]) -> Result<Self, Report> {
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
        let diagnostics: Vec<_> = diagnostics.collect();
        if diagnostics.is_empty() { Ok(self) } else { Err(Report::new(self.sources, diagnostics)) }
    }
}
