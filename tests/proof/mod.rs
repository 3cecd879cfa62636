//! Property tests: the checks of requests, the documents, the lists of methods and the responses describe one and the
//! same API.
//!
//! A property must be true for every definition and every request, and is tested with random ones. Every run of the
//! tests checks a few definitions. `scripts/properties` checks any number of definitions, shows its progress, and
//! prints what was counted. Each definition is generated from a different seed, so that a counterexample can be
//! reproduced alone. Each counterexample that was found has become a named test in `regressions`.

mod boundary;
mod caller_documents;
mod case;
mod changes;
mod checks;
mod configurable_run;
mod constraints;
mod counts;
mod every_request;
mod property_server;
mod regressions;
mod requests;
mod responses;
mod round_trips;
mod routes;
mod runner;
mod schema_texts;
mod scopes;

use self::case::PropertyCase;
use self::counts::PropertyCounts;

/// A property that must be true for every definition.
#[derive(Clone, Copy)]
pub struct Property {
    /// The name of the property in the table of counts.
    name: &'static str,
    /// Checks one definition with a number of random values or requests, and counts what was checked. Returns the
    /// reason if the property is violated.
    check: fn(&mut PropertyCase, usize, &mut PropertyCounts) -> Result<(), String>,
}

/// All properties, in the order of the table of counts.
const PROPERTIES: &[Property] = &[
    checks::PROPERTY,
    round_trips::PROPERTY,
    routes::PROPERTY,
    responses::PROPERTY,
    scopes::PROPERTY,
    every_request::PROPERTY,
    changes::PROPERTY,
];

#[test]
fn checks_of_types_accept_what_their_schemas_accept() {
    runner::check_few_definitions(checks::PROPERTY, 40, 40);
}

#[test]
fn an_api_that_is_printed_loads_as_the_same_api() {
    runner::check_few_definitions(round_trips::PROPERTY, 10, 0);
}

#[test]
fn router_openapi_document_and_options_have_the_same_methods() {
    runner::check_few_definitions(routes::PROPERTY, 8, 0);
}

#[test]
fn requests_and_responses_are_as_documented() {
    runner::check_few_definitions(responses::PROPERTY, 10, 80);
}

#[test]
fn callers_may_call_exactly_what_the_listed_scopes_permit() {
    runner::check_few_definitions(scopes::PROPERTY, 10, 80);
}

#[test]
fn changes_that_are_called_compatible_break_nothing_and_others_have_a_witness() {
    runner::check_few_definitions(changes::PROPERTY, 60, 60);
}
