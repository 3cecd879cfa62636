//! The response to a request of a test. A test can read the status, the outputs, and the error from it.

use std::fmt;

use serde_json::{Map, Value as Json};
use ureq::http::response::Parts;

use rulebook_model::envelope::{Decoding, Envelope, OutputsLocation, Problem};
use rulebook_model::error::{ErrorCode, codes};
use rulebook_model::model::Output;

/// The response to a request of a test. The debug output contains the whole response.
///
/// Outputs and error codes can be read independently of the envelope, the format of the response.
#[derive(Clone)]
pub struct TestResponse {
    status: u16,
    /// The header fields. Their names are in lowercase.
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    /// The body, if it is JSON.
    document: Option<Json>,
    /// The decodings that the body may have, in order of preference. A decoding describes where a body contains outputs
    /// and errors.
    decodings: Vec<Decoding>,
    /// `true` if the method returns a single value, its output `*`, instead of named outputs.
    has_whole_output: bool,
}

impl TestResponse {
    pub(super) fn new(head: &Parts, body: Vec<u8>, decodings: Vec<Decoding>, has_whole_output: bool) -> Self {
        let headers = head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
        let document = serde_json::from_slice(&body).ok();
        Self { status: head.status.as_u16(), headers: headers.collect(), body, document, decodings, has_whole_output }
    }

