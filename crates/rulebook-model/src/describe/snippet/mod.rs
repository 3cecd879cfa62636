//! Example calls of a method. Readers of the documentation can paste them into a terminal, a web page or a program.
//!
//! The Rust module `request` creates one example request, which the Rust module of each language formats. The request
//! contains the required parameters, and the optional parameters that have an example in the definition. Readers only
//! need to insert their API key, or their name and password, and the names of their files.

mod client;
mod curl;
mod go;
mod javascript;
mod php;
mod python;
mod request;

use askama::Template;

use super::in_words::is_basic;
use crate::call::AuthScheme;
use crate::model::{Api, Method};
use crate::settings::split_bind_address;
use go::GoCode;
use javascript::JavascriptCode;
use php::PhpCode;
use python::PythonCode;
use request::SampleRequest;

/// An example call of a method in one programming language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// The name of the tool or language: `curl`, `rulebook.js`, `fetch`, `Python`, `PHP` or `Go`.
    pub title: &'static str,
    /// The language of the code block in Markdown (its info string): `sh`, `js`, `python`, `php` or `go`.
    pub language: &'static str,
    /// The code that sends the request. It contains the URL of the server.
    pub text: String,
}

/// The placeholder in example calls that readers replace by their API key.
pub const API_KEY_PLACEHOLDER: &str = "YOUR_KEY";

/// Returns the server URL that example calls use, without a slash at the end. This is the first HTTP URL among the
/// servers of the definition, or otherwise `listening`, the URL of the address on which the server listens. If the
/// server does not listen, this is the address in the definition.
#[must_use]
pub fn server_url(api: &Api, listening: Option<&str>) -> String {
    let is_http = |url: &str| ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
    let declared = api.servers.iter().map(|server| &*server.url).find(|url| is_http(url));
    match declared.or(listening) {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => {
            let (is_tls, address) = split_bind_address(api.bind.as_deref().unwrap_or("127.0.0.1:8080"));
            format!("{}://{address}", if is_tls { "https" } else { "http" })
        }
    }
}

/// The placeholder in example calls that readers replace by their name, if the API accepts names with passwords.
const NAME_PLACEHOLDER: &str = "NAME";
/// The placeholder in example calls that readers replace by their password.
const PASSWORD_PLACEHOLDER: &str = "PASSWORD";
/// Both placeholders as one text, in which the first colon separates them.
const NAME_AND_PASSWORD: &str = "NAME:PASSWORD";

/// The name of the header field that contains the credentials of most schemes.
const AUTHORIZATION: &str = "Authorization";

/// Returns the scheme that example calls use: the first one whose credential is sent in a header field, and one with
/// passwords, which programs should not contain, only if there is no other. Returns `None` if no scheme has such a
/// field.
fn preferred_scheme(api: &Api) -> Option<&AuthScheme> {
    let mut schemes: Vec<_> = api.auth_schemes.iter().filter(|scheme| scheme.header_field("").is_some()).collect();
    schemes.sort_by_key(|scheme| is_basic(scheme));
    schemes.first().copied()
}

/// Returns the name and the value of the header field in which calls send the credential, which is
/// [`API_KEY_PLACEHOLDER`]. Returns `None` if the API has no schemes.
pub(in crate::describe) fn credential_field_of_api(api: &Api) -> Option<(String, String)> {
    preferred_scheme(api)?.header_field(API_KEY_PLACEHOLDER)
}

/// The credential that example calls send.
enum SampleCredential {
    /// The name and the value of the header field that contains [`API_KEY_PLACEHOLDER`].
    Field(String, String),
    /// The name [`NAME_PLACEHOLDER`] and the password [`PASSWORD_PLACEHOLDER`] (RFC 7617).
    NameAndPassword,
}

/// Returns the credential that example calls of a method send. Returns `None` if the method requires no permissions, or
/// the API has no schemes.
fn sample_credential(api: &Api, method: &Method) -> Option<SampleCredential> {
    let scheme = preferred_scheme(api).filter(|_| !method.scope.is_public())?;
    if is_basic(scheme) {
        return Some(SampleCredential::NameAndPassword);
    }
    let (name, value) = scheme.header_field(API_KEY_PLACEHOLDER)?;
    Some(SampleCredential::Field(name, value))
}

/// Returns example calls of a method, one for each supported language. `server` is the URL of the server, which
/// [`server_url`] returns. `uri` is the URI template of the method's service, including the base path.
#[must_use]
pub fn snippets(api: &Api, server: &str, uri: &str, method: &Method) -> Vec<Snippet> {
    let request = &SampleRequest::new(api, server, uri, method);
    let snippet = |title, language, text| Snippet { title, language, text };
    // Writing to a `String` cannot fail.
    vec![
        snippet("curl", "sh", curl::format_curl_command(request)),
        snippet("rulebook.js", "js", client::format_client_code(api, server, method)),
        snippet("fetch", "js", JavascriptCode { request }.render().unwrap_or_default()),
        snippet("Python", "python", PythonCode { request }.render().unwrap_or_default()),
        snippet("PHP", "php", PhpCode { request }.render().unwrap_or_default()),
        snippet("Go", "go", GoCode { request }.render().unwrap_or_default()),
    ]
}
