//! Calls of API methods. The definition determines in which part of the request each argument is sent.

use serde_json::{Map, Value as Json};

use super::client::quoted_list;
use super::{Client, Request, TestResponse, fail};
use rulebook_model::call::HttpMethod;
use rulebook_model::model::{Location, Method, Module, Parameter, Segment, Service};
use rulebook_model::uri::percent_encode;

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
        let request = Request::new(client, method.http.as_str(), "/").decodings(client.decodings_of_module(module));
        let base = client.engine.api().base.as_str();
        Self { request, base, service, method, arguments: Vec::new(), files: Vec::new(), is_urlencoded: false }
    }

    /// Sets the argument for the parameter with this name in code. An argument that was set before is replaced.
    ///
    /// # Panics
    /// Panics if the method has no parameter with this name.
    #[track_caller]
    pub fn arg(mut self, name: &str, value: impl Into<Json>) -> Self {
        let parameter = self.find_parameter(name);
        self.arguments.retain(|(set, _)| set.name != name);
        self.arguments.push((parameter, value.into()));
        self
    }

    /// Adds a file for the parameter with this name in code. For an array of files, call this function once for each
    /// file.
    ///
    /// # Panics
    /// Panics if the method has no parameter with this name, or the parameter is not a field of the body.
    #[track_caller]
    pub fn file(mut self, name: &str, filename: &str, content: impl Into<Vec<u8>>) -> Self {
        let parameter = self.find_parameter(name);
        if !self.is_in_body(parameter) {
            let (method, source) = (&self.method.id, parameter.from.source());
            fail(format_args!("the parameter `{name}` of `{method}` cannot be a file, because it is in the {source}"));
        }
        self.files.push((parameter, filename.to_owned(), content.into()));
        self
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

    /// Sends the call and waits for the response, which may have any status.
    ///
    /// # Panics
    /// Panics if a parameter in the path has no argument, an argument is not valid in its part of the request, or no
    /// complete response arrives.
    #[track_caller]
    pub fn send(self) -> TestResponse {
        let (target, cookie) = (self.request_target(), self.cookie_field());
        let headers = self.argument_texts(|from| from == Location::Header);
        let fields = self.argument_texts(|from| self.is_body_location(from));
        let json = self.arguments.iter().filter(|(parameter, _)| self.is_in_body(parameter));
        let json: Map<_, _> = json.map(|(parameter, value)| (parameter.key.clone(), value.clone())).collect();
        let whole_body = self.arguments.iter().find(|(parameter, _)| parameter.is_whole_body());
        let whole_body = whole_body.map(|(_, value)| value.clone());
        let mut request = self.request.target(target);
        for (parameter, value) in headers {
            request = request.header(&parameter.key, value);
        }
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        if !self.files.is_empty() {
            for (parameter, value) in fields {
                request = request.field(&parameter.key, value);
            }
            for (parameter, filename, content) in self.files {
                request = request.file(&parameter.key, &filename, content);
            }
        } else if let Some(value) = whole_body {
            request = request.json(value);
        } else if self.is_urlencoded {
            request = request.form(fields.iter().map(|(parameter, value)| (&parameter.key, value)));
        } else if !json.is_empty() {
            request = request.json(json);
        }
        request.send()
    }

    /// Returns the parameter with this name in code.
    #[track_caller]
    fn find_parameter(&self, name: &str) -> &'c Parameter {
        let parameters = &self.method.parameters;
        parameters.iter().find(|parameter| parameter.name == name).unwrap_or_else(|| {
            let known: Vec<_> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
            let (method, known) = (&self.method.id, quoted_list(&known));
            fail(format_args!(
                "`{method}` has no parameter with the name `{name}` in code; its parameters are: {known}"
            ))
        })
    }

    fn is_in_body(&self, parameter: &Parameter) -> bool {
        self.is_body_location(parameter.from)
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

    /// Returns the arguments of the parameters whose location is included, as text.
    fn argument_texts(&self, is_included: impl Fn(Location) -> bool) -> Vec<(&'c Parameter, String)> {
        let included = self.arguments.iter().filter(|(parameter, _)| is_included(parameter.from));
        included.filter_map(|(parameter, value)| Some((*parameter, argument_text(value)?))).collect()
    }

    /// Returns the request target: the path and the query.
    #[track_caller]
    fn request_target(&self) -> String {
        let mut path = String::new();
        for segment in self.base.split('/').filter(|segment| !segment.is_empty()) {
            push_segment(&mut path, segment);
        }
        for segment in &self.service.path {
            match segment {
                Segment::Static(text) => push_segment(&mut path, text),
                Segment::Capture(name) => push_segment(&mut path, &self.path_argument(name)),
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
        path
    }

    #[track_caller]
    fn path_argument(&self, key: &str) -> String {
        let captures = self.argument_texts(|from| from == Location::Path);
        match captures.into_iter().find(|(parameter, _)| parameter.key == key) {
            Some((_, value)) => value,
            None => {
                let mut parameters = self.method.parameters.iter();
                let parameter = parameters.find(|parameter| parameter.from == Location::Path && parameter.key == key);
                let name = parameter.map_or(key, |parameter| &parameter.name);
                fail(format_args!("`{}` requires the argument `{name}`, which is part of its path", self.method.id))
            }
        }
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
    #[track_caller]
    fn cookie_field(&self) -> Option<String> {
        let cookies = self.argument_texts(|from| from == Location::Cookie).into_iter().map(|(parameter, value)| {
            if value.contains(';') {
                let (method, name) = (&self.method.id, &parameter.name);
                fail(format_args!("the parameter `{name}` of `{method}` is a cookie, whose value cannot contain `;`"));
            }
            format!("{}=\"{value}\"", parameter.key)
        });
        let cookies: Vec<_> = cookies.collect();
        (!cookies.is_empty()).then(|| cookies.join("; "))
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
