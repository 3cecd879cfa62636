//! The builder of calls from code.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{Call, CallArgument, Caller, Response};
use crate::call::{Identity, Upload};

/// A builder for a call from code. The call runs like a request, with permission, checks, hooks and handler, but without
/// encoding a response; [`Response::serialize`] encodes one.
///
/// The target is one of:
/// - the id of the method: `article.line.get`;
/// - an HTTP method and a path below the base path, with its query: `GET /article/line/1?lang=en`;
/// - the path alone, with or without its first slash: `article/line/1`. The service must have a single method for it, or
///   GET and POST that are one method of the `rules` dialect. Otherwise the call fails with an error that lists the
///   methods of the service;
/// - an empty text, if the arguments `module` and `method` are the two segments of the path.
///
/// ```
/// # use rulebook::error::ErrorCode;
/// # use rulebook::{Rulebook, Unbound};
/// # use serde_json::json;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let text = r#"{ "/": { "article/delete": { "DELETE": { "info": "Removes an article", "scope": [["admin"]],
/// #     "in": { "article_id": { "info": "The article", "type": "id" } } } } } }"#;
/// # let engine = Rulebook::read(vec![("article.json".into(), text.into())]).unbound(Unbound::Echo).build()?;
/// let response = engine.call("article/delete").arg("article_id", 52).scope(["admin"]).send().await;
/// assert!(response.error().is_none());
///
/// let response = engine.call("article/delete").arg("article_id", 52).send().await;
/// assert_eq!(response.error().map(|error| error.code()), Some(ErrorCode::Unauthenticated));
/// # Ok(()) })
/// # }
/// ```
#[must_use = "a call does nothing until it is sent"]
pub struct CallBuilder {
    pub(super) call: Call,
    pub(super) caller: Arc<dyn Caller>,
}

impl CallBuilder {
    /// Creates a builder for an anonymous call.
    pub(crate) fn new(target: impl Into<String>, caller: Arc<dyn Caller>) -> Self {
        let target = target.into();
        Self { call: Call { target, arguments: Vec::new(), identity: None, request_id: None, depth: 0 }, caller }
    }

    /// Adds an argument, by the name of the parameter in code.
    pub fn arg(mut self, name: impl Into<String>, value: impl Into<Json>) -> Self {
        self.call.arguments.push((name.into(), CallArgument::Json(value.into())));
        self
    }

    /// Adds arguments, by the names of the parameters in code: the members of a JSON object, or pairs.
    pub fn args<N: Into<String>, V: Into<Json>>(mut self, arguments: impl IntoIterator<Item = (N, V)>) -> Self {
        let arguments = arguments.into_iter().map(|(name, value)| (name.into(), CallArgument::Json(value.into())));
        self.call.arguments.extend(arguments);
        self
    }

    /// Adds an argument as text that a client sent. The type of the parameter decodes it.
    pub fn text(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.call.arguments.push((name.into(), CallArgument::Text(value.into())));
        self
    }

    /// Adds a file that was uploaded to the caller. A parameter that accepts several files gets all files that are
    /// added under its name.
    pub fn file(mut self, name: impl Into<String>, file: Upload) -> Self {
        self.call.arguments.push((name.into(), CallArgument::File(file)));
        self
    }

    /// Sets the identity of the caller.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.call.identity = Some(identity);
        self
    }

    /// Sets the permissions of the caller, without changing its name and its [data](Identity::data).
    pub fn scope<S: Into<Box<str>>>(self, scope: impl IntoIterator<Item = S>) -> Self {
        let identity = match &self.call.identity {
            Some(identity) => identity.with_permissions(scope),
            None => Identity::new("caller", scope),
        };
        self.identity(identity)
    }

    /// Runs the call.
    pub async fn send(self) -> Response {
        self.caller.call(self.call).await
    }
}
