//! The settings of the whole API, `app.json`.

use jiff::tz::TimeZone;

use super::lower::Lowering;
use super::path;
use crate::call::JsonLimits;
use crate::definition::written::{self, App};
use crate::diagnostic::{Code, Diagnostic};
use crate::error::texts::CatalogueName;
use crate::model::{
    Api, Audience, Contact, DEFAULT_TIMEZONE, DEFAULT_TITLE, DEFAULT_VERSION, EnvelopeName, License, Limits, LogFormat,
    MOST_WORKERS, Segment, Server, ServiceQuery, Unbound, UnknownParameters,
};
use crate::place::Placed;

impl Lowering<'_> {
    /// The settings as an API without modules. Sets the zone and the envelope of this lowering.
    pub(super) fn settings(&mut self, written: &App, base: String) -> Api {
        let envelope = match &written.envelope {
            Some(name) => self.envelope(name),
            None => self.answers.envelopes.get(EnvelopeName::default().as_str()).cloned(),
        };
        self.envelope.clone_from(&envelope);
        Api {
            title: text(written.title.as_ref()).unwrap_or_else(|| DEFAULT_TITLE.to_owned()),
            version: text(written.version.as_ref()).unwrap_or_else(|| DEFAULT_VERSION.to_owned()),
            info: text(written.info.as_ref()),
            contact: written.contact.as_ref().map(contact),
            license: written.license.as_ref().map(|license| self.license(license)),
            servers: self.servers(written),
            base,
            envelope: envelope.unwrap_or_default(),
            catalogue: self.setting(
                written.catalogue.as_ref(),
                "a catalogue",
                &CatalogueName::ALL.map(|name| (name.as_str(), name)),
            ),
            real_status: written.real_status.as_ref().is_some_and(|on| on.value),
            strict_status: written.strict_status.as_ref().is_some_and(|on| on.value),
            formats: written.formats.as_ref().map(|formats| self.formats(&formats.value)).unwrap_or_default(),
            jsonp: self.jsonp,
            service: ServiceQuery {
                on: written.service.as_ref().is_some_and(|on| on.value),
                default: written.default_service.clone(),
            },
            dispatch: written.dispatch.as_ref().is_some_and(|on| on.value),
            unknown: self.setting(
                written.unknown.as_ref(),
                "a value of `unknown`",
                &UnknownParameters::ALL.map(|way| (way.as_str(), way)),
            ),
            timezone: self.zone(written.timezone.as_ref()),
            default_types: written.default_types.as_ref().is_none_or(|on| on.value),
            limits: self.limits(&written.limits),
            unbound: self.setting(
                written.unbound.as_ref(),
                "a value of `unbound`",
                &Unbound::ALL.map(|way| (way.as_str(), way)),
            ),
            bind: written.bind.as_ref().and_then(|bind| self.address(bind)),
            data: written.data.as_ref().and_then(|folder| self.folder(folder, "data", "the folder `data`")),
            files: written
                .files
                .as_ref()
                .and_then(|folder| self.folder(folder, "files", "the folder `files` in that of `data`")),
            workers: written.workers.as_ref().and_then(|workers| self.workers(workers)),
            log: written.log.as_ref().and_then(|filter| self.log(filter)),
            log_format: self.setting(
                written.log_format.as_ref(),
                "a value of `log_format`",
                &LogFormat::ALL.map(|format| (format.as_str(), format)),
            ),
            options: self.setting(
                written.options.as_ref(),
                "a value of `options`",
                &Audience::ALL.map(|whom| (whom.as_str(), whom)),
            ),
            compress: written.compress.as_ref().is_none_or(|on| on.value),
            cors: written.cors.as_ref().and_then(|cors| self.cors(cors)),
            modules: Vec::new(),
            place: written.place,
        }
    }

    fn setting<T: Copy + Default>(&mut self, word: Option<&Placed<String>>, what: &str, known: &[(&str, T)]) -> T {
        word.and_then(|word| self.word(word, what, known)).unwrap_or_default()
    }

    fn license(&mut self, written: &written::License) -> License {
        let license = License {
            name: text(written.name.as_ref()).unwrap_or_default(),
            identifier: text(written.identifier.as_ref()),
            url: text(written.url.as_ref()),
        };
        let fault = |message: &str| Diagnostic::new(Code::BadOption, written.place, message);
        if license.name.trim().is_empty() {
            self.tell(fault("a licence has a `name`").label("`name` is missing"));
        }
        if license.identifier.is_some() && license.url.is_some() {
            self.tell(
                fault("a licence has an `identifier` or a `url`, not both")
                    .label("both")
                    .help("leave one of them out (OpenAPI 3.1, License Object)"),
            );
        }
        license
    }

    fn servers(&mut self, written: &App) -> Vec<Server> {
        for (url, _) in written.servers.iter().filter(|(url, _)| url.value.trim().is_empty()) {
            self.tell(Diagnostic::new(Code::BadOption, url.place, "a server has a `url`").label("empty"));
        }
        let server = |(url, info): &(Placed<String>, Option<Placed<String>>)| Server {
            url: url.value.clone(),
            info: text(info.as_ref()),
        };
        written.servers.iter().map(server).collect()
    }

    /// The path that all services stand below; none where it is faulty or the server's own.
    pub(super) fn base(&mut self, written: Option<&Placed<String>>) -> Option<String> {
        let Some(base) = written else {
            return Some("/".to_owned());
        };
        let segments = match path::segments(&base.value) {
            Ok(segments) => segments,
            Err(faults) => {
                for fault in faults {
                    let (place, _) = path::place(base, &fault.range);
                    let diagnostic = Diagnostic::new(Code::BadUri, place, fault.message).label(fault.label);
                    self.tell(match fault.help {
                        Some(help) => diagnostic.help(help),
                        None => diagnostic,
                    });
                }
                return None;
            }
        };
        let capture = segments.iter().find(|segment| matches!(segment, Segment::Capture(_)));
        if capture.is_some() {
            self.tell(
                Diagnostic::new(Code::BadUri, base.place, "the base of an API has no captures")
                    .label("a capture")
                    .help("write the capture into the paths of the services"),
            );
            return None;
        }
        self.judge_reserved(&base.value, false, base.place).then(|| base.value.clone())
    }

    fn zone(&mut self, written: Option<&Placed<String>>) -> String {
        let Some(name) = written else {
            return DEFAULT_TIMEZONE.to_owned();
        };
        match TimeZone::get(&name.value) {
            Ok(zone) => self.timezone = zone,
            Err(_) => self.tell(
                Diagnostic::new(
                    Code::BadOption,
                    name.place,
                    format!("there is no time zone `{}`", name.value.escape_debug()),
                )
                .label("unknown")
                .help("give a name of the IANA time zone database, e.g. `Europe/Paris`"),
            ),
        }
        name.value.clone()
    }

    fn limits(&mut self, written: &[(Placed<String>, Placed<u64>)]) -> Limits {
        let mut limits = Limits::default();
        for (name, limit) in limits.entries_mut() {
            let Some((_, value)) = written.iter().find(|(key, _)| key.value == name) else { continue };
            *limit = value.value;
            let fault = |message: &str| Diagnostic::new(Code::BadOption, value.place, message);
            if value.value == 0 {
                self.tell(fault(&format!("the limit `{name}` would refuse every request")).label("at least 1"));
            } else if name == "nesting" && value.value > JsonLimits::MOST_NESTING {
                let most = JsonLimits::MOST_NESTING;
                self.tell(fault("no body is read as deep as this").label(format!("at most {most}")));
            } else if name == "link" && value.value > Limits::LONGEST_LINK {
                let most = Limits::LONGEST_LINK;
                self.tell(fault("no link is good for as long as this").label(format!("at most {most}")));
            }
        }
        limits
    }

    fn address(&mut self, written: &Placed<String>) -> Option<String> {
        let valid =
            written.value.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        if !valid {
            self.tell(
                Diagnostic::new(
                    Code::BadOption,
                    written.place,
                    format!("`{}` is no address to listen at", written.value.escape_debug()),
                )
                .label("expected `address:port`")
                .help("write e.g. `127.0.0.1:8080`, or `[::1]:8080`"),
            );
        }
        valid.then(|| written.value.clone())
    }

    /// A folder that the setting `key` names, in place of `default`.
    fn folder(&mut self, written: &Placed<String>, key: &str, default: &str) -> Option<String> {
        if written.value.trim().is_empty() {
            let fault =
                Diagnostic::new(Code::BadOption, written.place, format!("`{key}` names no folder")).label("blank");
            self.tell(fault.help(format!("leave `{key}` out for {default}")));
            return None;
        }
        Some(written.value.clone())
    }

    fn log(&mut self, written: &Placed<String>) -> Option<String> {
        let judged = env_filter::Builder::new().try_parse(&written.value).map(|_| written.value.clone());
        judged
            .map_err(|error| {
                self.tell(
                    Diagnostic::new(Code::BadOption, written.place, format!("`log` cannot be read: {error}"))
                        .label("not in env_logger's words")
                        .help("write a level or levels by module: `info`, `rulebook=debug,warn`"),
                );
            })
            .ok()
    }

    fn workers(&mut self, written: &Placed<u64>) -> Option<usize> {
        let workers =
            usize::try_from(written.value).ok().filter(|workers| (1..=usize::from(MOST_WORKERS)).contains(workers));
        if workers.is_none() {
            self.tell(
                Diagnostic::new(Code::BadOption, written.place, format!("{} workers cannot serve", written.value))
                    .label(format!("expected 1 to {MOST_WORKERS}"))
                    .help("leave `workers` out for one worker a processor"),
            );
        }
        workers
    }
}

fn text(written: Option<&Placed<String>>) -> Option<String> {
    written.map(|text| text.value.clone())
}

fn contact(written: &written::Contact) -> Contact {
    let written::Contact { name, url, email } = written;
    Contact { name: text(name.as_ref()), url: text(url.as_ref()), email: text(email.as_ref()) }
}
