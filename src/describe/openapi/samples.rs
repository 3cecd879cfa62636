//! A refusal of each class, to be shown in a document as it is answered.

use std::borrow::Cow;

use crate::call::{Allowed, Fault, FaultKind, Http, Limit, Reason, Refusal, Source, Unreadable};
use crate::error::Code;

/// A refusal of this class.
pub(in crate::describe) fn sample(code: Code) -> Refusal {
    Refusal::new(match code {
        Code::UnknownService => Reason::UnknownService { similar: Vec::new() },
        Code::UnknownMethod => Reason::UnknownMethod { allowed: Allowed(vec![Http::Get, Http::Post]) },
        Code::Forbidden => Reason::Forbidden { missing: vec![vec!["admin".to_owned()]] },
        Code::Unauthenticated => Reason::Unauthenticated { invalid: false, challenge: "Bearer".to_owned() },
        Code::MissingParameter => parameter(FaultKind::Missing, None),
        Code::InvalidParameter => parameter(FaultKind::Invalid, Some("\"x\"".to_owned())),
        Code::Unreadable => Reason::Unreadable(Unreadable::JsonSyntax { line: 1, column: 1 }),
        Code::TooLarge => limit(Limit::body(1 << 20)),
        Code::UriTooLong => limit(Limit::uri(8 << 10)),
        Code::HeadTooLarge => limit(Limit::head(32 << 10)),
        Code::UnsupportedMediaType => {
            Reason::UnsupportedMediaType { got: "text/csv".to_owned(), accepted: &["application/json"] }
        }
        Code::Gone => Reason::Gone,
        Code::InvalidLink => Reason::InvalidLink,
        Code::Upload => Reason::Upload,
        Code::NoRoom => Reason::NoRoom,
        Code::TooManyRequests => Reason::TooManyRequests { retry_after: 60 },
        Code::Timeout => Reason::Timeout,
        Code::ExpectationFailed => Reason::ExpectationFailed,
        Code::NotImplemented => Reason::NotImplemented { id: "article.get".to_owned() },
        Code::Unavailable => Reason::Unavailable,
        Code::Failed => Reason::Declared { name: Cow::Borrowed("failed"), message: String::new(), data: Vec::new() },
        Code::Internal => Reason::Internal { request_id: "0193e5a0".to_owned() },
    })
}

fn limit(limit: Limit) -> Reason {
    Reason::TooLarge { limit, parameter: None }
}

fn parameter(kind: FaultKind, got: Option<String>) -> Reason {
    let fault = Fault {
        kind,
        parameter: "page".to_owned(),
        source: Source::Query,
        expected: Cow::Borrowed("a whole number"),
        got,
        message: None,
        broken: None,
    };
    Reason::Parameters { faults: vec![fault], truncated: false }
}
