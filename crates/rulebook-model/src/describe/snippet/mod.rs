//! Example calls of a method, which readers paste into a terminal, a page or a program.
//!
//! The example request is created once (`request`), and the file of each language formats it. It contains the required
//! parameters, and the optional parameters that have an example in the definition. Readers only need to insert their
//! key and the names of their files.

mod curl;
mod javascript;
mod python;
mod request;

use crate::model::{Api, Method};
use request::SampleRequest;

/// An example call in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// The name of the language: `curl`, `JavaScript`, `Python`.
    pub title: &'static str,
    /// The info string of the code block in Markdown: `sh`, `js`, `python`.
    pub language: &'static str,
    /// The code of the call. It contains the URL of the server exactly once, as [`server_url`] returns it.
    pub text: String,
}

/// The placeholder for the key of the reader.
pub const KEY_PLACEHOLDER: &str = "YOUR_KEY";

/// Returns the URL of the server in example calls, without a slash at the end: the first HTTP URL in the servers of the
/// definition, or else the address that the API listens on.
#[must_use]
pub fn server_url(api: &Api) -> String {
    let bind_address = || format!("http://{}", api.bind.as_deref().unwrap_or("127.0.0.1:8080"));
    let is_http = |url: &str| ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
    let declared = api.servers.iter().map(|server| &server.url).find(|url| is_http(url));
    let url = declared.map_or_else(bind_address, String::clone);
    url.trim_end_matches('/').to_owned()
}

/// Returns example calls of a method. `uri` is the URI template of its service, including the base path.
#[must_use]
pub fn snippets(api: &Api, uri: &str, method: &Method) -> Vec<Snippet> {
    let request = SampleRequest::new(api, uri, method);
    vec![
        Snippet { title: "curl", language: "sh", text: curl::write(&request) },
        Snippet { title: "JavaScript", language: "js", text: javascript::write(&request) },
        Snippet { title: "Python", language: "python", text: python::write(&request) },
    ]
}
