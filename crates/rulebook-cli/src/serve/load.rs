//! Loads the API that the server serves: reads its definition, and combines it with the services that it needs. With
//! `--watch`, this is done again for each change.

use std::path::Path;

use rulebook::key::Keys;
use rulebook::usage::UsageRecorder;
use rulebook::{ApiHandle, Engine, Validated};
use rulebook_model::describe::canonical_settings;
use rulebook_model::diagnostic::Report;
use rulebook_model::model::Api;
use rulebook_model::settings::server_settings;

use super::guard::rejection;
use super::local_tokens::LocalTokens;
use super::services::{SharedServices, add_services};
use crate::output::{Failure, print_report, print_to_stderr};
use crate::{AddHandlers, Exit, Settings};

/// The settings of the server that change with the definition. All others need a restart.
const RELOADED_SETTINGS: [&str; 9] = [
    "shared_limits",
    "unbound",
    "handlers",
    "auth",
    "idempotency_storage",
    "traces",
    "trace_percent",
    "verify_outputs",
    "compress",
];

/// The reason why an API cannot be served.
pub(super) enum LoadError {
    /// The definition has errors.
    Definition(Report),
    /// The definition breaks clients, for this reason.
    Breaking(String),
    Other(Failure),
}

impl From<Report> for LoadError {
    fn from(report: Report) -> Self {
        Self::Definition(report)
    }
}

impl From<Failure> for LoadError {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl LoadError {
    /// Prints the reason to standard error, and returns the exit code for it.
    pub(super) fn print(&self) -> Exit {
        match self {
            Self::Definition(report) => print_report(report),
            Self::Breaking(why) => {
                print_to_stderr(&format!("{why}\n"));
                Exit::ErrorsReported
            }
            Self::Other(failure) => failure.print(),
        }
    }

    /// Returns the reason as text for the pages.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Definition(report) => report.render(false),
            Self::Breaking(why) | Self::Other(Failure::Usage(why) | Failure::System(why)) => why.clone(),
        }
    }
}

/// Reads the definition, and checks it without the handlers of the program.
pub(super) fn read_definition(app: AddHandlers<'_>, settings: &Settings) -> Result<Validated, Report> {
    let validated = settings.new_rulebook(app).validate()?;
    let mut validated = validated.replaced_settings(&settings.replaced_settings()).check_variables(|_| true)?;
    settings.replace_defined(&mut validated.api);
    Ok(validated)
}

/// What the APIs have in common that a server serves one after the other.
pub(super) struct Loader<'a> {
    pub(super) app: AddHandlers<'a>,
    pub(super) settings: &'a Settings,
    pub(super) data: &'a Path,
    /// The keys, and whether they are in a database; `None` if the first definition accepts no keys.
    pub(super) keys: Option<(Keys, bool)>,
    pub(super) local: LocalTokens,
    pub(super) is_watched: bool,
    /// `true` if changes of files are not served if they break clients.
    pub(super) is_guarded: bool,
}

impl Loader<'_> {
    /// Adds the keys and the other services to a definition, and compares it with the handlers of the program.
    pub(super) fn build(&self, mut validated: Validated) -> Result<(Engine, SharedServices), LoadError> {
        validated.api.is_watched = self.is_watched;
        let validated = match self.keys.clone() {
            Some((keys, is_shared)) if validated.api.accepts_keys() => validated.keys_authenticator(keys, is_shared),
            _ => validated,
        };
        let with_services = add_services(self.local.add(validated), self.settings, self.data)?;
        let has_shared_keys = self.keys.as_ref().is_some_and(|(_, is_shared)| *is_shared);
        let services = SharedServices::of(&with_services, self.settings, has_shared_keys);
        Ok((with_services.validated.build()?, services))
    }

    /// Reads the definition again, and serves it instead of `previous`. If this fails, `previous` is still served. With
    /// `is_guarded`, it fails if the definition breaks clients.
    pub(super) fn replace(
        &self,
        previous: &Engine,
        server: &ApiHandle,
        is_guarded: bool,
        usage: &UsageRecorder,
    ) -> Result<Engine, LoadError> {
        let validated = read_definition(self.app, self.settings)?.with_files_of(previous);
        if is_guarded && let Some(why) = rejection(previous.api(), &validated, || usage.today()) {
            return Err(LoadError::Breaking(why));
        }
        if validated.api.accepts_keys() && self.keys.is_none() {
            let why = "`auth` in app.json now lists `keys`: restart the server, which then reads them".to_owned();
            return Err(Failure::Usage(why).into());
        }
        crate::output::print_warnings(&validated.warnings);
        let (engine, _) = self.build(validated)?;
        engine.replace_api(server).map_err(|error| Failure::System(error.to_string()))?;
        for name in changed_settings(previous.api(), engine.api()) {
            ::log::warn!("`{name}` has changed: restart the server, which then uses the new value");
        }
        Ok(engine)
    }
}

/// Returns the settings of the server with another value that only a restart can use.
fn changed_settings(previous: &Api, current: &Api) -> Vec<&'static str> {
    let [previous, current] = [previous, current].map(canonical_settings);
    let names = server_settings().filter(|name| !RELOADED_SETTINGS.contains(name));
    names.filter(|name| previous.get(name) != current.get(name)).collect()
}