    /// Returns the HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the value of the first header field with this name; `None` if the response does not have the field, or
    /// the value is not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(field, _)| field.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// Returns the id that the server gave the request. The log of the server contains the same id.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.header("x-request-id")
    }

    /// Returns the bytes of the body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the whole body as text.
    ///
    /// # Panics
    /// Panics if the body is not UTF-8.
    #[must_use]
    #[track_caller]
    pub fn text(&self) -> &str {
        self.found("text", std::str::from_utf8(&self.body).ok())
    }

    /// Returns the whole body as JSON, including the members that the envelope adds to the outputs.
    ///
    /// # Panics
    /// Panics if the body is not JSON.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Json {
        self.found("JSON", self.document.clone())
    }

    /// Returns an object with the outputs of the method, without the members that the envelope adds.
    ///
    /// # Panics
    /// Panics if the response is an error, or has no named outputs.
    #[must_use]
    #[track_caller]
    pub fn outputs(&self) -> Json {
        self.found("outputs", self.result().filter(Json::is_object))
    }

    /// Returns the output with this name; with the name `*`, the single value that the method returns instead of named
    /// outputs.
    ///
    /// # Panics
    /// Panics if the response is an error, or has no output with this name.
    #[must_use]
    #[track_caller]
    pub fn output(&self, name: &str) -> Json {
        let result = self.found("outputs", self.result());
        let output = if name == Output::WHOLE { Some(&result) } else { result.get(name) };
        self.found(&format!("output `{name}`"), output.cloned())
    }

    /// Returns what the method has returned, without the members that the envelope adds: an object with the outputs, or
    /// the value of the output `*`. Returns `None` if the response is an error, or its body is not JSON. For a request
    /// with a path, whose method is not known, an envelope such as `aicra` has the value of `*` in an output `result`.
    #[must_use]
    pub fn result(&self) -> Option<Json> {
        let body = self.document.as_ref().filter(|_| !self.is_error())?;
        match self.success_decoding(body).outputs {
            OutputsLocation::Members { whole, .. } if self.has_whole_output => body.get(whole).cloned(),
            OutputsLocation::Member(name) if self.has_whole_output => body.get(name).cloned(),
            location => extract_outputs(location, body),
        }
    }

    /// Returns `true` if the response is an error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        let body = self.document.as_ref();
        let is_error = |decoding: &Decoding| {
            let is_checked = decoding.hides_errors || self.status >= 300;
            is_checked && body.is_some_and(|body| decoding.is_error(body) && !decoding.is_success(body))
        };
        let mut described = self.decodings.iter().filter(|decoding| !decoding.error.identified_by.is_empty());
        self.status >= 400 || described.any(is_error)
    }

    /// Returns the member `ret` of the `phalapi` envelope, which contains the status independently of the HTTP status;
    /// `None` in other envelopes.
    #[must_use]
    pub fn ret(&self) -> Option<u64> {
        let document = self.document.as_ref()?;
        let decoding = if self.is_error() { self.error_decoding(document) } else { self.success_decoding(document) };
        document.get(decoding.error.status.filter(|member| *member == "ret")?)?.as_u64()
    }

    /// Returns the code of the error: `forbidden`, for example, or the name of an error that the definition declares.
    /// Returns `None` if the response is not an error, and in the envelopes `phalapi` (see [`ret`](Self::ret)) and
    /// `iapi`, which contain no code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        let document = self.error_document()?;
        let members = self.error_decoding(document).error;
        let code = document.get(members.code?)?;
        let Some(number) = code.as_u64() else { return code.as_str() };
        let row = codes::ERROR_CODES.iter().find(|row| u64::from(row.aicra_number) == number)?;
        let declared = members.name.filter(|_| row.code == ErrorCode::Failed);
        declared.and_then(|name| document.get(name)?.as_str()).or(Some(row.name))
    }

    /// Returns the message of the error; `None` if the response is not an error.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        let document = self.error_document()?;
        let mut messages = self.error_decoding(document).error.message.iter();
        messages.find_map(|member| document.get(member)?.as_str())
    }

    /// Returns the names of the missing or invalid parameters, in the order of the response. The names are those that
    /// clients use, not those in code.
    #[must_use]
    pub fn invalid_parameters(&self) -> Vec<&str> {
        let errors = self.error_document().and_then(|document| {
            let member = self.error_decoding(document).error.parameters?;
            document.get(member)?.as_array()
        });
        errors.into_iter().flatten().filter_map(|error| error.get("parameter")?.as_str()).collect()
    }

    /// Returns the first decoding that describes a success with the same members as this body.
    fn success_decoding(&self, body: &Json) -> Decoding {
        self.decodings.iter().find(|decoding| decoding.is_success(body)).copied().unwrap_or_default()
    }

    /// Returns the decoding of an error body. For a problem document (RFC 9457), it is that of problem documents.
    /// Otherwise it is the first decoding whose description of errors matches the body or, if no description matches,
    /// the first decoding that has no description of errors.
    fn error_decoding(&self, body: &Json) -> Decoding {
        let media_type = self.header("content-type").unwrap_or_default();
        if media_type.starts_with("application/problem+json") {
            return Problem.decoding();
        }
        let (undescribed, described): (Vec<_>, Vec<_>) =
            self.decodings.iter().partition(|decoding| decoding.error.identified_by.is_empty());
        let matching = described.into_iter().find(|decoding: &&Decoding| decoding.is_error(body));
        matching.or(undescribed.first().copied()).copied().unwrap_or_default()
    }

    fn error_document(&self) -> Option<&Json> {
        self.document.as_ref().filter(|_| self.is_error())
    }

    #[track_caller]
    fn found<T>(&self, part: &str, value: Option<T>) -> T {
        match value {
            Some(value) => value,
            None => panic!("the response has no {part}:\n{self:?}"),
        }
    }
}

/// Returns the outputs from the body of a success; `None` if the body does not contain them.
fn extract_outputs(location: OutputsLocation, body: &Json) -> Option<Json> {
    match location {
        OutputsLocation::Body | OutputsLocation::Unknown => Some(body.clone()),
        OutputsLocation::Member(name) => match body.get(name)? {
            Json::Array(items) if items.is_empty() => Some(Json::Object(Map::new())),
            outputs => Some(outputs.clone()),
        },
        OutputsLocation::Members { except, .. } => {
            let members = body.as_object()?.iter().filter(|(name, _)| !except.contains(&name.as_str()));
            Some(members.map(|(name, value)| (name.clone(), value.clone())).collect())
        }
    }
}

impl fmt::Debug for TestResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {}", String::from_utf8_lossy(value))?;
        }
        match std::str::from_utf8(&self.body) {
            Ok(text) => write!(f, "\n{text}"),
            Err(_) => write!(f, "\n({} bytes)", self.body.len()),
        }
    }
}
