//! Calls of a method to be pasted: into a terminal, a page, a program.

use super::example;
use crate::model::{Api, From, Method};

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

/// Where examples find the API: the first server that the definition names, else the address where it listens. No
/// slash at its end.
#[must_use]
pub fn server(api: &Api) -> String {
    let listens = || format!("http://{}", api.bind.as_deref().unwrap_or("127.0.0.1:8080"));
    let url = api.servers.first().map_or_else(listens, |server| server.url.clone());
    url.trim_end_matches('/').to_owned()
}

/// Calls of a method, whose service has this URI (a template, with base), with values that show its parameters.
#[must_use]
pub fn snippets(api: &Api, uri: &str, method: &Method) -> Vec<Snippet> {
    let query = method.parameters.iter().filter(|own| own.from == From::Query);
    let query =
        query.filter_map(|own| Some(format!(" --data-urlencode '{}={}'", own.key, example::of_parameter(own)?)));
    let text = format!("curl -G -X {} '{}{uri}'{}", method.http.as_str(), server(api), query.collect::<String>());
    vec![Snippet { title: "curl", language: "sh", text }]
}
