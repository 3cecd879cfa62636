//! Loads the API that the server serves: reads its definition, and combines it with the services that it needs. With
//! `--watch`, this is done again for each change.

use std::path::Path;

use rulebook::handler_kind::Migrations;
use rulebook::key::Keys;
use rulebook::usage::UsageRecorder;
use rulebook::{ApiHandle, Engine, InputDigest, Validated};
use rulebook_model::describe::canonical_settings;
use rulebook_model::diagnostic::Report;
use rulebook_model::model::Api;
use rulebook_model::settings::server_settings;

use super::ServeOptions;
use super::services::{SharedServices, add_services};
use super::watch::{rejection, source_files};
use crate::output::{Failure, print_report, print_to_stderr, print_warnings};
use crate::{AddHandlers, Exit, Settings, new_runtime};

/// The settings of the server that change with the definition. All others need a restart.
const RELOADED_SETTINGS: [&str; 10] = [
    "shared_limits",
    "unbound",
    "handlers",
    "auth",
    "require_scope",
    "idempotency_storage",
    "traces",
    "trace_percent",
    "verify_outputs",
    "compress",
];

pub(super) struct Loaded {
    pub(super) engine: Engine,
    digest: [u8; 32],
    /// `true` if no method can be called until the pending migrations are applied.
    pub(super) is_waiting: bool,
}

pub(super) enum LoadError {
    Definition(Report),
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

    pub(super) fn text(&self) -> String {
        match self {
            Self::Definition(report) => report.render(false),
            Self::Breaking(why) | Self::Other(Failure::Usage(why) | Failure::System(why)) => why.clone(),
        }
    }
}

pub(super) fn read_definition(app: AddHandlers<'_>, settings: &Settings) -> Result<Validated, Report> {
    let validated = settings.new_rulebook(app).validate()?;
    let mut validated = validated.replaced_settings(&settings.replaced_settings()).check_variables(|_| true)?;
    settings.replace_defined(&mut validated.api);
    Ok(validated)
}

/// What all APIs that a server serves one after the other have in common.
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
    pub(super) migrations: Migrations,
}

impl Loader<'_> {
    /// Adds the keys and the other services to a definition, and compares it with the handlers of the program.
    pub(super) fn build(&self, mut validated: Validated) -> Result<(Loaded, SharedServices), LoadError> {
        validated.api.is_watched = self.is_watched;
        let validated = validated.migrations(self.migrations);
        let validated = match self.keys.clone() {
            Some((keys, is_shared)) if validated.api.accepts_keys() => validated.keys_authenticator(keys, is_shared),
            _ => validated,
        };
        let with_services = add_services(self.local.add(validated), self.settings, self.data)?;
        let has_shared_keys = self.keys.as_ref().is_some_and(|(_, is_shared)| *is_shared);
        let services = SharedServices::of(&with_services, self.settings, has_shared_keys);
        let engine = with_services.validated.build()?;
        // Workers and databases read their files later than this, so that a change meanwhile is noticed the next time.
        let mut digest = InputDigest::default();
        digest.add(&engine.digest());
        source_files(&engine, self.data).iter().for_each(|file| digest.add_file(file));
        Ok((Loaded { engine, digest: digest.finish(), is_waiting: false }, services))
    }

    /// Returns the API without its handlers, for the time until this number of migrations is applied.
    pub(super) fn waiting(&self, migrations: usize) -> Result<Loaded, LoadError> {
        let why = match migrations {
            1 => "1 migration is pending".to_owned(),
            count => format!("{count} migrations are pending"),
        };
        let (loaded, _) = self.build(read_definition(self.app, self.settings)?.waits_for(&why))?;
        Ok(Loaded { is_waiting: true, ..loaded })
    }

    /// Returns `true` if the data fits to the definition, so that a waiting server can call the handlers.
    pub(super) fn is_migrated(&self) -> bool {
        let checked = read_definition(self.app, self.settings).and_then(Validated::check_defined_handlers);
        let (Ok(runtime), Ok(validated)) = (new_runtime(), checked) else { return false };
        let kinds = validated.used_kinds();
        runtime.block_on(kinds.migrate(self.data, self.migrations, |_| false)).is_ok()
    }

    /// Reads the definition again, and serves it instead of `previous`. Returns `None` if nothing has changed: limits,
    /// workers and connections then stay as they are. If this fails, `previous` is still served. With `is_guarded`, it
    /// fails if the definition breaks clients. `has_stopped` returns whether the server does not need it any more.
    pub(super) fn replace(
        &self,
        previous: &Loaded,
        server: &ApiHandle,
        is_guarded: bool,
        has_stopped: &dyn Fn() -> bool,
        usage: &UsageRecorder,
    ) -> Result<Option<Loaded>, LoadError> {
        let Loaded { engine: previous, digest, .. } = previous;
        let mut validated = read_definition(self.app, self.settings)?.with_files_of(previous);
        if is_guarded && let Some(why) = rejection(previous.api(), &validated, has_stopped, || usage.today()) {
            return Err(LoadError::Breaking(why));
        }
        if validated.api.accepts_keys() && self.keys.is_none() {
            let why = "`auth` in app.json now lists `keys`: restart the server, which then reads them".to_owned();
            return Err(Failure::Usage(why).into());
        }
        let warnings = std::mem::take(&mut validated.warnings);
        let (loaded, _) = self.build(validated)?;
        if loaded.digest == *digest {
            return Ok(None);
        }
        print_warnings(&warnings);
        loaded.engine.replace_api(server).map_err(|error| Failure::System(error.to_string()))?;
        for name in changed_settings(previous.api(), loaded.engine.api()) {
            ::log::warn!("`{name}` has changed: restart the server, which then uses the new value");
        }
        Ok(Some(loaded))
    }
}

