//! Requests whose target, header fields and body are set by the test.

use std::io::Read;

use serde::Serialize;
use serde_json::Value as Json;
use ureq::http;
use ureq::http::response::Parts;

use super::misuse::or_fail;
use super::{Client, Misuse, TestResponse, identities};
use rulebook::Identity;
use rulebook::multipart::{MultipartForm, MultipartPiece};
use rulebook_model::envelope::Decoding;

/// Minimum length in bytes of a body that is sent with `Expect: 100-continue` (RFC 9110 section 10.1.1). With this
/// field, the server can respond with an error before it receives the body.
const MIN_EXPECT_LEN: usize = 8 << 20;

/// A builder for an HTTP request.
#[must_use = "a request does nothing until it is sent"]
pub struct Request<'c> {
    client: &'c Client,
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    identity: Option<Identity>,
    /// The media type of the body, and its content.
    body: Option<(String, Vec<u8>)>,
    /// The multipart body, which replaces the other body.
    form: Option<MultipartForm<Vec<u8>>>,
    /// The decodings that the response may have: where it contains outputs and errors.
    decodings: Vec<Decoding>,
    /// `true` if the method returns a single value, its output `*`, instead of named outputs.
    has_whole_output: bool,
}

impl<'c> Request<'c> {
    pub(super) fn new(client: &'c Client, method: &str, target: &str) -> Self {
        let (method, target) = (method.to_owned(), target.to_owned());
        let decodings = client.all_decodings();
        Self {
            client,
            method,
            target,
            headers: Vec::new(),
            identity: None,
            body: None,
            form: None,
            decodings,
            has_whole_output: false,
        }
    }

    /// Sets the decodings that the response may have, in order of preference, and whether it contains the output `*`.
    pub(super) fn decodings(mut self, decodings: Vec<Decoding>, has_whole_output: bool) -> Self {
        (self.decodings, self.has_whole_output) = (decodings, has_whole_output);
        self
    }

    /// Sets the request target: the path and the query.
    pub(super) fn target(mut self, target: String) -> Self {
        self.target = target;
        self
    }

    /// Adds a header field.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Authenticates the request as a caller with these permissions: `scope(["author", "user[7]"])`.
    pub fn scope<S: Into<Box<str>>>(self, scope: impl IntoIterator<Item = S>) -> Self {
        self.identity("test", scope)
    }

    /// Authenticates the request as a caller with this name and these permissions.
    pub fn identity<S: Into<Box<str>>>(self, name: &str, scope: impl IntoIterator<Item = S>) -> Self {
        self.caller(Identity::new(name, scope))
    }

    /// Authenticates the request as this caller, which can have more than a name and permissions, such as claims.
    pub fn caller(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Sets a JSON body.
    ///
    /// # Panics
    /// Panics if the value cannot be serialized as JSON.
    #[track_caller]
    pub fn json(self, value: impl Serialize) -> Self {
        or_fail(serde_json::to_value(value).map_err(cannot_send).and_then(|value| self.json_body(&value)))
    }

    pub(super) fn json_body(self, value: &Json) -> Result<Self, Misuse> {
        Ok(self.body("application/json", serde_json::to_vec(value).map_err(cannot_send)?))
    }

    /// Sets a body of the type `application/x-www-form-urlencoded` with these fields. Names may be repeated.
    pub fn form<N: AsRef<str>, V: AsRef<str>>(self, fields: impl IntoIterator<Item = (N, V)>) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body("application/x-www-form-urlencoded", body)
    }

    /// Sets the body and its media type.
    pub fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        (self.body, self.form) = (Some((media_type.to_owned(), body.into())), None);
        self
    }

    /// Adds a text field to the multipart body.
    pub fn field(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.form.get_or_insert_default().field(name, content.into());
        self
    }

    /// Adds a file to the multipart body.
    pub fn file(mut self, name: &str, filename: &str, content: impl Into<Vec<u8>>) -> Self {
        self.form.get_or_insert_default().file(name, filename, None, content.into());
        self
    }

    /// Sends the request and waits for the response, which may have any status. Redirects are not followed.
    ///
    /// # Panics
    /// Panics if the request is not valid in HTTP, or no complete response arrives.
    #[track_caller]
    pub fn send(self) -> TestResponse {
        or_fail(self.try_send())
    }

    /// Does the same as [`Request::send`], without a panic.
    ///
    /// # Errors
    /// Fails if the request is not valid in HTTP, or no complete response arrives.
    pub fn try_send(self) -> Result<TestResponse, Misuse> {
        let Self { client, method, target, headers, identity, body, form, decodings, has_whole_output } = self;
        if !target.starts_with('/') {
            return Err(cannot_send(format_args!("the path {target:?} does not begin with `/`")));
        }
        let request_line = format!("{method} {target}");
        let mut request = http::Request::builder().method(&*method);
        request = request.uri(format!("http://{}{target}", client.address()));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let token = identity.map(|identity| client.identities.insert(identity));
        if let Some(token) = &token {
            request = request.header(identities::TOKEN_FIELD, token);
        }
        let body = form.map(encode_form).or(body);
        let sent = match body {
            None => request.body(()).map(|request| client.agent.run(request)),
            Some((media_type, body)) => {
                let mut request = request.header(http::header::CONTENT_TYPE, media_type);
                if body.len() >= MIN_EXPECT_LEN {
                    request = request.header(http::header::EXPECT, "100-continue");
                }
                request.body(body).map(|request| client.agent.run(request))
            }
        };
        if let Some(token) = token {
            client.identities.remove(&token);
        }
        let response = sent.map_err(cannot_send)?.map_err(|error| error.to_string());
        let (head, body) =
            response.and_then(read_response).map_err(|why| Misuse(format!("{request_line}: no response: {why}")))?;
        Ok(TestResponse::new(&head, body, decodings, has_whole_output))
    }
}

fn cannot_send(why: impl std::fmt::Display) -> Misuse {
    Misuse(format!("the request cannot be sent: {why}"))
}

/// Returns the media type and the bytes of a multipart body.
fn encode_form(form: MultipartForm<Vec<u8>>) -> (String, Vec<u8>) {
    let media_type = form.media_type();
    let body = form.finish().into_iter().flat_map(|piece| match piece {
        MultipartPiece::Bytes(bytes) => bytes.into(),
        MultipartPiece::File(content) => content,
    });
    (media_type, body.collect())
}

/// Reads the complete body.
fn read_response(response: http::Response<ureq::Body>) -> Result<(Parts, Vec<u8>), String> {
    let (head, body) = response.into_parts();
    let mut bytes = Vec::new();
    body.into_reader().read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok((head, bytes))
}
