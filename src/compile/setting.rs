//! The settings of the whole API, `app.json`.

use jiff::tz::TimeZone;

use super::lower::Lowering;
use super::path;
use crate::call::JsonLimits;
use crate::definition::written::App;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{
    Api, Contact, DEFAULT_TIMEZONE, DEFAULT_TITLE, DEFAULT_VERSION, EnvelopeName, License, Limits, MOST_WORKERS,
    Segment, Server, Unbound, UnknownParameters,
};
use crate::place::Placed;

/// `contact` or `license` as it is written, by key.
type Members = Placed<Vec<(Placed<String>, Placed<String>)>>;

impl Lowering<'_> {
    /// The settings as an API without modules. Sets the zone and the envelope of this lowering.
    pub(super) fn settings(&mut self, written: &App, base: String) -> Api {
        let envelope = match &written.envelope {
            Some(name) => self.envelope(name),
            None => Some(EnvelopeName::default()),
        };
        self.envelope = envelope;
        let text = |text: &Option<Placed<String>>| text.as_ref().map(|text| text.value.clone());
        Api {
            title: text(&written.title).unwrap_or_else(|| DEFAULT_TITLE.to_owned()),
            version: text(&written.version).unwrap_or_else(|| DEFAULT_VERSION.to_owned()),
            info: text(&written.info),
            contact: written.contact.as_ref().map(|contact| self.contact(contact)),
            license: written.license.as_ref().map(|license| self.license(license)),
            servers: self.servers(written),
            base,
            envelope: envelope.unwrap_or_default(),
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
            data: text(&written.data),
            workers: written.workers.as_ref().and_then(|workers| self.workers(workers)),
            log: text(&written.log),
            modules: Vec::new(),
            place: written.place,
        }
    }

    fn setting<T: Copy + Default>(&mut self, word: Option<&Placed<String>>, what: &str, known: &[(&str, T)]) -> T {
        word.and_then(|word| self.word(word, what, known)).unwrap_or_default()
    }

    fn contact(&mut self, written: &Members) -> Contact {
        let mut contact = Contact::default();
        for (key, value) in &written.value {
            match key.value.as_str() {
                "name" => contact.name = Some(value.value.clone()),
                "url" => contact.url = Some(value.value.clone()),
                "email" => contact.email = Some(value.value.clone()),
                _ => self.unknown_member(key, "a contact", &["name", "url", "email"]),
            }
        }
        contact
    }

    fn license(&mut self, written: &Members) -> License {
        let mut license = License::default();
        for (key, value) in &written.value {
            match key.value.as_str() {
                "name" => license.name.clone_from(&value.value),
                "identifier" => license.identifier = Some(value.value.clone()),
                "url" => license.url = Some(value.value.clone()),
                _ => self.unknown_member(key, "a licence", &["name", "identifier", "url"]),
            }
        }
        let fault = |message: &str| Diagnostic::new(Code::BadOption, written.place, message);
        if license.name.trim().is_empty() {
            self.tell(fault("a licence has a `name`").label("`name` is missing"));
        } else if license.identifier.is_some() && license.url.is_some() {
            self.tell(
                fault("a licence has an `identifier` or a `url`, not both")
                    .label("both")
                    .help("leave one of them out (OpenAPI 3.1, License Object)"),
            );
        }
        license
    }

    fn unknown_member(&mut self, key: &Placed<String>, what: &str, known: &[&str]) {
        self.tell(
            Diagnostic::new(Code::UnknownKey, key.place, format!("{what} has no `{}`", key.value.escape_debug()))
                .label("unknown key")
                .choose(&key.value, known),
        );
    }

    fn servers(&mut self, written: &App) -> Vec<Server> {
        for (url, _) in written.servers.iter().filter(|(url, _)| url.value.trim().is_empty()) {
            self.tell(Diagnostic::new(Code::BadOption, url.place, "a server has a `url`").label("empty"));
        }
        let server = |(url, info): &(Placed<String>, Option<Placed<String>>)| Server {
            url: url.value.clone(),
            info: info.as_ref().map(|info| info.value.clone()),
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
        let keys = limits.entries().map(|(key, _)| key);
        for (key, value) in written {
            let entry = limits.entries_mut().into_iter().find(|(known, _)| *known == key.value);
            let Some((_, limit)) = entry else {
                self.tell(
                    Diagnostic::new(
                        Code::BadOption,
                        key.place,
                        format!("there is no limit `{}`", key.value.escape_debug()),
                    )
                    .label("unknown limit")
                    .choose(&key.value, &keys),
                );
                continue;
            };
            *limit = value.value;
            if value.value == 0 {
                self.tell(
                    Diagnostic::new(
                        Code::BadOption,
                        value.place,
                        format!("the limit `{}` would refuse every request", key.value),
                    )
                    .label("at least 1"),
                );
            }
            if key.value == "nesting" && value.value > JsonLimits::MOST_NESTING {
                self.tell(
                    Diagnostic::new(Code::BadOption, value.place, "JSON that nests so deep cannot be read")
                        .label(format!("at most {}", JsonLimits::MOST_NESTING)),
                );
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

    fn workers(&mut self, written: &Placed<u64>) -> Option<usize> {
        let workers = usize::try_from(written.value).ok().filter(|workers| (1..=MOST_WORKERS).contains(workers));
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
