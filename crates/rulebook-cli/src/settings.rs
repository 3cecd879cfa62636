//! The settings that all commands share. Each can be set by a flag or by an environment variable.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args};
use rulebook::{AddressRange, ClientCertificateMode, ForwardedField, LinkTarget, Rulebook};
use rulebook_model::files_location::FilesLocation;
use rulebook_model::model::{Api, LogFormat, MAX_WORKERS, Unbound};
use rulebook_model::settings::{MAX_SECONDS, check_bind_address, check_log_filter};

use crate::{AddHandlers, Exit, output};

pub(super) const HELP_HEADING: &str = "Settings";

pub(super) const FILES_FLAG: &str = "files";

/// The values of the settings, from flags and environment variables.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = HELP_HEADING)]
pub(super) struct Settings {
    /// Folder with the definition.
    #[arg(long, global = true, value_name = "DIR", env = "RULEBOOK_API", default_value = "api")]
    pub(super) api: PathBuf,
    /// Address and port to listen on, after `https://` with TLS; for several, repeat the flag or separate them with
    /// commas [default: 127.0.0.1:8080].
    #[arg(long, global = true, value_name = "ADDRESS:PORT", env = "RULEBOOK_BIND", value_delimiter = ',', value_parser = parse_bind_address)]
    pub(super) bind: Vec<String>,
    /// Address and port of `/metrics`, `/readyz` and `/healthz`; the other addresses then only have `/healthz`
    /// [default: those of --bind].
    #[arg(long, global = true, value_name = "ADDRESS:PORT", env = "RULEBOOK_MONITORING", value_parser = parse_bind_address)]
    pub(super) monitoring: Option<String>,
    /// Folder for the server's own data, such as keys.json [default: data].
    #[arg(long, global = true, value_name = "DIR", env = "RULEBOOK_DATA")]
    pub(super) data: Option<PathBuf>,
    /// Address of a database with the API keys, which several servers share: `postgres://USER@HOST/DATABASE`,
    /// `mysql://USER@HOST/DATABASE`. Set the variable if the address contains a password [default: the file keys.json
    /// in the --data folder].
    // The argument parser does not check the address, because its error message would contain the address.
    #[arg(long, global = true, value_name = "URL", env = "RULEBOOK_KEY_STORAGE", hide_env_values = true)]
    pub(super) key_storage: Option<String>,
    /// Address of a database with the responses for idempotency keys, which several servers share:
    /// `postgres://USER@HOST/DATABASE`, `mysql://USER@HOST/DATABASE` or `sqlite:FILE`. Set the variable if the address
    /// contains a password [default: the file idempotency.db in the --data folder].
    #[arg(long, global = true, value_name = "URL", env = "RULEBOOK_IDEMPOTENCY_STORAGE", hide_env_values = true)]
    pub(super) idempotency_storage: Option<String>,
    /// The value of `--files`, which [`files_folder`] returns.
    #[arg(skip)]
    pub(super) files: Option<PathBuf>,
    /// How clients get the files of download links, if they are in a bucket [default: proxied].
    #[arg(long, global = true, value_name = "TARGET", env = "RULEBOOK_LINK_TARGET")]
    pub(super) link_target: Option<LinkTarget>,
    /// Folder with static files, served at `/` and `/static/`. Without it, `/` is a built-in page.
    #[arg(long = "static", global = true, value_name = "DIR", env = "RULEBOOK_STATIC", default_value = "static")]
    pub(super) static_files: PathBuf,
    /// How to serve methods without a handler [default: refuse].
    #[arg(long, global = true, value_name = "MODE", env = "RULEBOOK_UNBOUND")]
    pub(super) unbound: Option<Unbound>,
    /// Number of worker threads [default: one per processor].
    #[arg(long, global = true, value_name = "N", env = "RULEBOOK_WORKERS", value_parser = clap::value_parser!(u16).range(1..=i64::from(MAX_WORKERS)))]
    pub(super) workers: Option<u16>,
    /// Maximum number of open connections of one client address; 0 for no limit. The connections of trusted proxies
    /// have no such limit [default: a quarter of all connections].
    #[arg(long, global = true, value_name = "N", env = "RULEBOOK_ADDRESS_CONNECTIONS")]
    pub(super) address_connections: Option<u64>,
    /// File with the certificate of the server, followed by those of its authorities, for addresses that begin with
    /// `https://`; for several names of the server, repeat the flag or separate the files with commas [default: none].
    #[arg(long, global = true, value_name = "FILE", env = "RULEBOOK_TLS_CERTIFICATE", value_delimiter = ',')]
    pub(super) tls_certificate: Vec<PathBuf>,
    /// File with the private key of the certificate; for several, in the order of the certificates [default: none].
    #[arg(long, global = true, value_name = "FILE", env = "RULEBOOK_TLS_KEY", value_delimiter = ',')]
    pub(super) tls_key: Vec<PathBuf>,
    /// File with the certificates of the authorities from which the certificates of clients must come [default: none].
    #[arg(long, global = true, value_name = "FILE", env = "RULEBOOK_TLS_CLIENT_CA")]
    pub(super) tls_client_ca: Option<PathBuf>,
    /// Whether clients must have a certificate from `--tls-client-ca` [default: required].
    #[arg(long, global = true, value_name = "MODE", env = "RULEBOOK_TLS_CLIENT_CERTIFICATE")]
    pub(super) tls_client_certificate: Option<ClientCertificateMode>,
    /// Addresses of the proxies in front of the server, whose header field with the address of the client is believed:
    /// `127.0.0.1`, `10.0.0.0/8`; repeat the flag or separate them with commas [default: none].
    #[arg(long, global = true, value_name = "ADDRESSES", env = "RULEBOOK_TRUSTED_PROXIES", value_delimiter = ',')]
    pub(super) trusted_proxies: Vec<AddressRange>,
    /// Header field in which the trusted proxies send the address of the client [default: x-forwarded-for].
    #[arg(long, global = true, value_name = "FIELD", env = "RULEBOOK_FORWARDED_FIELD", ignore_case = true)]
    pub(super) forwarded_field: Option<ForwardedField>,
    /// Time in seconds after which an idle connection is closed [default: 75].
    #[arg(long, global = true, value_name = "SECONDS", env = "RULEBOOK_KEEP_ALIVE", value_parser = clap::value_parser!(u64).range(..=MAX_SECONDS))]
    pub(super) keep_alive: Option<u64>,
    /// Time in seconds for which a stopping server waits for requests in progress [default: 30].
    #[arg(long, global = true, value_name = "SECONDS", env = "RULEBOOK_SHUTDOWN_TIMEOUT", value_parser = clap::value_parser!(u64).range(..=MAX_SECONDS))]
    pub(super) shutdown_timeout: Option<u64>,
    /// Whether responses are compressed for clients that accept it [default: true].
    #[arg(long, global = true, value_name = "BOOL", env = "RULEBOOK_COMPRESS")]
    pub(super) compress: Option<bool>,
    /// Whether the outputs of each call are compared with the definition [default: false; true in debug builds].
    #[arg(long, global = true, value_name = "BOOL", env = "RULEBOOK_VERIFY_OUTPUTS")]
    pub(super) verify_outputs: Option<bool>,
    /// Whether the server starts although another server uses the same data folder [default: false].
    #[arg(long, global = true, value_name = "BOOL", env = "RULEBOOK_SHARE_DATA", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub(super) share_data: Option<bool>,
    /// URL of the Valkey or Redis server in which several servers count the requests of limits together, such as
    /// `redis://127.0.0.1:6379` [default: each server counts by itself].
    #[arg(long, global = true, value_name = "URL", env = "RULEBOOK_SHARED_LIMITS", hide_env_values = true)]
    pub(super) shared_limits: Option<String>,
    /// Address of the OpenTelemetry collector to which traces of requests are sent, such as `http://127.0.0.1:4318`
    /// [default: no traces].
    #[arg(long, global = true, value_name = "URL", env = "RULEBOOK_TRACES")]
    pub(super) traces: Option<String>,
    /// How many percent of the requests begin a trace [default: 100].
    #[arg(long, global = true, value_name = "PERCENT", env = "RULEBOOK_TRACE_PERCENT", value_parser = parse_percent)]
    pub(super) trace_percent: Option<u8>,
    /// What to log, as a filter of env_logger: `info`, `rulebook=debug` [default:
    /// info,actix=off,actix_server=warn].
    #[arg(id = "log", long, global = true, value_name = "FILTER", env = "RULEBOOK_LOG", value_parser = parse_log_filter)]
    pub(super) log_filter: Option<String>,
    /// Format of the log [default: text].
    #[arg(long, global = true, value_name = "FORMAT", env = "RULEBOOK_LOG_FORMAT")]
    pub(super) log_format: Option<LogFormat>,
}

