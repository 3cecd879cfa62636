//! Checks the settings whose value is a string or a number, and converts them to the model.

use jiff::tz::TimeZone;

use crate::compile::{Lowering, path};
use crate::definition::{CheckedObject, JsonData, JsonNode};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::files_location::FilesLocation;
use crate::model::{AddressRange, DEFAULT_TIMEZONE, MAX_WORKERS, Segment, ServiceQuery};
use crate::schema::Word;
use crate::span::Spanned;
#[cfg(feature = "command-line")]
use crate::suggest::closest_word;

pub(super) const SERVER_DATABASES: &[&str] = &["postgres://", "postgresql://", "mysql://", "mariadb://"];
pub(super) const DATABASES: &[&str] = &["postgres://", "postgresql://", "mysql://", "mariadb://", SQLITE];
const SQLITE: &str = "sqlite:";
/// The maximum of settings that are times in seconds: one day.
pub const MAX_SECONDS: u64 = 24 * 60 * 60;

#[cfg(feature = "command-line")]
const LOG_LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Checks a filter of the log, in the syntax of the crate `env_filter`.
///
/// # Errors
/// Says what is wrong. A word alone that is a misspelled level is wrong, too: as the name of a module, it would hide
/// all other records.
#[cfg(feature = "command-line")]
pub fn check_log_filter(filter: &str) -> Result<(), String> {
    env_filter::Builder::new().try_parse(filter).map_err(|error| error.to_string())?;
    let words = filter.split('/').next().unwrap_or_default().split(',').map(|word| word.trim().to_lowercase());
    for word in words.filter(|word| !word.contains('=') && !LOG_LEVELS.contains(&word.as_str())) {
        if let Some(level) = closest_word(&word, LOG_LEVELS) {
            return Err(format!("`{}` is not a level; did you mean `{level}`?", word.escape_debug()));
        }
    }
    Ok(())
}

/// Checks an address to listen on: a host name or an IP address, a colon and a port; for TLS after `https://`.
///
/// # Errors
/// Fails if the text has another form. The error contains an example, with the port of the text if it has one.
pub fn check_bind_address(text: &str) -> Result<(), String> {
    let (_, text) = split_bind_address(text);
    let has_both = text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if has_both {
        return Ok(());
    }
    let port = text.trim_start_matches(':').parse::<u16>().unwrap_or(8080);
    Err(format!("expected `address:port`, such as `127.0.0.1:{port}` or `[::1]:{port}`"))
}

