//! The test client [`Client`], which serves the API under test and sends requests to it, and the identities of its
//! callers.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use rulebook::{
    AuthScheme, Authenticate, Authentication, Engine, Head, Identity, RequestId, Rulebook, RunningServer, Settings,
};
use rulebook_model::diagnostic::{Report, closest_word};
use rulebook_model::envelope::Decoding;
use rulebook_model::model::Module;
use tempfile::TempDir;
use thiserror::Error;
use ureq::Agent;

use crate::{MethodCall, Request};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A client that serves an API on a free local port and calls it over HTTP. Dropping the client stops the server.
///
/// The functions of the client block, so that ordinary tests can call them. The server runs in another thread.
///
/// ```
/// use rulebook::{ApiError, Args, Context, Module, Rulebook};
/// use rulebook_test::Client;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize)]
/// struct Title {
///     id: u32,
///     title: String,
/// }
///
/// #[derive(Serialize)]
/// struct Renamed {
///     message: String,
/// }
///
/// async fn rename(Args(new): Args<Title>, _: Context) -> Result<Renamed, ApiError> {
///     Ok(Renamed { message: format!("renamed {} to {}", new.id, new.title) })
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let definition = r#"{ "/": { "article/{id}": { "PUT": {
///     "info": "Renames an article",
///     "scope": [["author"]],
///     "in":  { "{id}": { "info": "The id of the article", "type": "id" },
///              "title": { "info": "The new title", "type": "string(1,80)" } },
///     "out": { "message": { "info": "What has been done", "type": "string" } }
/// } } } }"#;
/// let rulebook = Rulebook::read(vec![("article.json".into(), definition.into())]);
/// let client = Client::new(rulebook.module(Module::new("article").put("/article/{id}", rename)))?;
///
/// // The definition says in which part of the request each argument is sent.
/// let call = || client.call("article.{id}.put").arg("id", 7).arg("title", "Rules");
/// let response = call().scope(["author"]).send();
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.output("message"), "renamed 7 to Rules");
///
/// assert_eq!(call().scope(["reader"]).send().code(), Some("forbidden"));
/// assert_eq!(call().send().code(), Some("unauthenticated"));
///
/// // A test can also send a request with its own target, header fields and body.
/// let response = client.put("/article/7").scope(["author"]).form([("title", "")]).send();
/// assert_eq!(response.code(), Some("invalid-parameter"));
/// assert_eq!(response.invalid_parameters(), ["title"]);
/// # Ok(())
/// # }
/// ```
pub struct Client {
    pub(super) engine: Engine,
    pub(super) agent: Agent,
    pub(super) identities: Identities,
    address: SocketAddr,
    _running: RunningServer,
    _upload_folder: TempDir,
    _data_folder: TempDir,
}

impl Client {
    /// Starts a server for the API of a program.
    ///
    /// The data folder and the folder of stored files are new folders, which are removed with the client, unless the
    /// program has called [`Rulebook::data_folder`] or [`Rulebook::files_folder`]; settings in `app.json` have no
    /// effect on them.
    ///
    /// The server does not load API keys from the file `keys.json`; it uses only the authenticators that the program
    /// adds with [`Rulebook::authenticator`]. The outputs of handlers are checked against the definition, also in
    /// release builds ([`Rulebook::verify_outputs`]).
    ///
    /// # Errors
    /// Fails if the definition has errors, the handlers do not match it, or the server cannot start.
    pub fn new(rulebook: Rulebook) -> Result<Self, StartError> {
        let identities = Identities::default();
        let data_folder = tempfile::tempdir().map_err(StartError::Serve)?;
        let rulebook = rulebook.data_folder(data_folder.path()).files_folder(data_folder.path().join("files"));
        let validated = rulebook.verify_outputs(true).validate().map_err(StartError::Definition)?;
        let engine = validated.first_authenticator(identities.clone()).build().map_err(StartError::Definition)?;
        let upload_folder = tempfile::tempdir().map_err(StartError::Serve)?;
        let settings =
            Settings::new().with_bind(["127.0.0.1:0"]).with_workers(1).with_upload_folder(upload_folder.path());
        let running = engine.serve(&settings).map_err(StartError::Serve)?;
        let address = running.addresses().first().copied();
        let address = address.ok_or_else(|| StartError::Serve(io::ErrorKind::AddrNotAvailable.into()))?;
        Ok(Self {
            engine,
            agent: new_http_client(),
            identities,
            address,
            _running: running,
            _upload_folder: upload_folder,
            _data_folder: data_folder,
        })
    }