/// Returns the flag `--files`. The other settings are global flags, which every command accepts; this flag is not,
/// because `keys add` has another flag with the same name.
pub(super) fn new_files_arg() -> Arg {
    Arg::new(FILES_FLAG)
        .long(FILES_FLAG)
        .value_name("LOCATION")
        .env("RULEBOOK_FILES")
        .value_parser(FilesLocationParser)
        .help_heading(HELP_HEADING)
        // With this position, the help lists the flag after `--data`.
        .display_order(3)
        .help(
            "Folder for stored files, if the program stores any, or `s3://BUCKET/PREFIX` for stored files and download links \
             [default: the folder `files` in the --data folder]",
        )
}

/// Returns the value of `--files`: that of the flag after the name of the command, otherwise that of the flag before
/// the name, otherwise that of the environment variable.
pub(super) fn files_folder(matches: &ArgMatches, command: Option<&ArgMatches>) -> Option<PathBuf> {
    let is_flag = |matches: &&ArgMatches| matches.value_source(FILES_FLAG) == Some(ValueSource::CommandLine);
    command.filter(is_flag).unwrap_or(matches).get_one(FILES_FLAG).cloned()
}

/// Parses the value of `--files`. The error does not show a value that may contain a password.
#[derive(Debug, Clone)]
struct FilesLocationParser;

