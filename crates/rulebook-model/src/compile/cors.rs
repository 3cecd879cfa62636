//! Converts the setting `cors` to the model: what web pages of other origins may do.

use http::HeaderName;
use url::Url;

use super::lower::Lowering;
use crate::definition::parsed;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{Cors, Origins};
use crate::span::Spanned;

impl Lowering<'_> {
    /// Converts the setting `cors` to the model. Returns `None` if it has an error.
    pub(super) fn cors(&mut self, cors: &parsed::Cors) -> Option<Cors> {
        let credentials = cors.credentials.as_ref().filter(|on| on.value);
        let origins = match &cors.origins {
            Some(origins) => self.lower_origins(origins, credentials),
            None if cors.incomplete => None,
            None => {
                self.report(
                    Diagnostic::new(DiagnosticCode::BadOption, cors.span, "`cors` has no `origins`")
                        .label("`origins` is missing")
                        .help("list the origins that may call the API, or write `\"origins\": [\"*\"]` for all"),
                );
                None
            }
        };
        let headers = self.check_header_names(&cors.headers);
        let expose = self.check_header_names(&cors.expose);
        Some(Cors {
            origins: origins?,
            credentials: credentials.is_some(),
            headers: headers?,
            expose: expose?,
            max_age: cors.max_age.as_ref().map_or(Cors::DEFAULT_MAX_AGE, |seconds| seconds.value),
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
        // Every page can have the origin `*` or `null`, so any page could use the credentials that a browser stores.
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

    /// Checks that an origin is written as browsers serialize it (RFC 6454 section 6.2).
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

    /// Checks the names of header fields (RFC 9110 section 5.1).
    fn check_header_names(&mut self, names: &[Spanned<String>]) -> Option<Vec<String>> {
        let mut all = Some(Vec::with_capacity(names.len()));
        for name in names {
            if name.value != "*" && HeaderName::try_from(&*name.value).is_ok() {
                all.iter_mut().for_each(|all| all.push(name.value.clone()));
                continue;
            }
            let message = format!("`{}` is not a valid header name", name.value.escape_debug());
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, name.span, message).label("expected a name like `X-App`"),
            );
            all = None;
        }
        all
    }
}

/// Returns the origin of a URL as browsers serialize it: without a default port, and without everything after the port.
/// Returns `None` if the host contains `*`, which URLs allow but origins do not.
fn serialize_origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty() && !host.contains('*'))?;
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    Some(format!("{}://{host}{port}", url.scheme()))
}
