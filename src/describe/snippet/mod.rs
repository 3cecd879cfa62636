//! Calls of a method to be pasted: into a terminal, a page, a program.
//!
//! In charge of what a request that shows a method sends (`sent`), once, and of
//! how each language writes it, a file a language. A call has what is needed
//! and what the definition shows, nothing else; it works when it is pasted,
//! but for the key and the files, which are the reader's own.

mod curl;
mod javascript;
mod python;
mod sent;

use crate::model::{Api, Method};
use sent::Sent;

/// A call in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// What it is written in, for readers: `curl`, `JavaScript`, `Python`.
    pub title: &'static str,
    /// The name by which markdown marks it: `sh`, `js`, `python`.
    pub language: &'static str,
    /// The call. The server stands in it once, as [`server`] gives it.
    pub text: String,
}

/// What stands for the reader's own key.
pub const KEY: &str = "YOUR_KEY";

/// Where examples find the API: the first server that the definition names by a URL of HTTP, else the address where it
/// listens. No slash at its end.
#[must_use]
pub fn server(api: &Api) -> String {
    let listens = || format!("http://{}", api.bind.as_deref().unwrap_or("127.0.0.1:8080"));
    let is_http = |url: &str| ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
    let named = api.servers.iter().map(|server| &server.url).find(|url| is_http(url));
    let url = named.map_or_else(listens, String::clone);
    url.trim_end_matches('/').to_owned()
}

/// Calls of a method, whose service has this URI (a template, with base), with values that show its parameters.
#[must_use]
pub fn snippets(api: &Api, uri: &str, method: &Method) -> Vec<Snippet> {
    let sent = Sent::new(&server(api), uri, method);
    vec![
        Snippet { title: "curl", language: "sh", text: curl::write(&sent) },
        Snippet { title: "JavaScript", language: "js", text: javascript::write(&sent) },
        Snippet { title: "Python", language: "python", text: python::write(&sent) },
    ]
}
