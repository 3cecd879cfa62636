//! Whatever is asked of the demo, it is no failure of its own, and no trouble for its database.

use std::path::Path;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use rulebook::Rulebook;

use super::Place;
use crate::client::Connection;
use crate::generate;
use crate::http::random::request::{Routes, request};

/// How many requests each database gets.
const COUNT: u32 = 1500;

#[test]
fn whatever_is_asked_does_not_fail() {
    let api = Rulebook::load(Path::new(env!("CARGO_MANIFEST_DIR")).join("api")).check().unwrap();
    let routes = Routes::new(&api);
    Place::each(|place| {
        let scope = "reader,author,editor,admin,user[1]";
        let add = place.command().args(["keys", "add", "--name", "ada", "--scope", scope]).output().unwrap();
        let key = String::from_utf8(add.stdout).unwrap();
        let field = format!("authorization: Bearer {}", key.trim()).into_bytes();
        let server = place.serve();
        assert_eq!(server.total(), 12);
        let requests = generate::choices_up_to(250).prop_map(|mut choices| {
            let mut asked = request(&routes, &mut choices);
            for own in asked.fields.iter_mut().filter(|own| own.starts_with(b"authorization")) {
                own.clone_from(&field);
            }
            asked
        });
        let config = Config { cases: COUNT, failure_persistence: None, ..Config::default() };
        let succeeded = std::cell::Cell::new(0);
        let ended = TestRunner::new(config).run(&requests, |asked| {
            let mut connection = Connection::to(server.address);
            // The server may turn away before it has read everything.
            let _ = std::io::Write::write_all(&mut connection.stream, &asked.bytes());
            let head = asked.line.starts_with(b"HEAD ");
            let mut answer = connection.try_answer(head).map_err(TestCaseError::fail)?;
            while answer.status == 100 {
                answer = connection.try_answer(head).map_err(TestCaseError::fail)?;
            }
            succeeded.set(succeeded.get() + u32::from(answer.status < 300));
            if answer.status < 500 { Ok(()) } else { Err(TestCaseError::fail(format!("{answer:?}"))) }
        });
        if let Err(failure) = ended {
            panic!("{failure}\n{}", server.served.told());
        }
        assert!(succeeded.get() > COUNT / 20, "{} of {COUNT} succeeded", succeeded.get());
    });
}
