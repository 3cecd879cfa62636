//! A property test: random requests to the demo cause neither internal errors nor database errors.

use std::path::Path;

use proptest::strategy::Strategy;
use proptest::test_runner::{TestCaseError, TestRunner};
use rulebook::Rulebook;

use super::DemoFolder;
use crate::client::Connection;
use crate::http::random::request::{ApiRoutes, random_request};
use support::generate;

/// Number of random requests.
const REQUEST_COUNT: u32 = 1500;

#[test]
fn random_requests_cause_no_server_errors() {
    let api = Rulebook::load(Path::new(env!("CARGO_MANIFEST_DIR")).join("api")).check().unwrap();
    let routes = ApiRoutes::new(&api);
    let place = DemoFolder::new();
    let scope = "reader,author,editor,admin,user[1]";
    let add = place.command().args(["keys", "add", "--name", "ada", "--force", "--scope", scope]).output().unwrap();
    let key = String::from_utf8(add.stdout).unwrap();
    let field = format!("authorization: Bearer {}", key.trim()).into_bytes();
    let server = place.serve();
    assert_eq!(server.article_count(), 12);
    let requests = generate::choices_up_to(250).prop_map(|mut choices| {
        let mut asked = random_request(&routes, &mut choices);
        for own in asked.fields.iter_mut().filter(|own| own.starts_with(b"authorization")) {
            own.clone_from(&field);
        }
        asked
    });
    let config = support::random::cases(REQUEST_COUNT);
    let succeeded = std::cell::Cell::new(0);
    let ended = TestRunner::new(config).run(&requests, |asked| {
        let mut connection = Connection::open(server.address);
        // The server may close the connection before it has read the whole request.
        let _ = std::io::Write::write_all(&mut connection.stream, &asked.bytes());
        let head = asked.line.starts_with(b"HEAD ");
        let mut response = connection.try_read_response(head).map_err(TestCaseError::fail)?;
        while response.status == 100 {
            response = connection.try_read_response(head).map_err(TestCaseError::fail)?;
        }
        succeeded.set(succeeded.get() + u32::from(response.status < 300));
        if response.status < 500 { Ok(()) } else { Err(TestCaseError::fail(format!("{response:?}"))) }
    });
    if let Err(failure) = ended {
        panic!("{failure}\n{}", server.process.log());
    }
    assert!(succeeded.get() > REQUEST_COUNT / 20, "{} of {REQUEST_COUNT} succeeded", succeeded.get());
}
