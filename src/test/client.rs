//! The client: an API at work, and the ways to ask it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tempfile::TempDir;
use ureq::Agent;

use super::identities::Identities;
use super::misuse::Misuse;
use super::{Calling, Request};
use crate::diagnostic::{Report, nearest};
use crate::engine::{Engine, Rulebook};
use crate::server::{Running, Settings};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Serves an API on a free port of this machine until it is dropped, and asks it over HTTP.
///
/// It blocks, so it can be used in any test; the API is served by a thread of its own.
///
/// ```
/// use rulebook::test::Client;
/// use rulebook::{Args, Context, Module, Refusal, Rulebook};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize)]
/// struct Draft {
///     id: u32,
///     title: String,
/// }
///
/// #[derive(Serialize)]
/// struct Saved {
///     words: String,
/// }
///
/// async fn save(Args(draft): Args<Draft>, _: Context) -> Result<Saved, Refusal> {
///     Ok(Saved { words: format!("{} is now called {}", draft.id, draft.title) })
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let definition = r#"{ "/": { "article/{id}": { "PUT": {
///     "info": "Renames an article",
///     "scope": [["author"]],
///     "in":  { "{id}": { "info": "Which", "type": "id" },
///              "title": { "info": "Its new title", "type": "string(1,80)" } },
///     "out": { "words": { "info": "What has been done", "type": "string" } }
/// } } } }"#;
/// let rulebook = Rulebook::read(vec![("article.json".into(), definition.into())]);
/// let client = Client::new(rulebook.module(Module::new("article").put("/article/{id}", save)))?;
///
/// // A method by its id, arguments by their names in code: each goes where the definition has it.
/// let rename = || client.call("article.{id}.put").arg("id", 7).arg("title", "Rules");
/// let answer = rename().scope(["author"]).send();
/// assert_eq!(answer.status(), 200);
/// assert_eq!(answer.output("words"), "7 is now called Rules");
///
/// let refused = rename().scope(["reader"]).send();
/// assert_eq!(refused.code(), Some("forbidden"));
/// assert_eq!(rename().send().code(), Some("unauthenticated"));
///
/// // Any other request.
/// let refused = client.put("/article/7").scope(["author"]).form([("title", "")]).send();
/// assert_eq!(refused.code(), Some("invalid-parameter"));
/// assert_eq!(refused.faults(), ["title"]);
/// # Ok(())
/// # }
/// ```
pub struct Client {
    pub(super) engine: Engine,
    pub(super) agent: Agent,
    pub(super) identities: Identities,
    address: SocketAddr,
    _running: Running,
    _uploads: TempDir,
}

impl Client {
    /// Serves an API: that of the program, with all that the program adds to it.
    ///
    /// Bearer keys are those that the program itself adds with [`Rulebook::inspect`]. What handlers return is compared
    /// with the definition in any build ([`Rulebook::verify_outputs`]).
    ///
    /// # Errors
    /// The definition is faulty or the handlers do not fit it; or it cannot be served.
    pub fn new(rulebook: Rulebook) -> Result<Self, StartError> {
        let identities = Identities::default();
        let judged = rulebook.verify_outputs(true).judge().map_err(StartError::Definition)?;
        let engine = judged.inspect_first(identities.clone()).build().map_err(StartError::Definition)?;
        let uploads = tempfile::tempdir().map_err(StartError::Serve)?;
        let settings = Settings {
            bind: vec!["127.0.0.1:0".to_owned()],
            workers: Some(1),
            uploads: uploads.path().to_owned(),
            ..Settings::default()
        };
        let running = engine.serve(&settings).map_err(StartError::Serve)?;
        let address = running.addresses().first().copied();
        let address = address.ok_or_else(|| StartError::Serve(io::ErrorKind::AddrNotAvailable.into()))?;
        Ok(Self { engine, agent: agent(), identities, address, _running: running, _uploads: uploads })
    }

    /// Where it is served.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Begins a call of the method with this id.
    ///
    /// # Panics
    /// There is no such method.
    #[track_caller]
    pub fn call(&self, id: &str) -> Calling<'_> {
        let services = || self.engine.api().modules.iter().flat_map(|module| &module.services);
        let mut methods = services().flat_map(|service| service.methods.iter().map(move |method| (service, method)));
        match methods.find(|(_, method)| method.id == id) {
            Some((service, method)) => Calling::new(self, service, method),
            None => {
                let ids: Vec<_> = services().flat_map(|service| &service.methods).map(|own| own.id.as_str()).collect();
                let near = nearest(id, ids.iter().copied());
                Misuse::UnknownMethod { id, near, known: &ids }.fail()
            }
        }
    }

    /// Begins a request of any method (`"OPTIONS"`) for a path and query as they are sent: percent-encoded,
    /// base included.
    pub fn request(&self, method: &str, target: &str) -> Request<'_> {
        Request::new(self, method, target)
    }

    /// Begins a GET request.
    pub fn get(&self, target: &str) -> Request<'_> {
        self.request("GET", target)
    }

    /// Begins a POST request.
    pub fn post(&self, target: &str) -> Request<'_> {
        self.request("POST", target)
    }

    /// Begins a PUT request.
    pub fn put(&self, target: &str) -> Request<'_> {
        self.request("PUT", target)
    }

    /// Begins a DELETE request.
    pub fn delete(&self, target: &str) -> Request<'_> {
        self.request("DELETE", target)
    }

    /// Begins a PATCH request.
    pub fn patch(&self, target: &str) -> Request<'_> {
        self.request("PATCH", target)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("engine", &self.engine).field("address", &self.address).finish_non_exhaustive()
    }
}

/// What sends requests: as they are, on a connection each, and every answer is an answer.
fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .max_idle_connections(0)
        .proxy(None)
        .timeout_global(Some(PATIENCE));
    config.build().new_agent()
}

/// Why an API cannot be served. Printed for debugging it reads as for people, so that `unwrap` shows every fault.
pub enum StartError {
    /// The definition is faulty, or the handlers do not fit it.
    Definition(Report),
    /// There is nowhere to listen, or no place for temporary files.
    Serve(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Definition(report) => write!(f, "the API has faults\n{report}"),
            Self::Serve(error) => write!(f, "the API cannot be served: {error}"),
        }
    }
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for StartError {}
