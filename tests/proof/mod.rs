//! Property tests: request checks, documents, route lists and responses describe one and the same API.
//!
//! A property holds for every definition and every request, and is tested with random ones. Every run of the tests
//! tests a few of them; `scripts/properties` tests as many as it is asked to, and shows its progress and what was
//! counted. Each definition is generated from a seed of its own, so that a counterexample can be reproduced alone.
//! Counterexamples that were found become named tests in `regressions`.

mod boundary;
mod caller_documents;
mod case;
mod checks;
mod counts;
mod every_request;
mod long;
mod property_server;
mod regressions;
mod requests;
mod responses;
mod round_trips;
mod routes;
mod runner;
mod schema_texts;
mod scopes;

use self::case::Case;
use self::counts::Counts;

/// A property of every definition.
#[derive(Clone, Copy)]
pub struct Property {
    /// The name in the table of counts.
    name: &'static str,
    /// Checks one definition, with a number of random values or requests. Counts what was checked. Returns the
    /// reason if the property is violated.
    check: fn(&mut Case, usize, &mut Counts) -> Result<(), String>,
}

/// All properties, in the order of the table.
const PROPERTIES: &[Property] = &[
    checks::PROPERTY,
    round_trips::PROPERTY,
    routes::PROPERTY,
    responses::PROPERTY,
    scopes::PROPERTY,
    every_request::PROPERTY,
];

#[test]
fn checks_accept_what_their_schemas_accept() {
    runner::briefly(checks::PROPERTY, 40, 40);
}

#[test]
fn an_api_that_is_printed_loads_as_the_same_api() {
    runner::briefly(round_trips::PROPERTY, 10, 0);
}

#[test]
fn routes_documents_and_lists_have_the_same_methods() {
    runner::briefly(routes::PROPERTY, 8, 0);
}

#[test]
fn requests_and_responses_are_as_documented() {
    runner::briefly(responses::PROPERTY, 10, 80);
}

#[test]
fn callers_are_permitted_what_the_listed_scopes_permit() {
    runner::briefly(scopes::PROPERTY, 10, 80);
}