    /// Returns the IP address and the port of the server.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Creates a builder for a call of the API method with this id.
    ///
    /// # Panics
    /// Panics if the API has no method with this id.
    #[track_caller]
    pub fn call(&self, id: &str) -> MethodCall<'_> {
        or_fail(self.try_call(id))
    }

    /// Does the same as [`Client::call`], without a panic.
    ///
    /// # Errors
    /// Fails if the API has no method with this id.
    pub fn try_call(&self, id: &str) -> Result<MethodCall<'_>, Misuse> {
        let methods = || self.engine.api().methods();
        match methods().find(|(_, _, method)| method.id == id) {
            Some((module, service, method)) => Ok(MethodCall::new(self, module, service, method)),
            None => {
                let ids: Vec<_> = methods().map(|(_, _, method)| method.id.as_str()).collect();
                let help = match closest_word(id, ids.iter().copied()) {
                    Some(suggestion) => format!("did you mean `{suggestion}`?"),
                    None => format!("its methods are: {}", quoted_list(&ids)),
                };
                Err(Misuse(format!("the API has no method `{id}`; {help}")))
            }
        }
    }

    /// Returns the decodings for responses of methods in an API module. A decoding describes where an envelope (a
    /// format of responses) contains outputs and errors. The first decoding is for the module's envelope; the second is
    /// for the API's envelope, which the server uses for errors that occur before it knows the module.
    pub(super) fn decodings_of_module(&self, module: &Module) -> Vec<Decoding> {
        let api = self.engine.api();
        [api.envelope_name(module), &api.envelope].map(|name| api.make_envelope(name).decoding()).into()
    }

    /// Returns a decoding for each envelope of the API. Decodings that describe the members of a success come first,
    /// because decodings without this description match any body.
    pub(super) fn all_decodings(&self) -> Vec<Decoding> {
        let api = self.engine.api();
        let of_modules = api.modules.iter().map(|module| api.envelope_name(module));
        let names = of_modules.chain([&api.envelope]);
        let mut decodings: Vec<_> = names.map(|name| api.make_envelope(name).decoding()).collect();
        decodings.sort_by_key(|decoding| decoding.success.is_empty());
        decodings.dedup();
        decodings
    }

    /// Creates a request with an HTTP method, such as `"OPTIONS"`, and a request target: path and query,
    /// percent-encoded. The path includes the base path of the API.
    pub fn request(&self, method: &str, target: &str) -> Request<'_> {
        Request::new(self, method, target)
    }

    /// Creates a GET request.
    pub fn get(&self, target: &str) -> Request<'_> {
        self.request("GET", target)
    }

    /// Creates a POST request.
    pub fn post(&self, target: &str) -> Request<'_> {
        self.request("POST", target)
    }

    /// Creates a PUT request.
    pub fn put(&self, target: &str) -> Request<'_> {
        self.request("PUT", target)
    }

    /// Creates a DELETE request.
    pub fn delete(&self, target: &str) -> Request<'_> {
        self.request("DELETE", target)
    }

    /// Creates a PATCH request.
    pub fn patch(&self, target: &str) -> Request<'_> {
        self.request("PATCH", target)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("engine", &self.engine).field("address", &self.address).finish_non_exhaustive()
    }
}

/// Creates the HTTP client. It opens a connection for each request, follows no redirects, and returns responses of any
/// status.
fn new_http_client() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .max_idle_connections(0)
        .proxy(None)
        .timeout_global(Some(REQUEST_TIMEOUT));
    config.build().new_agent()
}

pub(super) fn quoted_list(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

/// The reason why an API cannot be served. The debug output is the same as the message, so that a panic of `unwrap`
/// shows all errors of the definition.
#[derive(Error)]
#[non_exhaustive]
pub enum StartError {
    /// The definition has errors, or the handlers do not match it.
    #[error("the API has errors\n{0}")]
    Definition(Report),
    /// No port is available, or the folder for temporary files cannot be created.
    #[error("the API cannot be served: {0}")]
    Serve(io::Error),
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The header field that contains the token of the caller's identity.
pub(super) const TOKEN_FIELD: &str = "x-rulebook-test";

/// The identities of the requests in progress. The map keys are random tokens, which only this process knows, so that
/// no other program can use them.
#[derive(Clone, Default)]
pub(super) struct Identities(Arc<Mutex<HashMap<String, Identity>>>);

impl Identities {
    /// Stores an identity and returns a new token for it. The token is valid until [`Identities::remove`] is called.
    pub(super) fn insert(&self, identity: Identity) -> String {
        let token = RequestId::random().to_string() + &RequestId::random().to_string();
        self.lock().insert(token.clone(), identity);
        token
    }

    pub(super) fn remove(&self, token: &str) {
        self.lock().remove(token);
    }

    /// Locks the map. A panic in another thread cannot leave the map inconsistent, so that a poisoned lock can be used.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Identity>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Authenticate for Identities {
    async fn authenticate(&self, head: &Head) -> Authentication {
        let token = head.header(TOKEN_FIELD);
        let identity = token.and_then(|token| self.lock().get(token).cloned());
        identity.map_or(Authentication::Anonymous, Authentication::Identity)
    }

    /// Returns no authentication scheme, so that `WWW-Authenticate` contains only the schemes of the program.
    fn schemes(&self) -> Vec<AuthScheme> {
        Vec::new()
    }
}

/// Why a test cannot be carried out as it is written: for example, the API has no method with this id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misuse(pub(super) String);

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misuse {}

/// Returns the value, or fails the test. The panic has the line of the test, because the caller and its callers have
/// the attribute `track_caller`, which closures do not pass on.
#[track_caller]
pub(super) fn or_fail<T>(result: Result<T, Misuse>) -> T {
    match result {
        Ok(value) => value,
        Err(misuse) => panic!("{misuse}"),
    }
}