impl TypedValueParser for FilesLocationParser {
    type Value = PathBuf;

    fn parse_ref(&self, command: &clap::Command, arg: Option<&Arg>, value: &OsStr) -> Result<PathBuf, clap::Error> {
        match parse_files_location(value.to_owned()) {
            Err(error) if value.to_string_lossy().contains('@') => {
                Err(command.clone().error(ErrorKind::ValueValidation, format!("--files: {error}")))
            }
            _ => OsStringValueParser::new().try_map(parse_files_location).parse_ref(command, arg, value),
        }
    }
}

/// Returns the value of `--files` if it is the path of a folder or a valid URL. Not every path is valid Unicode.
fn parse_files_location(text: OsString) -> Result<PathBuf, String> {
    match text.to_str().map(FilesLocation::parse) {
        Some(Err(error)) => Err(format!("{error}; {}", error.help)),
        _ => Ok(text.into()),
    }
}

fn parse_log_filter(text: &str) -> Result<String, String> {
    check_log_filter(text).map(|()| text.to_owned())
}

fn parse_bind_address(text: &str) -> Result<String, String> {
    check_bind_address(text).map(|()| text.to_owned())
}

fn parse_percent(text: &str) -> Result<u8, &'static str> {
    text.parse().ok().filter(|percent| *percent <= 100).ok_or("expected a whole number from 0 to 100")
}

