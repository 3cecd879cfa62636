//! A call of a method: the definition says where in a request its arguments stand.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value as Json};

use super::misuse::Misuse;
use super::multipart::Part;
use super::{Answer, Client, Request};
use crate::call::Http;
use crate::model::{From, Method, Parameter, Segment, Service};

/// What is encoded in a segment: all but the unreserved characters (RFC 3986 section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A call that is being put together.
///
/// Arguments go where their parameters stand. A body is JSON; urlencoded after [`Calling::urlencoded`], multipart
/// where a file is given. Outside of JSON, text goes as it is, other values as JSON writes them, and null is left
/// out.
#[must_use = "a call does nothing until it is sent"]
pub struct Calling<'c> {
    request: Request<'c>,
    base: &'c str,
    service: &'c Service,
    method: &'c Method,
    arguments: Vec<(&'c Parameter, Json)>,
    files: Vec<(&'c Parameter, Part)>,
    urlencoded: bool,
}

impl<'c> Calling<'c> {
    pub(super) fn new(client: &'c Client, service: &'c Service, method: &'c Method) -> Self {
        let request = Request::new(client, method.http.as_str(), "/");
        let base = client.engine.api().base.as_str();
        Self { request, base, service, method, arguments: Vec::new(), files: Vec::new(), urlencoded: false }
    }

    /// Gives an argument by its name in code, instead of one given before.
    ///
    /// # Panics
    /// The method has no such parameter.
    #[track_caller]
    pub fn arg(mut self, name: &str, value: impl Into<Json>) -> Self {
        let parameter = self.parameter(name);
        self.arguments.retain(|(own, _)| own.name != name);
        self.arguments.push((parameter, value.into()));
        self
    }

    /// Gives a file by the name in code of its parameter; a list of files is given one by one.
    ///
    /// # Panics
    /// The method has no such parameter, or has it elsewhere than in a body.
    #[track_caller]
    pub fn file(mut self, name: &str, filename: &str, content: impl Into<Vec<u8>>) -> Self {
        let parameter = self.parameter(name);
        if !self.is_in_body(parameter) {
            let (method, source) = (&self.method.id, parameter.from.source());
            Misuse::FileOutsideBody { method, name, source }.fail();
        }
        let (key, filename) = (parameter.key.clone(), Some(filename.to_owned()));
        self.files.push((parameter, Part { name: key, filename, content: content.into() }));
        self
    }

    /// Sends the body as browsers send a form without files, not as JSON.
    pub fn urlencoded(mut self) -> Self {
        self.urlencoded = true;
        self
    }

    /// Adds a header field that is no parameter; its value is text or bytes.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Calls as somebody with these permissions: `scope(["author", "user[7]"])`.
    pub fn scope<S: Into<Box<str>>>(mut self, scope: impl IntoIterator<Item = S>) -> Self {
        self.request = self.request.scope(scope);
        self
    }

    /// Calls as somebody of this name with these permissions.
    pub fn identity<S: Into<Box<str>>>(mut self, name: &str, scope: impl IntoIterator<Item = S>) -> Self {
        self.request = self.request.identity(name, scope);
        self
    }

    /// Sends it and waits for the answer, of whatever status.
    ///
    /// # Panics
    /// A part of the path is not given, an argument cannot stand where its parameter is, or no whole answer comes.
    #[track_caller]
    pub fn send(self) -> Answer {
        let (target, cookie) = (self.target(), self.cookie());
        let headers = self.texts(|from| from == From::Header);
        let fields = self.texts(|from| self.is_body(from));
        let json = self.arguments.iter().filter(|(own, _)| self.is_in_body(own));
        let json: Map<_, _> = json.map(|(own, value)| (own.key.clone(), value.clone())).collect();
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
            for (_, part) in self.files {
                request = request.part(part);
            }
        } else if self.urlencoded {
            request = request.form(fields.iter().map(|(parameter, value)| (&parameter.key, value)));
        } else if !json.is_empty() {
            request = request.json(json);
        }
        request.send()
    }

    /// The parameter of this name in code.
    #[track_caller]
    fn parameter(&self, name: &str) -> &'c Parameter {
        let parameters = &self.method.parameters;
        parameters.iter().find(|own| own.name == name).unwrap_or_else(|| {
            let known = parameters.iter().map(|own| own.name.as_str()).collect();
            Misuse::UnknownParameter { method: &self.method.id, name, known }.fail()
        })
    }

    fn is_in_body(&self, parameter: &Parameter) -> bool {
        self.is_body(parameter.from)
    }

    /// Whether what stands there is sent in the body. What may stand in query or body goes where documents have it.
    fn is_body(&self, from: From) -> bool {
        match from {
            From::Body => true,
            From::Any => !matches!(self.method.http, Http::Get | Http::Delete),
            _ => false,
        }
    }

    /// The arguments that stand in some place, as text.
    fn texts(&self, stands: impl Fn(From) -> bool) -> Vec<(&'c Parameter, String)> {
        let there = self.arguments.iter().filter(|(own, _)| stands(own.from));
        there.filter_map(|(own, value)| Some((*own, text(value)?))).collect()
    }

    /// Path and query.
    #[track_caller]
    fn target(&self) -> String {
        let mut path = String::new();
        for segment in self.base.split('/').filter(|segment| !segment.is_empty()) {
            push(&mut path, segment);
        }
        for segment in &self.service.path {
            match segment {
                Segment::Static(text) => push(&mut path, text),
                Segment::Capture(name) => push(&mut path, &self.capture(name)),
            }
        }
        for segment in self.positions() {
            push(&mut path, &segment);
        }
        if path.is_empty() {
            path.push('/');
        }
        let query = self.texts(|from| from == From::Query || from == From::Any && !self.is_body(from));
        if !query.is_empty() {
            let fields = query.iter().map(|(parameter, value)| (&parameter.key, value));
            path.push('?');
            path += &url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        }
        path
    }

    #[track_caller]
    fn capture(&self, key: &str) -> String {
        let captures = self.texts(|from| from == From::Path);
        match captures.into_iter().find(|(own, _)| own.key == key) {
            Some((_, value)) => value,
            None => {
                let own = self.method.parameters.iter().find(|own| own.from == From::Path && own.key == key);
                let name = own.map_or(key, |own| &own.name);
                Misuse::MissingCapture { method: &self.method.id, name }.fail()
            }
        }
    }

    /// The segments behind the service's own path; inner ones that are not given are empty.
    fn positions(&self) -> Vec<String> {
        let mut segments = Vec::new();
        for (parameter, value) in self.texts(|from| matches!(from, From::Position(_))) {
            if let From::Position(position) = parameter.from {
                if segments.len() <= position {
                    segments.resize(position + 1, String::new());
                }
                segments[position] = value;
            }
        }
        segments
    }

    /// What the cookies say (RFC 6265 section 4.2.1). Quotes keep what would be cut off at the ends.
    #[track_caller]
    fn cookie(&self) -> Option<String> {
        let cookies = self.texts(|from| from == From::Cookie).into_iter().map(|(parameter, value)| {
            if value.contains(';') {
                Misuse::Cookie { method: &self.method.id, name: &parameter.name }.fail();
            }
            format!("{}=\"{value}\"", parameter.key)
        });
        let cookies: Vec<_> = cookies.collect();
        (!cookies.is_empty()).then(|| cookies.join("; "))
    }
}

fn push(path: &mut String, segment: &str) {
    path.push('/');
    path.extend(utf8_percent_encode(segment, RESERVED));
}

/// A value as clients write it outside of JSON; null is left out.
fn text(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
