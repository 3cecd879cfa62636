//! Converts the setting `cors` to the model. The setting says which web pages of other origins may call the API (CORS).

use http::HeaderName;
use url::Url;

use crate::compile::Lowering;
use crate::definition::keys::{JsonKind, KeyTable, key, key_table, required_key};
use crate::definition::{CheckedObject, JsonNode};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{Cors, Origins};
use crate::span::Spanned;

/// The keys of the setting `cors`.
pub static CORS: KeyTable = key_table(
    "the CORS settings",
    &[
        required_key("origins", JsonKind::Strings, "The origins whose pages may call the API, or `*` for all."),
        key("credentials", JsonKind::Bool, "Whether browsers may send credentials, such as cookies."),
        key("headers", JsonKind::Strings, "Additional request headers that pages may send."),
        key("expose", JsonKind::Strings, "Additional response headers that pages may read."),
        key(
            "max_age",
            JsonKind::Integer,
            "How many seconds browsers may cache the response to a preflight request; 600 by default.",
        ),
    ],
);

impl Lowering<'_> {
    pub(super) fn lower_cors(&mut self, value: &JsonNode) -> Option<Cors> {
        let cors = CheckedObject::new(value, &CORS, &mut self.diagnostics)?;
        let credentials = cors.bool("credentials").filter(|on| on.value);
        let origins = match cors.strings("origins") {
            Some(origins) => self.lower_origins(&origins, credentials.as_ref()),
            None => {
                let help = "list the origins that may call the API, or write `\"origins\": [\"*\"]` for all";
                self.report_missing(&cors, "origins", "`cors` has no `origins`", Some(help));
                None
            }
        };
        let headers = self.check_header_names(cors.strings("headers"));
        let expose = self.check_header_names(cors.strings("expose"));
        Some(Cors {
            origins: origins?,
            credentials: credentials.is_some(),
            headers: headers?,
            expose: expose?,
            max_age: cors.integer("max_age").map_or(Cors::DEFAULT_MAX_AGE, |seconds| seconds.value),
        })
    }

    fn lower_origins(
        &mut self,
        origins: &Spanned<Vec<Spanned<String>>>,
        credentials: Option<&Spanned<bool>>,
    ) -> Option<Origins> {
        let error = |span, message: &str| Diagnostic::new(DiagnosticCode::BadOption, span, message);
        if origins.value.is_empty() {
            self.report(
                error(origins.span, "`origins` is empty")
                    .label("no origins")
                    .help("remove `cors` if pages of other origins may not call the API"),
            );
            return None;
        }
        // `*` allows pages of every origin, and any page can send the origin `null`. With `credentials`, any page could
        // therefore use the credentials that a browser stores.
        let any_page = origins.value.iter().find(|origin| matches!(&*origin.value, "*" | "null"));
        if let (Some(origin), Some(credentials)) = (any_page, credentials) {
            self.report(
                error(origin.span, "pages of every origin could use the credentials that a browser stores")
                    .label("not a particular origin")
                    .related(credentials.span, "allows credentials")
                    .help("list the origins, or remove `credentials`; tokens in `Authorization` work without it"),
            );
            return None;
        }
        if let Some(any) = origins.value.iter().find(|origin| origin.value == "*") {
            if origins.value.len() > 1 {
                self.report(
                    error(any.span, "`*` includes the other origins")
                        .label("every origin")
                        .help("remove the other origins, or `*`"),
                );
                return None;
            }
            return Some(Origins::Any);
        }
        let checked: Vec<_> = origins.value.iter().map(|origin| self.check_origin(origin)).collect();
        checked.into_iter().collect::<Option<_>>().map(Origins::These)
    }

    /// Reports an origin that browsers would write differently (RFC 6454 section 6.2): the server compares texts.
    fn check_origin(&mut self, origin: &Spanned<String>) -> Option<String> {
        let text = &origin.value;
        if text == "null" {
            return Some(text.clone());
        }
        let serialized = serialize_origin(text);
        if serialized.as_ref().is_some_and(|origin| origin.eq_ignore_ascii_case(text)) {
            return Some(text.clone());
        }
        let message = format!("`{}` is not a valid origin", text.escape_debug());
        let error = Diagnostic::new(DiagnosticCode::BadOption, origin.span, message)
            .label("expected `scheme://host` or `scheme://host:port`");
        self.report(match serialized {
            Some(origin) => error.help(format!("write `{origin}`")),
            None => error.help("write for example `https://example.org` or `http://localhost:3000`, or `*` for all"),
        });
        None
    }

    /// Reports invalid names of header fields (RFC 9110 section 5.1), and returns `None` if there are any.
    fn check_header_names(&mut self, names: Option<Spanned<Vec<Spanned<String>>>>) -> Option<Vec<String>> {
        let names = names.map_or_else(Vec::new, |names| names.value);
        let is_valid = |name: &&Spanned<String>| name.value != "*" && HeaderName::try_from(&*name.value).is_ok();
        let (valid, invalid): (Vec<_>, Vec<_>) = names.iter().partition(is_valid);
        for name in &invalid {
            let message = format!("`{}` is not a valid header name", name.value.escape_debug());
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, name.span, message).label("expected a name like `X-App`"),
            );
        }
        invalid.is_empty().then(|| valid.into_iter().map(|name| name.value.clone()).collect())
    }
}

/// Returns the origin of a URL as browsers send it: without a default port, and without the path. A host with `*` is
/// valid in URLs but not in origins.
fn serialize_origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty() && !host.contains('*'))?;
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    Some(format!("{}://{host}{port}", url.scheme()))
}
