//! What pages of other origins may do: from the settings to the model, and from the model to the plan.

use http::{HeaderName, HeaderValue};
use url::Url;

use super::bind::methods;
use super::lower::Lowering;
use crate::definition::written;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Api, Cors, From, Method, Origins};
use crate::place::Placed;
use crate::plan;

/// Header fields that pages may send to any method.
const SENT: [&str; 7] =
    ["Authorization", "Content-Type", "X-Request-Id", "X-Requested-With", "If-None-Match", "If-Match", "Range"];
/// Header fields of answers that pages may read.
const READ: [&str; 11] = [
    "ETag",
    "Location",
    "Link",
    "Retry-After",
    "X-Request-Id",
    "RateLimit",
    "RateLimit-Policy",
    "WWW-Authenticate",
    "Allow",
    "Content-Disposition",
    "Content-Range",
];

impl Lowering<'_> {
    /// Lowers `cors`; none where it is faulty.
    pub(super) fn cors(&mut self, written: &written::Cors) -> Option<Cors> {
        let credentials = written.credentials.as_ref().filter(|on| on.value);
        let origins = match &written.origins {
            Some(origins) => self.origins(origins, credentials),
            None if written.damaged => None,
            None => {
                let fault = Diagnostic::new(Code::BadOption, written.place, "`cors` names no origin");
                self.tell(
                    fault.label("`origins` is missing").help("name them, or write `\"origins\": [\"*\"]` for all"),
                );
                None
            }
        };
        let headers = self.field_names(&written.headers);
        let expose = self.field_names(&written.expose);
        Some(Cors {
            origins: origins?,
            credentials: credentials.is_some(),
            headers: headers?,
            expose: expose?,
            max_age: written.max_age.as_ref().map_or(Cors::DEFAULT_MAX_AGE, |seconds| seconds.value),
        })
    }

    fn origins(
        &mut self,
        written: &Placed<Vec<Placed<String>>>,
        credentials: Option<&Placed<bool>>,
    ) -> Option<Origins> {
        let fault = |place, message: &str| Diagnostic::new(Code::BadOption, place, message);
        if written.value.is_empty() {
            let fault = fault(written.place, "`cors` names no origin").label("empty");
            self.tell(fault.help("leave `cors` out where no other origin may call"));
            return None;
        }
        // Whoever can make a page has an origin of these, so credentials would be everybody's.
        let everybody = written.value.iter().find(|origin| matches!(&*origin.value, "*" | "null"));
        if let (Some(origin), Some(credentials)) = (everybody, credentials) {
            let fault = fault(origin.place, "pages of every origin could call with what a browser has stored");
            self.tell(
                fault
                    .label("no origin in particular")
                    .other(credentials.place, "the credentials")
                    .help("name the origins, or leave `credentials` out; tokens in `Authorization` need none"),
            );
            return None;
        }
        if let Some(any) = written.value.iter().find(|origin| origin.value == "*") {
            if written.value.len() > 1 {
                let fault = fault(any.place, "`*` is every origin, so the others say nothing").label("every origin");
                self.tell(fault.help("leave the others out, or `*`"));
                return None;
            }
            return Some(Origins::Any);
        }
        let judged: Vec<_> = written.value.iter().map(|origin| self.origin(origin)).collect();
        judged.into_iter().collect::<Option<_>>().map(Origins::These)
    }

    /// An origin as browsers write it (RFC 6454 section 6.2).
    fn origin(&mut self, written: &Placed<String>) -> Option<String> {
        let text = &written.value;
        if text == "null" {
            return Some(text.clone());
        }
        let serialized = serialized(text);
        if serialized.as_ref().is_some_and(|origin| origin.eq_ignore_ascii_case(text)) {
            return Some(text.clone());
        }
        let message = format!("`{}` is no origin as browsers write it", text.escape_debug());
        let fault =
            Diagnostic::new(Code::BadOption, written.place, message).label("expected `scheme://host` or `…:port`");
        self.tell(match serialized {
            Some(origin) => fault.help(format!("write `{origin}`")),
            None => fault.help("write e.g. `https://example.org`, `http://localhost:3000`, or `*` for all"),
        });
        None
    }

    /// Names of header fields (RFC 9110 section 5.1).
    fn field_names(&mut self, written: &[Placed<String>]) -> Option<Vec<String>> {
        let mut all = Some(Vec::with_capacity(written.len()));
        for name in written {
            if name.value != "*" && HeaderName::try_from(&*name.value).is_ok() {
                all.iter_mut().for_each(|all| all.push(name.value.clone()));
                continue;
            }
            let message = format!("`{}` is no name of a header field", name.value.escape_debug());
            self.tell(Diagnostic::new(Code::BadOption, name.place, message).label("expected a name like `X-App`"));
            all = None;
        }
        all
    }
}

/// The origin of a URL as browsers write it: without a default port, a path and all behind it. No host has a `*`,
/// though URLs can.
fn serialized(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty() && !host.contains('*'))?;
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    Some(format!("{}://{host}{port}", url.scheme()))
}

/// What requests of other origins are answered with.
pub(super) fn plan(api: &Api) -> Option<plan::Cors> {
    let Cors { origins, credentials, headers, expose, max_age } = api.cors.as_ref()?;
    let sent = || SENT.into_iter().chain(headers.iter().map(String::as_str));
    let own = |method: &Method| {
        let fields = method.parameters.iter().filter(|parameter| parameter.from == From::Header);
        let fields: Vec<_> = fields.map(|parameter| parameter.key.as_str()).collect();
        (!fields.is_empty()).then(|| list(sent().chain(fields)))
    };
    Some(plan::Cors {
        origins: match origins {
            Origins::Any => None,
            Origins::These(origins) => Some(origins.iter().map(|origin| origin.to_ascii_lowercase().into()).collect()),
        },
        credentials: *credentials,
        headers: list(sent()),
        own_headers: methods(api)
            .enumerate()
            .filter_map(|(index, (_, _, method))| Some((index, own(method)?)))
            .collect(),
        expose: list(READ.into_iter().chain(expose.iter().map(String::as_str))),
        max_age: HeaderValue::from(*max_age),
    })
}

/// Names of header fields as a list, each once.
fn list<'n>(names: impl Iterator<Item = &'n str>) -> HeaderValue {
    let mut list: Vec<&str> = Vec::new();
    for name in names {
        if !list.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            list.push(name);
        }
    }
    // Names of fields are header values.
    HeaderValue::try_from(list.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""))
}
