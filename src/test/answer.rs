//! What the API answered, in the API's words.

use std::fmt;

use serde_json::{Map, Value as Json};
use ureq::http::response::Parts;

use super::misuse::Misuse;
use crate::error::{Code, codes};

/// What a request was answered with. Printed for debugging it is the whole answer.
///
/// Outputs and codes are read from any envelope.
#[derive(Clone)]
pub struct Answer {
    status: u16,
    /// Names in small letters.
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    /// The body, where it is JSON.
    document: Option<Json>,
}

impl Answer {
    pub(super) fn new(head: &Parts, body: Vec<u8>) -> Self {
        let headers = head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
        let document = serde_json::from_slice(&body).ok();
        Self { status: head.status.as_u16(), headers: headers.collect(), body, document }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The first header field of this name; none where it is no text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// The name of the request in the log.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.header("x-request-id")
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as text.
    ///
    /// # Panics
    /// It is no UTF-8.
    #[must_use]
    #[track_caller]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_else(|_| self.has_no("text"))
    }

    /// The body as JSON, in its envelope.
    ///
    /// # Panics
    /// It is none.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Json {
        self.document.clone().unwrap_or_else(|| self.has_no("JSON"))
    }

    /// All outputs by name, without the envelope.
    ///
    /// # Panics
    /// The request was refused, or there are no outputs by name.
    #[must_use]
    #[track_caller]
    pub fn outputs(&self) -> Json {
        match &self.document {
            Some(Json::Object(document)) if self.ret() == Some(200) => match document.get("data") {
                Some(Json::Array(none)) if none.is_empty() => Json::Object(Map::new()),
                Some(Json::Object(outputs)) => Json::Object(outputs.clone()),
                _ => self.has_no("outputs"),
            },
            Some(Json::Object(document)) if !self.is_refusal() => Json::Object(outputs(document)),
            _ => self.has_no("outputs"),
        }
    }

    /// One output.
    ///
    /// # Panics
    /// The request was refused, or there is no such output.
    #[must_use]
    #[track_caller]
    pub fn output(&self, name: &str) -> Json {
        let outputs = self.outputs();
        outputs.get(name).cloned().unwrap_or_else(|| self.has_no(&format!("output `{name}`")))
    }

    /// Whether the request was refused.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.status >= 400 || self.ret().is_some_and(|ret| ret >= 300)
    }

    /// `ret` of the `phalapi` envelope, which tells what an answer is whatever its HTTP status; none in any other.
    #[must_use]
    pub fn ret(&self) -> Option<u64> {
        let document = self.document.as_ref()?.as_object()?;
        let phalapi = document.len() == 3 && document.contains_key("data") && document.contains_key("msg");
        document.get("ret").filter(|_| phalapi)?.as_u64()
    }

    /// The code of the refusal: `forbidden`, or the name of an error that the definition declares. None where the
    /// request was not refused, and in the envelopes `phalapi`, which has only its [`ret`](Self::ret), and `iapi`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        let document = self.refusal()?;
        if self.is_problem() {
            return document.get("code")?.as_str();
        }
        // The aicra envelope has a number, and the name of a declared error.
        let number = document.get("error")?.as_u64()?;
        let row = codes::TABLE.iter().find(|row| u64::from(row.number) == number)?;
        let declared = document.get("name").filter(|_| row.code == Code::Failed);
        declared.and_then(Json::as_str).or(Some(row.name))
    }

    /// What the refusal says to people; none where the request was not refused.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        let member = match self.ret() {
            Some(_) => "msg",
            None if self.is_problem() => "detail",
            None if self.is_iapi() => "message",
            None => "ErrorDescription",
        };
        self.refusal()?.get(member)?.as_str()
    }

    /// The parameters at fault, by the names that clients know, in the order of the answer.
    #[must_use]
    pub fn faults(&self) -> Vec<&str> {
        let faults = self.refusal().and_then(|document| document.get("errors")).and_then(Json::as_array);
        faults.into_iter().flatten().filter_map(|fault| fault.get("parameter")?.as_str()).collect()
    }

    /// Whether it is a refusal in the `iapi` envelope.
    fn is_iapi(&self) -> bool {
        self.refusal().and_then(|document| document.get("status")).is_some_and(|status| *status == "error")
    }

    /// The document of a refusal.
    fn refusal(&self) -> Option<&Json> {
        self.document.as_ref().filter(|_| self.is_refusal())
    }

    /// Whether it is a problem document (RFC 9457).
    fn is_problem(&self) -> bool {
        self.header("content-type").is_some_and(|media_type| media_type.starts_with("application/problem+json"))
    }

    #[track_caller]
    fn has_no(&self, wanted: &str) -> ! {
        Misuse::Answer { wanted: wanted.to_owned(), answer: self }.fail()
    }
}

/// The members of a success that are not the envelope's: aicra's are known by both its own.
fn outputs(document: &Map<String, Json>) -> Map<String, Json> {
    const OWN: [&str; 2] = ["error", "ErrorDescription"];
    let aicra = document.get("error") == Some(&Json::from(0)) && document.contains_key("ErrorDescription");
    let members = document.iter().filter(|(name, _)| !(aicra && OWN.contains(&name.as_str())));
    members.map(|(name, value)| (name.clone(), value.clone())).collect()
}

impl fmt::Debug for Answer {
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