impl Settings {
    /// Returns the settings of the definition, of those with texts, that flags or environment variables replace.
    pub(super) fn replaced_settings(&self) -> Vec<&'static str> {
        let is_set = |url: &Option<String>| url.as_ref().is_some_and(|url| !url.trim().is_empty());
        let settings = [
            ("key_storage", is_set(&self.key_storage)),
            ("idempotency_storage", is_set(&self.idempotency_storage)),
            ("shared_limits", self.shared_limits.is_some()),
            // An empty address disables traces.
            ("traces", self.traces.is_some()),
            ("bind", !self.bind.is_empty()),
            ("monitoring", self.monitoring.is_some()),
            ("data", self.data.is_some()),
            ("files", self.files.is_some()),
            ("link_target", self.link_target.is_some()),
            ("unbound", self.unbound.is_some()),
            ("tls_certificate", !self.tls_certificate.is_empty()),
            ("tls_key", !self.tls_key.is_empty()),
            ("tls_client_ca", self.tls_client_ca.is_some()),
            ("tls_client_certificate", self.tls_client_certificate.is_some()),
            ("trusted_proxies", !self.trusted_proxies.is_empty()),
            ("forwarded_field", self.forwarded_field.is_some()),
            ("log", self.log_filter.is_some()),
            ("log_format", self.log_format.is_some()),
        ];
        settings.iter().filter(|(_, is_replaced)| *is_replaced).map(|(name, _)| *name).collect()
    }

    /// Replaces the settings of the definition by those of flags and environment variables. The addresses, the folders
    /// and the settings of TLS are not replaced, because their errors name the flag or the key in the definition.
    pub(super) fn replace_defined(&self, api: &mut Api) {
        api.link_target = self.link_target.unwrap_or(api.link_target);
        api.unbound = self.unbound.unwrap_or(api.unbound);
        api.monitoring = self.monitoring.clone().or(api.monitoring.take());
        api.workers = self.workers.map(usize::from).or(api.workers);
        api.address_connections = self.address_connections.or(api.address_connections);
        if !self.trusted_proxies.is_empty() {
            api.trusted_proxies.clone_from(&self.trusted_proxies);
        }
        api.forwarded_field = self.forwarded_field.unwrap_or(api.forwarded_field);
        api.keep_alive = self.keep_alive.or(api.keep_alive);
        api.shutdown_timeout = self.shutdown_timeout.or(api.shutdown_timeout);
        api.compress = self.compress.unwrap_or(api.compress);
        api.trace_percent = self.trace_percent.or(api.trace_percent);
        api.log = self.log_filter.clone().or(api.log.take());
        api.log_format = self.log_format.unwrap_or(api.log_format);
    }

    pub(super) fn new_rulebook(&self, app: AddHandlers<'_>) -> Rulebook {
        self.with_settings(Rulebook::load(&self.api), app)
    }

    pub(super) fn with_settings(&self, rulebook: Rulebook, app: AddHandlers<'_>) -> Rulebook {
        let rulebook = match &self.data {
            Some(folder) => rulebook.data_folder(folder),
            None => rulebook,
        };
        #[cfg(feature = "s3")]
        let rulebook = rulebook_s3::add(rulebook);
        let rulebook = app(match &self.files {
            Some(location) => rulebook.files_folder(location),
            None => rulebook,
        });
        let rulebook = match self.verify_outputs {
            Some(verify) => rulebook.verify_outputs(verify),
            None => rulebook,
        };
        match self.unbound {
            Some(unbound) => rulebook.unbound(unbound),
            None => rulebook,
        }
    }

    /// Reads and checks the definition. If it has errors, prints them and returns the exit code.
    pub(super) fn load_api(&self, app: AddHandlers<'_>) -> Result<Api, Exit> {
        self.check_api(self.new_rulebook(app))
    }

    /// Checks the definition that a server has sent. If it has errors, prints them and returns the exit code.
    #[cfg(feature = "client")]
    pub(super) fn read_api(&self, definition: Vec<u8>, app: AddHandlers<'_>) -> Result<Api, Exit> {
        // A server must not read the environment of its clients.
        let rulebook = Rulebook::read(vec![("app.json".into(), definition)]).keep_variables();
        self.check_api(self.with_settings(rulebook, app))
    }

    fn check_api(&self, rulebook: Rulebook) -> Result<Api, Exit> {
        let checked = rulebook.validate();
        let validated = checked.map_err(|report| output::print_report(&report))?;
        // `serve` accepts keys in addition to the other authenticators.
        let mut api = if validated.api.accepts_keys() { validated.api_with_keys() } else { validated.api };
        // The documents describe the server as it would run with these settings.
        self.replace_defined(&mut api);
        Ok(api)
    }
}