/// Returns the settings of the server with another value that only a restart can use.
fn changed_settings(previous: &Api, current: &Api) -> Vec<&'static str> {
    let [previous, current] = [previous, current].map(canonical_settings);
    let names = server_settings().filter(|name| !RELOADED_SETTINGS.contains(name));
    names.filter(|name| previous.get(name) != current.get(name)).collect()
}

/// The issuer of the tokens that the server accepts besides other credentials, if it accepts such tokens.
#[derive(Default)]
pub(super) struct LocalTokens {
    #[cfg(feature = "auth")]
    issuer: Option<rulebook_auth::LocalIssuer>,
}

/// Reads the key of the issuer, or makes one, if the server accepts its tokens.
#[cfg(feature = "auth")]
pub(super) fn open_local_tokens(options: &ServeOptions, data: &Path) -> Result<LocalTokens, Failure> {
    let open = || rulebook_auth::LocalIssuer::open(data);
    let issuer = options.accept_local_tokens.then(open).transpose();
    let issuer = issuer.map_err(|error| Failure::System(format!("--accept-local-tokens: {error}")))?;
    if let Some(issuer) = &issuer {
        let file = issuer.file().display();
        log::warn!("the key in {file} signs tokens that permit every call of this server: use it for development only");
    }
    Ok(LocalTokens { issuer })
}

#[cfg(not(feature = "auth"))]
pub(super) fn open_local_tokens(_: &ServeOptions, _: &Path) -> Result<LocalTokens, Failure> {
    Ok(LocalTokens::default())
}

#[cfg(feature = "auth")]
impl LocalTokens {
    pub(super) fn file(&self) -> Option<&Path> {
        self.issuer.as_ref().map(rulebook_auth::LocalIssuer::file)
    }

    /// Adds the authenticator, before all others.
    pub(super) fn add(&self, validated: Validated) -> Validated {
        match &self.issuer {
            Some(issuer) => {
                let tokens = rulebook_auth::LocalTokens::new(issuer, &validated.api);
                validated.first_authenticator(tokens)
            }
            None => validated,
        }
    }
}

#[cfg(not(feature = "auth"))]
impl LocalTokens {
    pub(super) fn file(&self) -> Option<&Path> {
        None
    }

    pub(super) fn add(&self, validated: Validated) -> Validated {
        validated
    }
}
