//! Calls from code, as they are put together.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{Argument, Call, Caller, Response};
use crate::call::{Identity, Upload};

/// A call that is being put together. Permission, checks, hooks and handler are those of a request; it ends before an
/// answer is written, unless [`Response::serialize`] asks for one.
///
/// A target is one of:
/// - the method's id: `article.line.get`;
/// - an HTTP method and a path below base, with its query: `GET /article/line/1?lang=en`;
/// - the path alone, with or without its first slash, where one method takes it, or GET and POST do the same as in the
///   dialect `rules`: `article/line/1`. Where several do, the call is refused as one of a method that is not there, and
///   the refusal names those that are;
/// - nothing, where the text arguments `module` and `method` hold the two segments of the path.
///
/// ```
/// # use rulebook::{Code, Rulebook, Unbound};
/// # use serde_json::json;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let text = r#"{ "/": { "article/delete": { "DELETE": { "info": "Removes one", "scope": [["admin"]],
/// #     "in": { "article_id": { "info": "Which", "type": "id" } } } } } }"#;
/// # let engine = Rulebook::read(vec![("article.json".into(), text.into())]).unbound(Unbound::Echo).build()?;
/// let response = engine.call("article/delete").arg("article_id", 52).scope(["admin"]).send().await;
/// assert!(response.error().is_none());
///
/// let response = engine.call("article/delete").arg("article_id", 52).send().await;
/// assert_eq!(response.error().map(|refusal| refusal.code()), Some(Code::Unauthenticated));
/// # Ok(()) })
/// # }
/// ```
#[must_use = "a call does nothing until it is sent"]
pub struct Calling {
    pub(super) call: Call,
    pub(super) caller: Arc<dyn Caller>,
}

impl Calling {
    /// A call by nobody.
    pub(crate) fn new(target: impl Into<String>, caller: Arc<dyn Caller>) -> Self {
        let target = target.into();
        Self { call: Call { target, arguments: Vec::new(), identity: None, request_id: None, depth: 0 }, caller }
    }

    /// Adds an argument by its name in code.
    pub fn arg(mut self, name: impl Into<String>, value: impl Into<Json>) -> Self {
        self.call.arguments.push((name.into(), Argument::Json(value.into())));
        self
    }

    /// Adds arguments by their names in code: the members of a JSON object, or pairs.
    pub fn args<N: Into<String>, V: Into<Json>>(mut self, arguments: impl IntoIterator<Item = (N, V)>) -> Self {
        let arguments = arguments.into_iter().map(|(name, value)| (name.into(), Argument::Json(value.into())));
        self.call.arguments.extend(arguments);
        self
    }

    /// Adds an argument as a client's text, to be read by the parameter's type.
    pub fn text(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.call.arguments.push((name.into(), Argument::Text(value.into())));
        self
    }

    /// Hands on a file that the caller was called with; several of one name where the parameter takes several.
    pub fn file(mut self, name: impl Into<String>, file: Upload) -> Self {
        self.call.arguments.push((name.into(), Argument::File(file)));
        self
    }

    /// Calls as somebody else.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.call.identity = Some(identity);
        self
    }

    /// Calls with these permissions instead, under the same name.
    pub fn scope<S: Into<Box<str>>>(self, scope: impl IntoIterator<Item = S>) -> Self {
        let identity = match &self.call.identity {
            Some(identity) => Identity::new(&identity.name, scope),
            None => Identity::new("caller", scope),
        };
        self.identity(identity)
    }

    /// Runs it.
    pub async fn send(self) -> Response {
        self.caller.call(self.call).await
    }
}
