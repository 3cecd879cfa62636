//! Any request, as it is sent.

use std::fmt::Display;
use std::io::Read;

use serde::Serialize;
use ureq::http;

use super::misuse::Misuse;
use super::multipart::{self, Part};
use super::{Answer, Client, identities};
use crate::call::Identity;

/// From how many bytes on a body is only sent when the API has agreed to it (RFC 9110 section 10.1.1): a refusal
/// need not find its way past a body that nobody reads. Less than this passes faster than anybody can be asked.
const LARGE: usize = 8 << 20;

/// A request that is being put together.
#[must_use = "a request does nothing until it is sent"]
pub struct Request<'c> {
    client: &'c Client,
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    identity: Option<Identity>,
    body: Body,
}

/// The body of a request.
enum Body {
    Nothing,
    Bytes(String, Vec<u8>),
    Parts(Vec<Part>),
}

impl<'c> Request<'c> {
    pub(super) fn new(client: &'c Client, method: &str, target: &str) -> Self {
        let (method, target) = (method.to_owned(), target.to_owned());
        Self { client, method, target, headers: Vec::new(), identity: None, body: Body::Nothing }
    }

    /// Sets the path and query.
    pub(super) fn target(mut self, target: String) -> Self {
        self.target = target;
        self
    }

    /// Adds a header field; its value is text or bytes.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Calls as somebody with these permissions: `scope(["author", "user[7]"])`.
    pub fn scope<S: Into<Box<str>>>(self, scope: impl IntoIterator<Item = S>) -> Self {
        self.identity("test", scope)
    }

    /// Calls as somebody of this name with these permissions.
    pub fn identity<S: Into<Box<str>>>(mut self, name: &str, scope: impl IntoIterator<Item = S>) -> Self {
        self.identity = Some(Identity::new(name, scope));
        self
    }

    /// Sends a JSON body.
    ///
    /// # Panics
    /// The value cannot be written as JSON.
    #[track_caller]
    pub fn json(self, value: impl Serialize) -> Self {
        match serde_json::to_vec(&value) {
            Ok(text) => self.body("application/json", text),
            Err(error) => unsendable(error).fail(),
        }
    }

    /// Sends an urlencoded body of these fields; a name may stand more than once.
    pub fn form<N: AsRef<str>, V: AsRef<str>>(self, fields: impl IntoIterator<Item = (N, V)>) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body("application/x-www-form-urlencoded", body)
    }

    /// Sends any other body.
    pub fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Body::Bytes(media_type.to_owned(), body.into());
        self
    }

    /// Sends a multipart body with this field.
    pub fn field(self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.part(Part { name: name.to_owned(), filename: None, content: content.into() })
    }

    /// Sends a multipart body with this file.
    pub fn file(self, name: &str, filename: &str, content: impl Into<Vec<u8>>) -> Self {
        self.part(Part { name: name.to_owned(), filename: Some(filename.to_owned()), content: content.into() })
    }

    pub(super) fn part(mut self, part: Part) -> Self {
        match &mut self.body {
            Body::Parts(parts) => parts.push(part),
            _ => self.body = Body::Parts(vec![part]),
        }
        self
    }

    /// Sends it and waits for the answer, of whatever status; redirects are answers.
    ///
    /// # Panics
    /// It is no request of HTTP, or no whole answer comes.
    #[track_caller]
    pub fn send(self) -> Answer {
        let Self { client, method, target, headers, identity, body } = self;
        if !target.starts_with('/') {
            unsendable(format!("the path {target:?} does not begin with `/`")).fail();
        }
        let name = format!("{method} {target}");
        let mut request = http::Request::builder().method(&*method);
        request = request.uri(format!("http://{}{target}", client.address()));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let token = identity.map(|identity| client.identities.put(identity));
        if let Some(token) = &token {
            request = request.header(identities::FIELD, token);
        }
        let body = match body {
            Body::Nothing => None,
            Body::Bytes(media_type, body) => Some((media_type, body)),
            Body::Parts(parts) => Some(multipart::write(&parts)),
        };
        let answered = match body {
            None => request.body(()).map(|request| client.agent.run(request)),
            Some((media_type, body)) => {
                let mut request = request.header(http::header::CONTENT_TYPE, media_type);
                if body.len() >= LARGE {
                    request = request.header(http::header::EXPECT, "100-continue");
                }
                request.body(body).map(|request| client.agent.run(request))
            }
        };
        if let Some(token) = token {
            client.identities.take(&token);
        }
        match answered.map(|answered| answered.map_err(|error| error.to_string()).and_then(read)) {
            Ok(Ok(answer)) => answer,
            Ok(Err(why)) => Misuse::NoAnswer { request: name, why }.fail(),
            Err(error) => unsendable(error).fail(),
        }
    }
}

/// Reads the whole answer.
fn read(response: http::Response<ureq::Body>) -> Result<Answer, String> {
    let (head, body) = response.into_parts();
    let mut bytes = Vec::new();
    body.into_reader().read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(Answer::new(&head, bytes))
}

fn unsendable(why: impl Display) -> Misuse<'static> {
    Misuse::Unsendable { why: why.to_string() }
}
