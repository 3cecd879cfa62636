//! Lowers the settings of the API (`app.json`).

use jiff::tz::TimeZone;

use super::lower::Lowering;
use super::path;
use crate::call::{AuthScheme, JsonLimits};
use crate::definition::parsed::{self, App};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::error::texts::CatalogueName;
use crate::model::{
    Api, Audience, Contact, DEFAULT_TIMEZONE, DEFAULT_TITLE, DEFAULT_VERSION, EnvelopeName, License, Limits, LogFormat,
    MAX_WORKERS, Segment, Server, ServiceQuery, Unbound, UnknownParameters,
};
use crate::span::Spanned;

impl Lowering<'_> {
    /// Lowers the settings to an API without modules. Sets the time zone and the envelope of this lowering too.
    pub(super) fn settings(&mut self, app: &App, base: String) -> Api {
        let envelope = match &app.envelope {
            Some(name) => self.envelope(name),
            None => self.responses.envelopes.get(EnvelopeName::default().as_str()).cloned(),
        };
        self.envelope.clone_from(&envelope);
        Api {
            title: text(app.title.as_ref()).unwrap_or_else(|| DEFAULT_TITLE.to_owned()),
            version: text(app.version.as_ref()).unwrap_or_else(|| DEFAULT_VERSION.to_owned()),
            info: text(app.info.as_ref()),
            contact: app.contact.as_ref().map(contact),
            license: app.license.as_ref().map(|license| self.license(license)),
            servers: self.servers(app),
            base,
            envelope: envelope.unwrap_or_default(),
            catalogue: self.setting(
                app.catalogue.as_ref(),
                "catalogue",
                &CatalogueName::ALL.map(|name| (name.as_str(), name)),
            ),
            real_status: app.real_status.as_ref().is_some_and(|on| on.value),
            strict_status: app.strict_status.as_ref().is_some_and(|on| on.value),
            formats: app.formats.as_ref().map(|formats| self.formats(&formats.value)).unwrap_or_default(),
            jsonp: self.jsonp,
            service: ServiceQuery {
                on: app.service.as_ref().is_some_and(|on| on.value),
                default: app.default_service.clone(),
            },
            dispatch: app.dispatch.as_ref().is_some_and(|on| on.value),
            unknown: self.setting(
                app.unknown.as_ref(),
                "value of `unknown`:",
                &UnknownParameters::ALL.map(|value| (value.as_str(), value)),
            ),
            timezone: self.timezone(app.timezone.as_ref()),
            default_types: app.default_types.as_ref().is_none_or(|on| on.value),
            limits: self.limits(&app.limits),
            unbound: self.setting(
                app.unbound.as_ref(),
                "value of `unbound`:",
                &Unbound::ALL.map(|value| (value.as_str(), value)),
            ),
            bind: app.bind.as_ref().and_then(|bind| self.address(bind)),
            data: app.data.as_ref().and_then(|folder| self.folder(folder, "data", "the folder `data`")),
            files: app
                .files
                .as_ref()
                .and_then(|folder| self.folder(folder, "files", "the folder `files` in the data folder")),
            workers: app.workers.as_ref().and_then(|workers| self.workers(workers)),
            log: app.log.as_ref().and_then(|filter| self.log(filter)),
            log_format: self.setting(
                app.log_format.as_ref(),
                "value of `log_format`:",
                &LogFormat::ALL.map(|value| (value.as_str(), value)),
            ),
            options: self.setting(
                app.options.as_ref(),
                "value of `options`:",
                &Audience::ALL.map(|value| (value.as_str(), value)),
            ),
            auth_schemes: vec![AuthScheme::bearer()],
            compress: app.compress.as_ref().is_none_or(|on| on.value),
            cors: app.cors.as_ref().and_then(|cors| self.cors(cors)),
            modules: Vec::new(),
            span: app.span,
        }
    }

    fn setting<T: Copy + Default>(&mut self, word: Option<&Spanned<String>>, noun: &str, known: &[(&str, T)]) -> T {
        word.and_then(|word| self.keyword(word, noun, known)).unwrap_or_default()
    }

    fn license(&mut self, license: &parsed::License) -> License {
        let lowered = License {
            name: text(license.name.as_ref()).unwrap_or_default(),
            identifier: text(license.identifier.as_ref()),
            url: text(license.url.as_ref()),
        };
        let error = |message: &str| Diagnostic::new(DiagnosticCode::BadOption, license.span, message);
        if lowered.name.trim().is_empty() {
            self.report(error("a license requires a `name`").label("`name` is missing"));
        }
        if lowered.identifier.is_some() && lowered.url.is_some() {
            self.report(
                error("a license cannot have both `identifier` and `url`")
                    .label("has both")
                    .help("remove one of them (OpenAPI 3.1, License Object)"),
            );
        }
        lowered
    }

    fn servers(&mut self, app: &App) -> Vec<Server> {
        for (url, _) in app.servers.iter().filter(|(url, _)| url.value.trim().is_empty()) {
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, url.span, "a server requires a `url`").label("empty"),
            );
        }
        let server = |(url, info): &(Spanned<String>, Option<Spanned<String>>)| Server {
            url: url.value.clone(),
            info: text(info.as_ref()),
        };
        app.servers.iter().map(server).collect()
    }

    /// Checks the path prefix of all services. Returns `None` if it has an error or is reserved.
    pub(super) fn base(&mut self, base: Option<&Spanned<String>>) -> Option<String> {
        let Some(base) = base else {
            return Some("/".to_owned());
        };
        let segments = match path::segments(&base.value) {
            Ok(segments) => segments,
            Err(errors) => {
                for error in errors {
                    let (span, _) = path::part_span(base, &error.range);
                    self.report(error.into_diagnostic(span));
                }
                return None;
            }
        };
        let capture = segments.iter().find(|segment| matches!(segment, Segment::Capture(_)));
        if capture.is_some() {
            self.report(
                Diagnostic::new(DiagnosticCode::BadUri, base.span, "the `base` of an API cannot have captures")
                    .label("has a capture")
                    .help("move the capture to the paths of the services"),
            );
            return None;
        }
        self.check_reserved(&base.value, false, base.span).then(|| base.value.clone())
    }

    fn timezone(&mut self, name: Option<&Spanned<String>>) -> String {
        let Some(name) = name else {
            return DEFAULT_TIMEZONE.to_owned();
        };
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
        name.value.clone()
    }

    fn limits(&mut self, settings: &[(Spanned<String>, Spanned<u64>)]) -> Limits {
        let mut limits = Limits::default();
        for (name, limit) in limits.entries_mut() {
            let Some((_, value)) = settings.iter().find(|(key, _)| key.value == name) else { continue };
            *limit = value.value;
            let error = |message: &str| Diagnostic::new(DiagnosticCode::BadOption, value.span, message);
            if value.value == 0 {
                self.report(
                    error(&format!("the limit `{name}` would reject every request")).label("expected at least 1"),
                );
            } else if name == "nesting" && value.value > JsonLimits::MAX_NESTING {
                let max = JsonLimits::MAX_NESTING;
                self.report(error("the limit `nesting` is too high").label(format!("expected at most {max}")));
            } else if name == "link" && value.value > Limits::MAX_LINK {
                let max = Limits::MAX_LINK;
                self.report(error("the limit `link` is too high").label(format!("expected at most {max} seconds")));
            }
        }
        limits
    }

    fn address(&mut self, address: &Spanned<String>) -> Option<String> {
        let is_valid =
            address.value.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        if !is_valid {
            self.report(
                Diagnostic::new(
                    DiagnosticCode::BadOption,
                    address.span,
                    format!("`{}` is not a valid address to listen on", address.value.escape_debug()),
                )
                .label("expected `address:port`")
                .help("write for example `127.0.0.1:8080` or `[::1]:8080`"),
            );
        }
        is_valid.then(|| address.value.clone())
    }

    /// Checks the setting `key`, which names a folder. `default` describes the folder without the setting.
    fn folder(&mut self, folder: &Spanned<String>, key: &str, default: &str) -> Option<String> {
        if folder.value.trim().is_empty() {
            let error = Diagnostic::new(DiagnosticCode::BadOption, folder.span, format!("`{key}` is blank"))
                .label("expected the path of a folder");
            self.report(error.help(format!("remove `{key}` to use the default: {default}")));
            return None;
        }
        Some(folder.value.clone())
    }

    /// Checks the filter of log lines if the feature `log-filter` is enabled. The command line enables it; programs without
    /// a command line do not use the filter.
    fn log(&mut self, filter: &Spanned<String>) -> Option<String> {
        #[cfg(feature = "log-filter")]
        if let Err(error) = env_filter::Builder::new().try_parse(&filter.value) {
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, filter.span, format!("invalid log filter: {error}"))
                    .label("expected a filter of env_logger")
                    .help("write a level, or levels by module: `info`, `rulebook=debug,warn`"),
            );
            return None;
        }
        Some(filter.value.clone())
    }

    fn workers(&mut self, setting: &Spanned<u64>) -> Option<usize> {
        let workers =
            usize::try_from(setting.value).ok().filter(|workers| (1..=usize::from(MAX_WORKERS)).contains(workers));
        if workers.is_none() {
            self.report(
                Diagnostic::new(
                    DiagnosticCode::BadOption,
                    setting.span,
                    format!("invalid number of workers: {}", setting.value),
                )
                .label(format!("expected 1 to {MAX_WORKERS}"))
                .help("remove `workers` to start one worker per processor"),
            );
        }
        workers
    }
}

fn text(setting: Option<&Spanned<String>>) -> Option<String> {
    setting.map(|text| text.value.clone())
}

fn contact(contact: &parsed::Contact) -> Contact {
    let parsed::Contact { name, url, email } = contact;
    Contact { name: text(name.as_ref()), url: text(url.as_ref()), email: text(email.as_ref()) }
}