/// Returns whether an address to listen on has TLS, and the address without its scheme, whose case is ignored (RFC 3986
/// section 3.1).
#[must_use]
pub fn split_bind_address(text: &str) -> (bool, &str) {
    let without = |scheme: &str| {
        let (start, rest) = text.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    match without("https://") {
        Some(rest) => (true, rest),
        None => (false, without("http://").unwrap_or(text)),
    }
}

impl Lowering<'_> {
    pub(super) fn lower_word<W: Word + Default>(&mut self, value: &JsonNode, noun: &str) -> W {
        value.string().and_then(|word| self.resolve_word(&word, noun)).unwrap_or_default()
    }

    /// Returns `/` if the setting has an error. The compiler then does not check whether services have reserved paths.
    pub(super) fn lower_base_path(&mut self, value: &JsonNode) -> String {
        let base = value.string().and_then(|base| self.check_base_path(&base));
        self.has_invalid_base = base.is_none();
        base.unwrap_or_else(|| "/".to_owned())
    }

    fn check_base_path(&mut self, base: &Spanned<String>) -> Option<String> {
        let segments = match path::parse_path(&base.value) {
            Ok(segments) => segments,
            Err(errors) => {
                for error in errors {
                    let (span, _) = path::span_of_range(base, &error.range);
                    self.report(error.into_diagnostic(span));
                }
                return None;
            }
        };
        let capture = segments.iter().find(|segment| matches!(segment, Segment::Capture(_)));
        if capture.is_some() {
            let error = Diagnostic::new(DiagnosticCode::BadUri, base.span, "the `base` of an API cannot have captures");
            self.report(error.label("has a capture").help("move the capture to the paths of the services"));
            return None;
        }
        self.check_reserved_path(&base.value, false, base.span).then(|| base.value.clone())
    }

    /// Returns the path in the key `entry` without a slash at its beginning. Reports a path that is not of a script.
    pub(super) fn lower_entry_path(&mut self, service: &CheckedObject<'_>) -> String {
        let Some(entry) = service.string("entry") else { return ServiceQuery::DEFAULT_ENTRY.to_owned() };
        let below_base = entry.value.strip_prefix('/').unwrap_or(&entry.value);
        let is_static = |segments: Vec<Segment>| segments.iter().all(|it| matches!(it, Segment::Static(_)));
        let is_path =
            !below_base.contains(['?', '#']) && path::parse_path(&format!("/{below_base}")).is_ok_and(is_static);
        if !below_base.is_empty() && !is_path {
            let message = format!("`{}` is not the path of a script", entry.value.escape_debug());
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, entry.span, message)
                    .label("expected a path such as `index.php`")
                    .help("write the path below the base path, without captures, `?` and `#`; `\"\"` if clients call no script"),
            );
        }
        below_base.to_owned()
    }

    pub(super) fn lower_timezone(&mut self, value: &JsonNode) -> String {
        let Some(name) = value.string() else { return DEFAULT_TIMEZONE.to_owned() };
        match TimeZone::get(&name.value) {
            Ok(zone) => self.timezone = zone,
            Err(_) => self.report(
                Diagnostic::new(
                    DiagnosticCode::BadOption,
                    name.span,
                    format!("unknown time zone `{}`", name.value.escape_debug()),
                )
                .label("unknown time zone")
                .help("use a name of the IANA time zone database: `Europe/Paris`"),
            ),
        }
        name.value
    }

    /// Reports a blank name. `default` describes the folder that is used without the setting.
    pub(super) fn lower_folder(&mut self, value: &JsonNode, key: &str, default: &str) -> Option<String> {
        let folder = value.string()?;
        if folder.value.trim().is_empty() {
            let error = Diagnostic::new(DiagnosticCode::BadOption, folder.span, format!("`{key}` is blank"))
                .label("expected the path of a folder");
            self.report(error.help(format!("remove `{key}` to use the default: {default}")));
            return None;
        }
        Some(folder.value)
    }

    pub(super) fn lower_files_location(&mut self, value: &JsonNode) -> Option<String> {
        let location = self.lower_folder(value, "files", "the folder `files` in the data folder")?;
        if let Err(error) = FilesLocation::parse(&location) {
            let invalid = Diagnostic::new(DiagnosticCode::BadOption, value.span, format!("`files`: {error}"));
            let invalid = invalid.label("expected a folder or the URL of a bucket").help(error.help);
            self.report(if location.contains('@') { invalid.hide_line() } else { invalid });
            return None;
        }
        Some(location)
    }

    /// Returns the address of a database with `content`. Reports a password in it, which readers of the definition
    /// would know.
    pub(super) fn lower_database_url(
        &mut self,
        value: &JsonNode,
        name: &str,
        content: &str,
        schemes: &[&str],
    ) -> Option<Spanned<String>> {
        let url = written_address(value)?;
        let error = if url.value.trim().is_empty() {
            Diagnostic::new(DiagnosticCode::BadOption, url.span, format!("`{name}` is blank"))
                .label("expected the address of a database")
                .help(format!("remove `{name}` to store {content} in the data folder"))
        } else if has_password(&url.value) {
            Diagnostic::new(DiagnosticCode::BadOption, url.span, format!("`{name}` contains a password"))
                .help("write an environment variable instead: `postgres://USER:${PASSWORD}@HOST/DATABASE`")
                .hide_line()
        } else if !schemes.iter().chain(&["${"]).any(|start| url.value.starts_with(start)) {
            let last = if schemes.contains(&SQLITE) { "sqlite:FILE" } else { "mariadb://…" };
            let message = if url.value.starts_with(SQLITE) {
                format!("`{name}` cannot be a database of SQLite")
            } else {
                format!("`{name}` is not the address of a database")
            };
            // A text that is not an address may be a password.
            Diagnostic::new(DiagnosticCode::BadOption, url.span, message)
                .help(format!(
                    "write an address such as `postgres://USER:${{PASSWORD}}@HOST/DATABASE`, `mysql://…` or `{last}`"
                ))
                .hide_line()
        } else {
            return Some(url);
        };
        self.report(error);
        None
    }

    pub(super) fn lower_traces(&mut self, value: &JsonNode) -> Option<Spanned<String>> {
        let url = written_address(value)?;
        let is_url = ["http://", "https://", "${"].iter().any(|start| url.value.starts_with(start));
        let error = if !is_url {
            Diagnostic::new(DiagnosticCode::BadOption, url.span, "`traces` is not the address of a collector")
                .label("expected `http://` or `https://`")
                .help("write the address of an OpenTelemetry collector: `http://127.0.0.1:4318`")
        } else if has_password(&url.value) {
            Diagnostic::new(DiagnosticCode::BadOption, url.span, "`traces` contains a password")
                .help("send credentials with the environment variable `OTEL_EXPORTER_OTLP_HEADERS`")
                .hide_line()
        } else {
            return Some(url);
        };
        self.report(error);
        None
    }

    pub(super) fn lower_trace_percent(&mut self, value: &JsonNode) -> Option<u8> {
        let number = value.integer()?;
        let percent = u8::try_from(number.value).ok().filter(|percent| *percent <= 100);
        if percent.is_none() {
            let message = format!("`trace_percent` is {}", number.value);
            let error = Diagnostic::new(DiagnosticCode::BadOption, number.span, message);
            self.report(error.label("expected a number from 0 to 100"));
        }
        percent
    }

    /// The filter is checked by the crate of the command line, which enables the feature; other programs do not use it.
    pub(super) fn lower_log_filter(&mut self, value: &JsonNode) -> Option<String> {
        let filter = value.string()?;
        #[cfg(feature = "command-line")]
        if let Err(error) = check_log_filter(&filter.value) {
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, filter.span, format!("invalid log filter: {error}"))
                    .label("expected a filter of env_logger")
                    .help("write a level, or levels by module: `info`, `rulebook=debug,warn`"),
            );
            return None;
        }
        Some(filter.value)
    }

    pub(super) fn lower_worker_count(&mut self, value: &JsonNode) -> Option<usize> {
        let setting = value.integer()?;
        let message = format!("invalid number of workers: {}", setting.value);
        let help = "remove `workers` to start one worker per processor";
        self.number_in(&setting, 1..=MAX_WORKERS.into(), &message, Some(help))
    }

    pub(super) fn lower_bind_address(&mut self, value: &JsonNode) -> Option<String> {
        let address = value.string()?;
        let checked = check_bind_address(&address.value);
        if let Err(expected) = &checked {
            let message = format!("`{}` is not a valid address to listen on", address.value.escape_debug());
            self.report(Diagnostic::new(DiagnosticCode::BadOption, address.span, message).label(expected));
        }
        checked.is_ok().then_some(address.value)
    }

    pub(super) fn lower_files(&mut self, value: &JsonNode, key: &str) -> Vec<Spanned<String>> {
        let files = value.string().map_or_else(|| value.strings().map(|files| files.value), |file| Some(vec![file]));
        let files = files.unwrap_or_default();
        for blank in files.iter().filter(|file| file.value.trim().is_empty()) {
            let message = format!("a file of `{key}` is blank");
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, blank.span, message).label("expected the path of a file"),
            );
        }
        files
    }

    pub(super) fn lower_trusted_proxies(&mut self, value: &JsonNode) -> Vec<AddressRange> {
        let JsonData::Array(items) = &value.data else { return Vec::new() };
        let mut ranges = Vec::with_capacity(items.len());
        for text in items.iter().filter_map(JsonNode::string) {
            match text.value.parse::<AddressRange>() {
                Ok(range) => ranges.push(range),
                Err(error) => {
                    self.report(Diagnostic::new(DiagnosticCode::BadOption, text.span, error.to_string()));
                }
            }
        }
        ranges
    }

    pub(super) fn lower_seconds(&mut self, value: &JsonNode, key: &str) -> Option<u64> {
        let seconds = value.integer()?;
        if seconds.value > MAX_SECONDS {
            let message = format!("`{key}` is {} seconds", seconds.value);
            let expected = format!("expected at most {MAX_SECONDS} seconds, which is a day");
            self.report(Diagnostic::new(DiagnosticCode::BadOption, seconds.span, message).label(expected));
        }
        Some(seconds.value)
    }
}

/// Returns an address as it is written: its environment variables are replaced when it is used.
pub(super) fn written_address(value: &JsonNode) -> Option<Spanned<String>> {
    Some(Spanned::new(value.written_text()?.to_owned(), value.span))
}

/// Returns `true` if a URL contains a password that is not an environment variable.
pub(super) fn has_password(url: &str) -> bool {
    let is_text = |password: &str| !password.is_empty() && !password.starts_with("${");
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let user = address.rsplit_once('@').map_or("", |(before, _)| before);
    let user = user.split_once("://").map_or(user, |(_, user)| user);
    let parameters = query.split('&').filter_map(|parameter| parameter.strip_prefix("password="));
    user.split_once(':').map(|(_, password)| password).into_iter().chain(parameters).any(is_text)
}
