//! Random requests get a valid response: no panic, and always an envelope.
//!
//! Each run of the tests sends ten thousand random requests; `scripts/properties` sends more of them, to more definitions.

pub mod request;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use rulebook::{Engine, Rulebook, Unbound};

use self::request::{Routes, request};
use crate::client::shape::{Shape, violation};
use crate::client::{Answer, Bearer, Connection, Request, Site};
use support::generate;

/// The envelopes of modules differ.
pub const ANY: &[Shape] = &[Shape::Aicra, Shape::Plain, Shape::Phalapi, Shape::Iapi];

/// The number of requests that each test sends.
const REQUESTS: u32 = 5_000;

/// The number of requests to one generated definition.
const EACH: u32 = 250;

#[test]
fn random_requests_to_the_article_api_get_a_valid_response() {
    let api =
        Rulebook::load(Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/rulebook-model/tests/definitions/good/site"));
    let mut proof = Proof::new("the article API");
    proof.run(&echo(api), proof.count, &[Shape::Aicra]);
    proof.end();
}

#[test]
fn random_requests_to_generated_definitions_get_a_valid_response() {
    let mut proof = Proof::new("generated definitions");
    let mut runner = TestRunner::default();
    while proof.done < proof.count {
        let generated = generate::definitions().new_tree(&mut runner).unwrap().current();
        let files: Vec<(PathBuf, Vec<u8>)> = generated.bytes();
        let engine = echo(Rulebook::read(files));
        if engine.api().modules.iter().all(|module| module.services.is_empty()) {
            continue;
        }
        proof.run(&engine, EACH.min(proof.count), ANY);
    }
    proof.end();
}

fn echo(rulebook: Rulebook) -> Engine {
    match rulebook.authenticator(Bearer).unbound(Unbound::Echo).build() {
        Ok(engine) => engine,
        Err(report) => panic!("{report}"),
    }
}

/// Random requests, counted.
struct Proof {
    what: &'static str,
    count: u32,
    done: u32,
    /// The number of responses with each status.
    statuses: BTreeMap<u16, u32>,
}

impl Proof {
    fn new(what: &'static str) -> Self {
        Self { what, count: REQUESTS, done: 0, statuses: BTreeMap::new() }
    }

    /// Sends requests to an engine. `shapes` are the envelopes that a response may have.
    fn run(&mut self, engine: &Engine, count: u32, shapes: &[Shape]) {
        let site = Site::start(engine);
        let routes = Routes::new(engine.api());
        let connection = RefCell::new(site.connect());
        let before = self.done;
        let proof = RefCell::new(&mut *self);
        let requests = generate::choices_up_to(250).prop_map(|mut choices| request(&routes, &mut choices));
        let config = Config { cases: count, failure_persistence: None, ..Config::default() };
        let ended = TestRunner::new(config).run(&requests, |asked| {
            let mut connection = connection.borrow_mut();
            let judged = judge(&mut connection, &asked, shapes);
            if !judged.as_ref().is_ok_and(|answer| answer.field("connection") != Some("close")) {
                *connection = site.connect();
            }
            let answer = judged.map_err(TestCaseError::fail)?;
            proof.borrow_mut().count(answer.status);
            Ok(())
        });
        if let Err(failure) = ended {
            panic!("{failure}\n{:#}", rulebook_model::describe::canonical(engine.api()));
        }
        assert!(self.done - before >= count, "{} of {count}", self.done - before);
        site.assert_no_temporary();
    }

    fn count(&mut self, status: u16) {
        *self.statuses.entry(status).or_default() += 1;
        self.done += 1;
    }

    /// Asserts that the requests reached every stage: requests that are refused early prove nothing about later stages.
    fn end(self) {
        let Self { what, done, statuses, .. } = self;
        let seen = |status: u16| statuses.get(&status).copied().unwrap_or(0);
        let succeeded: u32 = statuses.range(200..300).map(|(_, count)| count).sum();
        assert!(succeeded > done / 20, "{what}: {statuses:?}");
        let all = [400, 401, 404, 405, 415, 417];
        assert!(all.iter().all(|status| seen(*status) > 0), "{what}: {statuses:?}");
    }
}

/// Sends a request, and returns its response or what is wrong with it.
pub fn judge(connection: &mut Connection, request: &Request, shapes: &[Shape]) -> Result<Answer, String> {
    // The server may close the connection before it has read everything.
    let _ = connection.stream.write_all(&request.bytes());
    let head = request.line.starts_with(b"HEAD ");
    let mut answer = connection.try_answer(head)?;
    while answer.status == 100 {
        answer = connection.try_answer(head)?;
    }
    if answer.status == 500 {
        return Err(format!("it failed: {answer:?}"));
    }
    if head {
        return if answer.body.is_empty() { Ok(answer) } else { Err(format!("HEAD has a body: {answer:?}")) };
    }
    // An error in the envelope that hides its status has no entity tag.
    let is_hidden = shapes.contains(&Shape::Phalapi) && answer.field("etag").is_none();
    if request.line.starts_with(b"OPTIONS ") && answer.status == 200 && is_hidden {
        let body = serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap_or_default();
        let is_refusal = body["ret"].as_u64().is_some_and(|ret| ret >= 400);
        let flaw =
            violation(&answer, Shape::Phalapi).or_else(|| (!is_refusal).then(|| format!("no refusal: {answer:?}")));
        return flaw.map_or(Ok(answer), Err);
    }
    if request.line.starts_with(b"OPTIONS ") && answer.status == 200 {
        return definition(&answer).map(|()| answer);
    }
    // The server's page at `/` is not a document of the API.
    if answer.field("content-security-policy").is_some() {
        return Ok(answer);
    }
    let only_problems = request.fields.iter().any(|field| field.starts_with(b"accept: application/problem+json"));
    let flaws: Vec<String> = shapes
        .iter()
        .map(|shape| if only_problems && *shape == Shape::Aicra { Shape::AicraProblem } else { *shape })
        .filter_map(|shape| violation(&answer, shape))
        .collect();
    if flaws.len() < shapes.len() { Ok(answer) } else { Err(flaws.join("\n")) }
}

/// The response to OPTIONS is a definition without errors.
fn definition(answer: &Answer) -> Result<(), String> {
    let files = vec![("options.json".into(), answer.body.clone())];
    Rulebook::read(files).check().map(drop).map_err(|report| format!("{report}\n{answer:?}"))
}
