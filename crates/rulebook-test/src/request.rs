//! Requests whose target, header fields and body are set by the test, and calls of API methods, for which the
//! definition determines in which part of the request each argument is sent.

use std::io::Read;

use rulebook::Identity;
use rulebook::multipart::{MultipartForm, MultipartPiece};
use rulebook_model::call::HttpMethod;
use rulebook_model::envelope::Decoding;
use rulebook_model::model::{Location, Method, Module, Parameter, Segment, Service};
use rulebook_model::uri::percent_encode;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use ureq::http;
use ureq::http::response::Parts;

use crate::client::{TOKEN_FIELD, or_fail, quoted_list};
use crate::{Client, Misuse, TestResponse};

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
            request = request.header(TOKEN_FIELD, token);
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

fn read_response(response: http::Response<ureq::Body>) -> Result<(Parts, Vec<u8>), String> {
    let (head, body) = response.into_parts();
    let mut bytes = Vec::new();
    body.into_reader().read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok((head, bytes))
}

/// A builder for a call of an API method.
///
/// Each argument is sent in the part of the request that the definition specifies. The body is JSON, unless
/// [`MethodCall::urlencoded`] is called; if a file is added, the body is multipart. An argument that is the whole body
/// is always sent as JSON. Outside of a JSON body, strings are sent unchanged, null is omitted, and other values are
/// sent as JSON text.
#[must_use = "a call does nothing until it is sent"]
pub struct MethodCall<'c> {
    request: Request<'c>,
    base: &'c str,
    service: &'c Service,
    method: &'c Method,
    arguments: Vec<(&'c Parameter, Json)>,
    /// The parameter, the file name and the content of each file.
    files: Vec<(&'c Parameter, String, Vec<u8>)>,
    is_urlencoded: bool,
}

impl<'c> MethodCall<'c> {
    pub(super) fn new(client: &'c Client, module: &'c Module, service: &'c Service, method: &'c Method) -> Self {
        let mut request = Request::new(client, method.http.as_str(), "/");
        request.decodings = client.decodings_of_module(module);
        request.has_whole_output = method.whole().is_some();
        let base = client.engine.api().base.as_str();
        Self { request, base, service, method, arguments: Vec::new(), files: Vec::new(), is_urlencoded: false }
    }

    /// Sets the argument for the parameter with this name in code. An argument that was set before is replaced.
    ///
    /// # Panics
    /// Panics if the method has no parameter with this name.
    #[track_caller]
    pub fn arg(self, name: &str, value: impl Into<Json>) -> Self {
        or_fail(self.try_arg(name, value.into()))
    }

    /// Does the same as [`MethodCall::arg`], without a panic.
    ///
    /// # Errors
    /// Fails if the method has no parameter with this name.
    pub fn try_arg(mut self, name: &str, value: Json) -> Result<Self, Misuse> {
        let parameter = self.find_parameter(name)?;
        self.arguments.retain(|(set, _)| set.name != name);
        self.arguments.push((parameter, value));
        Ok(self)
    }

    /// Adds a file for the parameter with this name in code. For an array of files, call this function once for each
    /// file. A file that is the whole body is sent as bytes, with its name in `Content-Disposition`.
    ///
    /// # Panics
    /// Panics if the method has no parameter with this name, or the parameter is not a field of the body.
    #[track_caller]
    pub fn file(self, name: &str, filename: &str, content: impl Into<Vec<u8>>) -> Self {
        or_fail(self.try_file(name, filename, content.into()))
    }

    /// Does the same as [`MethodCall::file`], without a panic.
    ///
    /// # Errors
    /// Fails if the method has no parameter with this name, or the parameter is not a field of the body.
    pub fn try_file(mut self, name: &str, filename: &str, content: Vec<u8>) -> Result<Self, Misuse> {
        let parameter = self.find_parameter(name)?;
        if !self.is_body_location(parameter.from) && !parameter.is_raw_body() {
            let (method, source) = (&self.method.id, parameter.from.source());
            let message =
                format!("the parameter `{name}` of `{method}` cannot be a file, because it is in the {source}");
            return Err(Misuse(message));
        }
        self.files.push((parameter, filename.to_owned(), content));
        Ok(self)
    }

    /// Sends the fields of the body as `application/x-www-form-urlencoded`, as browsers do for a form without files.
    pub fn urlencoded(mut self) -> Self {
        self.is_urlencoded = true;
        self
    }

    /// Adds a header field to the request, in addition to the parameters that are header fields.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Authenticates the call as a caller with these permissions: `scope(["author", "user[7]"])`.
    pub fn scope<S: Into<Box<str>>>(mut self, scope: impl IntoIterator<Item = S>) -> Self {
        self.request = self.request.scope(scope);
        self
    }

    /// Authenticates the call as a caller with this name and these permissions.
    pub fn identity<S: Into<Box<str>>>(mut self, name: &str, scope: impl IntoIterator<Item = S>) -> Self {
        self.request = self.request.identity(name, scope);
        self
    }

    /// Authenticates the call as this caller, which can have more than a name and permissions, such as claims.
    pub fn caller(mut self, identity: Identity) -> Self {
        self.request = self.request.caller(identity);
        self
    }

    /// Sends the call and waits for the response, which may have any status.
    ///
    /// # Panics
    /// Panics if a parameter in the path has no argument, an argument is not valid in its part of the request, or no
    /// complete response arrives.
    #[track_caller]
    pub fn send(self) -> TestResponse {
        or_fail(self.try_send())
    }

    /// Does the same as [`MethodCall::send`], without a panic.
    ///
    /// # Errors
    /// Fails if a parameter in the path has no argument, an argument is not valid in its part of the request, or no
    /// complete response arrives.
    pub fn try_send(self) -> Result<TestResponse, Misuse> {
        let (target, cookie) = (self.request_target()?, self.cookie_field()?);
        let headers = self.argument_texts(|from| from == Location::Header);
        let fields = self.argument_texts(|from| self.is_body_location(from));
        let json = self.arguments.iter().filter(|(parameter, _)| self.is_body_location(parameter.from));
        let json: Map<_, _> = json.map(|(parameter, value)| (parameter.key.clone(), value.clone())).collect();
        let whole_body = self.arguments.iter().find(|(parameter, _)| parameter.is_whole_body());
        let whole_body = whole_body.map(|(_, value)| value.clone());
        let mut request = Request { target, ..self.request };
        for (parameter, value) in headers {
            request = request.header(&parameter.key, value);
        }
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        if self.files.iter().any(|(parameter, ..)| parameter.is_raw_body()) {
            for (_, filename, content) in self.files {
                let name: String = percent_encode(&filename).collect();
                let disposition = format!("attachment; filename*=UTF-8''{name}");
                request = request.header("content-disposition", disposition).body("application/octet-stream", content);
            }
        } else if !self.files.is_empty() {
            for (parameter, value) in fields {
                request = request.field(&parameter.key, value);
            }
            for (parameter, filename, content) in self.files {
                request = request.file(&parameter.key, &filename, content);
            }
        } else if let Some(value) = whole_body {
            request = request.json_body(&value)?;
        } else if self.is_urlencoded {
            request = request.form(fields.iter().map(|(parameter, value)| (&parameter.key, value)));
        } else if !json.is_empty() {
            request = request.json_body(&Json::Object(json))?;
        }
        request.try_send()
    }

    fn find_parameter(&self, name: &str) -> Result<&'c Parameter, Misuse> {
        let parameters = &self.method.parameters;
        parameters.iter().find(|parameter| parameter.name == name).ok_or_else(|| {
            let known: Vec<_> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
            let (method, known) = (&self.method.id, quoted_list(&known));
            Misuse(format!("`{method}` has no parameter with the name `{name}` in code; its parameters are: {known}"))
        })
    }

    /// Returns `true` if parameters with this location are fields of the body. A parameter that may be in the query or
    /// in the body is sent where the documents of the API show it.
    fn is_body_location(&self, location: Location) -> bool {
        match location {
            Location::Body => true,
            Location::Any => !matches!(self.method.http, HttpMethod::Get | HttpMethod::Delete),
            _ => false,
        }
    }

    fn argument_texts(&self, is_included: impl Fn(Location) -> bool) -> Vec<(&'c Parameter, String)> {
        let included = self.arguments.iter().filter(|(parameter, _)| is_included(parameter.from));
        included.filter_map(|(parameter, value)| Some((*parameter, argument_text(value)?))).collect()
    }

    fn request_target(&self) -> Result<String, Misuse> {
        let mut path = String::new();
        for segment in self.base.split('/').filter(|segment| !segment.is_empty()) {
            push_segment(&mut path, segment);
        }
        for segment in &self.service.path {
            match segment {
                Segment::Static(text) => push_segment(&mut path, text),
                Segment::Capture(name) => push_segment(&mut path, &self.path_argument(name)?),
            }
        }
        for segment in self.positional_segments() {
            push_segment(&mut path, &segment);
        }
        if path.is_empty() {
            path.push('/');
        }
        let query = self
            .argument_texts(|from| from == Location::Query || from == Location::Any && !self.is_body_location(from));
        if !query.is_empty() {
            let fields = query.iter().map(|(parameter, value)| (&parameter.key, value));
            path.push('?');
            path += &url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        }
        Ok(path)
    }

    fn path_argument(&self, key: &str) -> Result<String, Misuse> {
        let captures = self.argument_texts(|from| from == Location::Path);
        captures.into_iter().find(|(parameter, _)| parameter.key == key).map(|(_, value)| value).ok_or_else(|| {
            let mut parameters = self.method.parameters.iter();
            let parameter = parameters.find(|parameter| parameter.from == Location::Path && parameter.key == key);
            let name = parameter.map_or(key, |parameter| &parameter.name);
            Misuse(format!("`{}` requires the argument `{name}`, which is part of its path", self.method.id))
        })
    }

    /// Returns the path segments after the path of the service, which are the arguments of positional parameters. A
    /// positional parameter without an argument becomes an empty segment if a later one has an argument.
    fn positional_segments(&self) -> Vec<String> {
        let mut segments = Vec::new();
        for (parameter, value) in self.argument_texts(|from| matches!(from, Location::Position(_))) {
            if let Location::Position(position) = parameter.from {
                if segments.len() <= position {
                    segments.resize(position + 1, String::new());
                }
                segments[position] = value;
            }
        }
        segments
    }

    /// Returns the value of the header field `Cookie` (RFC 6265 section 4.2.1); `None` if no argument is a cookie. The
    /// values of cookies are quoted to preserve leading and trailing whitespace.
    fn cookie_field(&self) -> Result<Option<String>, Misuse> {
        let cookies = self.argument_texts(|from| from == Location::Cookie).into_iter().map(|(parameter, value)| {
            if value.contains(';') {
                let (method, name) = (&self.method.id, &parameter.name);
                let why = "is a cookie, whose value cannot contain `;`";
                return Err(Misuse(format!("the parameter `{name}` of `{method}` {why}")));
            }
            Ok(format!("{}=\"{value}\"", parameter.key))
        });
        let cookies = cookies.collect::<Result<Vec<_>, _>>()?;
        Ok((!cookies.is_empty()).then(|| cookies.join("; ")))
    }
}

fn push_segment(path: &mut String, segment: &str) {
    path.push('/');
    path.extend(percent_encode(segment));
}

/// Converts an argument to the text that is sent if it is not in a JSON body. Returns `None` for null, because such an
/// argument is omitted.
fn argument_text(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
