//! A request that is answered with an error: why, and what its answer and the log say of it.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderName, HeaderValue};
use serde_json::Value as Json;

use super::{Fault, Objection, Reason};
use crate::error::{Code, ErrorStatus};

/// The greatest code that a declared error can have.
const MOST_CODE: u8 = 99;

/// A request that is not answered as it wished.
///
/// Handlers return one for the errors that their definition declares:
///
/// ```
/// use rulebook::Refusal;
/// let refusal = Refusal::declared("no_such_article").with("article_id", 23);
/// ```
///
/// Boxed, so that a `Result` that holds one stays small.
#[derive(Debug, Clone)]
pub struct Refusal(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    reason: Reason,
    status: ErrorStatus,
    /// For the log, never for the client.
    log: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// PhalApi's, 0 to 99.
    code: Option<u8>,
    /// Whether its words are where to go instead.
    redirects: bool,
}

impl Refusal {
    /// A refusal for `reason`, with its class's status.
    #[must_use]
    pub fn new(reason: Reason) -> Self {
        let status = reason.code().status();
        let headers = reason.headers();
        Self(Box::new(Inner { reason, status, log: None, headers, code: None, redirects: false }))
    }

    /// The error `name` of the method's `errors`: its status and words come from the definition.
    pub fn declared(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Reason::Declared { name: name.into(), message: String::new(), data: Vec::new() })
    }

    /// The error `name` of the method's `errors`, which sends the client to another place: its words. In the
    /// `phalapi` envelope `ret` is 300, or 300 and the [code](Self::with_code); no envelope answers with an HTTP
    /// status of redirection, which clients would follow by themselves.
    pub fn redirect(name: impl Into<Cow<'static, str>>, place: impl Into<String>) -> Self {
        let mut refusal = Self::declared(name).saying(place);
        refusal.0.redirects = true;
        refusal
    }

    /// A failure of the program. The client is told a request id, the log the reason.
    pub fn internal(why: impl fmt::Display) -> Self {
        Self::new(Reason::Internal { request_id: String::new() }).logging(why)
    }

    /// The service cannot answer now; the client is not told why, the log is.
    pub fn unavailable(why: impl fmt::Display) -> Self {
        Self::new(Reason::Unavailable).logging(why)
    }

    /// Adds a member that a declared error tells beside its name; it replaces one of the same name. Other
    /// refusals take none. Members that the answer has anyway (in aicra's shape `error`, `ErrorDescription` and
    /// `name`, in that of `iapi` `status` and `message`, in problem documents `type`, `title`, `status`, `detail` and
    /// `code`) stay what they are. In the `phalapi` envelope it stands in `data`.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Json>) -> Self {
        if let Reason::Declared { data, .. } = &mut self.0.reason {
            let name = name.into();
            data.retain(|(other, _)| *other != name);
            data.push((name, value.into()));
        }
        self
    }

    /// Sets the words of a declared error where the definition's are too general.
    #[must_use]
    pub fn saying(mut self, words: impl Into<String>) -> Self {
        if let Reason::Declared { message, .. } = &mut self.0.reason {
            *message = words.into();
        }
        self
    }

    /// Gives a declared error a code of its own, from 0 to 99, which the `phalapi` envelope adds to 400, or to 500
    /// where the error's status is one of the server's: its `ret` is the sum. Without one it is the status. Other
    /// envelopes do not tell it, other refusals take none. Any other code is the program's fault: the log is told,
    /// and `ret` is as without one.
    ///
    /// ```
    /// use rulebook::Refusal;
    /// let refusal = Refusal::declared("wrong_sign").with_code(1);
    /// assert_eq!(refusal.ret(), 401);
    /// ```
    #[must_use]
    pub fn with_code(mut self, code: u32) -> Self {
        if !matches!(self.0.reason, Reason::Declared { .. }) {
            return self;
        }
        self.0.code = u8::try_from(code).ok().filter(|code| *code <= MOST_CODE);
        if self.0.code.is_none() {
            let why = format!("the code {code} is above {MOST_CODE}");
            self.0.log = Some(self.0.log.map_or(why.clone(), |log| format!("{log}; {why}")));
        }
        self
    }

    /// Adds what the log shall keep; the client never sees it.
    #[must_use]
    pub fn logging(mut self, why: impl fmt::Display) -> Self {
        self.0.log = Some(why.to_string());
        self
    }

    /// The same with a status of the definition's.
    #[must_use]
    pub(crate) fn with_status(mut self, status: ErrorStatus) -> Self {
        self.0.status = status;
        self
    }

    /// The same, with these words where a declared error has none of its own.
    #[must_use]
    pub(crate) fn with_words(mut self, words: &str) -> Self {
        if let Reason::Declared { message, .. } = &mut self.0.reason
            && message.is_empty()
        {
            words.clone_into(message);
        }
        self
    }

    /// The same, with these services where none has the URI.
    #[must_use]
    pub(crate) fn with_similar(mut self, services: Vec<String>) -> Self {
        if let Reason::UnknownService { similar } = &mut self.0.reason {
            *similar = services;
        }
        self
    }

    /// The same, with the id under which an internal error stands in the log.
    #[must_use]
    pub(crate) fn with_request_id(mut self, id: &str) -> Self {
        if let Reason::Internal { request_id } = &mut self.0.reason {
            id.clone_into(request_id);
        }
        self
    }

    /// The same without what the handler has to say under this name.
    #[must_use]
    pub(crate) fn without(mut self, name: &str) -> Self {
        if let Reason::Declared { data, .. } = &mut self.0.reason {
            data.retain(|(own, _)| own != name);
        }
        self
    }

    /// The same with these header fields, instead of its own of the same names.
    #[must_use]
    pub(crate) fn with_headers(mut self, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        self.0.headers.retain(|(own, _)| headers.iter().all(|(name, _)| name != own));
        self.0.headers.extend(headers);
        self
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.0.reason
    }

    /// Its class.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.reason.code()
    }

    /// Its HTTP status.
    #[must_use]
    pub fn status(&self) -> ErrorStatus {
        self.0.status
    }

    /// `ret` of the `phalapi` envelope: the status, or 400 or 500 and the error's own code; 300 and that of one that
    /// redirects; of a function's [`Objection`], 400 and its code. 300 to 599.
    #[must_use]
    pub fn ret(&self) -> u16 {
        let status = if self.0.redirects { 300 } else { self.0.status.get() };
        let code = self.0.code.or_else(|| self.faults().first()?.objection().map(Objection::code));
        code.map_or(status, |code| status / 100 * 100 + u16::from(code))
    }

    /// Whether its words are a place where the client is sent to.
    #[must_use]
    pub fn redirects(&self) -> bool {
        self.0.redirects
    }

    /// What the log keeps beside the words.
    #[must_use]
    pub fn log(&self) -> Option<&str> {
        self.0.log.as_deref()
    }

    /// Header fields that go with it: `Allow`, `WWW-Authenticate`, `Retry-After`, and those that a handler set.
    #[must_use]
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.0.headers
    }

    /// Whether it is that no service has the URI.
    pub(crate) fn is_of_unknown_service(&self) -> bool {
        matches!(self.0.reason, Reason::UnknownService { .. })
    }

    /// The parameters at fault; empty where the refusal is about something else.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        match &self.0.reason {
            Reason::Parameters { faults, .. } => faults,
            _ => &[],
        }
    }
}

impl std::error::Error for Refusal {}
