//! Tests that the server sends a valid response to random requests: no handler or stage panics, and each response is in
//! an envelope.
//!
//! Each run of the tests sends ten thousand random requests. `scripts/properties` sends more requests, to more
//! definitions.

pub mod request;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{TestCaseError, TestRunner};
use rulebook::{Engine, Rulebook, Unbound};

use self::request::{ApiRoutes, random_request};
use crate::client::envelope::{EnvelopeKind, violation};
use crate::client::{Bearer, Connection, Request, Response, TestServer};
use support::generate;

/// The built-in envelopes. A response to a random request may be in any of them, because the modules of a definition
/// may have different envelopes.
pub const ANY_ENVELOPE: &[EnvelopeKind] =
    &[EnvelopeKind::Aicra, EnvelopeKind::Plain, EnvelopeKind::Phalapi, EnvelopeKind::Iapi, EnvelopeKind::AicraStatus];

/// The number of random requests that each test sends.
const REQUESTS_PER_TEST: u32 = 5_000;

/// The number of requests to each generated definition.
const REQUESTS_PER_DEFINITION: u32 = 250;

#[test]
fn random_requests_to_the_article_api_get_a_valid_response() {
    let api =
        Rulebook::load(Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/rulebook-model/tests/definitions/good/site"));
    let mut counter = RequestCounter::new("the article API");
    counter.send_requests(&echo_engine(api), counter.count, &[EnvelopeKind::Aicra]);
    counter.assert_varied_statuses();
}

#[test]
fn random_requests_to_generated_definitions_get_a_valid_response() {
    let mut counter = RequestCounter::new("generated definitions");
    let mut runner = TestRunner::new(support::random::cases(1));
    while counter.sent < counter.count {
        let generated = generate::definitions().new_tree(&mut runner).unwrap().current();
        let files: Vec<(PathBuf, Vec<u8>)> = generated.bytes();
        let engine = echo_engine(Rulebook::read(files));
        if engine.api().modules.iter().all(|module| module.services.is_empty()) {
            continue;
        }
        counter.send_requests(&engine, REQUESTS_PER_DEFINITION.min(counter.count), ANY_ENVELOPE);
    }
    counter.assert_varied_statuses();
}

fn echo_engine(rulebook: Rulebook) -> Engine {
    match rulebook.authenticator(Bearer).unbound(Unbound::Echo).build() {
        Ok(engine) => engine,
        Err(report) => panic!("{report}"),
    }
}

/// Sends random requests and counts their responses.
struct RequestCounter {
    name: &'static str,
    count: u32,
    sent: u32,
    /// The number of responses with each status.
    statuses: BTreeMap<u16, u32>,
}

impl RequestCounter {
    fn new(name: &'static str) -> Self {
        Self { name, count: REQUESTS_PER_TEST, sent: 0, statuses: BTreeMap::new() }
    }

    /// Sends random requests to an engine, and checks that each response is in one of these envelopes.
    fn send_requests(&mut self, engine: &Engine, count: u32, envelopes: &[EnvelopeKind]) {
        let server = TestServer::start(engine);
        let routes = ApiRoutes::new(engine.api());
        let connection = RefCell::new(server.connect());
        let before = self.sent;
        let counter = RefCell::new(&mut *self);
        let requests = generate::choices_up_to(250).prop_map(|mut choices| random_request(&routes, &mut choices));
        let config = support::random::cases(count);
        let ended = TestRunner::new(config).run(&requests, |asked| {
            let mut connection = connection.borrow_mut();
            let judged = check_response(&mut connection, &asked, envelopes);
            if !judged.as_ref().is_ok_and(|response| response.field("connection") != Some("close")) {
                *connection = server.connect();
            }
            let response = judged.map_err(TestCaseError::fail)?;
            counter.borrow_mut().count_response(response.status);
            Ok(())
        });
        if let Err(failure) = ended {
            panic!("{failure}\n{:#}", rulebook_model::describe::canonical_definition(engine.api()));
        }
        assert!(self.sent - before >= count, "{} of {count}", self.sent - before);
        server.assert_no_temporary_files();
    }

    fn count_response(&mut self, status: u16) {
        *self.statuses.entry(status).or_default() += 1;
        self.sent += 1;
    }

    /// Asserts that the statuses are varied enough, because requests that are rejected early do not test later stages.
    fn assert_varied_statuses(self) {
        let Self { name, sent, statuses, .. } = self;
        let seen = |status: u16| statuses.get(&status).copied().unwrap_or(0);
        let succeeded: u32 = statuses.range(200..300).map(|(_, count)| count).sum();
        assert!(succeeded > sent / 20, "{name}: {statuses:?}");
        let all = [400, 401, 404, 405, 415, 417];
        assert!(all.iter().all(|status| seen(*status) > 0), "{name}: {statuses:?}");
    }
}

/// Sends a request, and returns its response. If the response is invalid, returns a description of the error.
pub fn check_response(
    connection: &mut Connection,
    request: &Request,
    envelopes: &[EnvelopeKind],
) -> Result<Response, String> {
    // Writing fails if the server closes the connection before it has read the whole request.
    let _ = connection.stream.write_all(&request.bytes());
    let head = request.line.starts_with(b"HEAD ");
    let mut response = connection.try_read_response(head)?;
    while response.status == 100 {
        response = connection.try_read_response(head)?;
    }
    if response.status == 500 {
        return Err(format!("it failed: {response:?}"));
    }
    // The root leads to the documentation pages if the API has no service there.
    if response.status == 307 && response.field("location") == Some("docs/") {
        return Ok(response);
    }
    if head {
        return if response.body.is_empty() { Ok(response) } else { Err(format!("HEAD has a body: {response:?}")) };
    }
    // In an envelope that hides the status of errors, an error and a document both have the status 200. Only a document
    // has an entity tag.
    let is_hidden = envelopes.contains(&EnvelopeKind::Phalapi) && response.field("etag").is_none();
    if request.line.starts_with(b"OPTIONS ") && response.status == 200 && is_hidden {
        let body = serde_json::from_slice::<serde_json::Value>(&response.body).unwrap_or_default();
        let is_refusal = body["ret"].as_u64().is_some_and(|ret| ret >= 400);
        let violation = violation(&response, EnvelopeKind::Phalapi)
            .or_else(|| (!is_refusal).then(|| format!("no refusal: {response:?}")));
        return violation.map_or(Ok(response), Err);
    }
    if request.line.starts_with(b"OPTIONS ") && response.status == 200 {
        return check_definition(&response).map(|()| response);
    }
    // The page of the API at `/` is HTML, and has no envelope.
    if response.field("content-security-policy").is_some() {
        return Ok(response);
    }
    let only_problems = request.fields.iter().any(|field| field.starts_with(b"accept: application/problem+json"));
    let violations: Vec<String> = envelopes
        .iter()
        .map(
            |envelope| {
                if only_problems && *envelope == EnvelopeKind::Aicra { EnvelopeKind::AicraProblem } else { *envelope }
            },
        )
        .filter_map(|envelope| violation(&response, envelope))
        .collect();
    if violations.len() < envelopes.len() { Ok(response) } else { Err(violations.join("\n")) }
}

/// Checks that the response to OPTIONS is a definition without errors.
fn check_definition(response: &Response) -> Result<(), String> {
    let files = vec![("options.json".into(), response.body.clone())];
    Rulebook::read(files).check().map(drop).map_err(|report| format!("{report}\n{response:?}"))
}
