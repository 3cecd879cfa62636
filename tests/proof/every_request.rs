//! The property that the server responds to every request.

use super::case::methods;
use super::{Property, PropertyCase, PropertyCounts};
use crate::client::TestServer;
use crate::http::random::request::{ApiRoutes, random_request};
use crate::http::random::{ANY_ENVELOPE, check_response};

/// No request makes the server fail, and every response is complete and in an envelope.
pub const PROPERTY: Property = Property { name: "responds", check: check_random_requests };

/// The number of values that a request is counted as.
const VALUES_PER_REQUEST: usize = 4;

fn check_random_requests(case: &mut PropertyCase, values: usize, counts: &mut PropertyCounts) -> Result<(), String> {
    let engine = case.echo_engine()?;
    counts.methods += methods(engine.api()).len() as u64;
    if engine.api().modules.iter().all(|module| module.services.is_empty()) {
        return Ok(());
    }
    let routes = ApiRoutes::new(engine.api());
    let server = TestServer::start(&engine);
    let mut connection = server.connect().reset_on_drop();
    for _ in 0..values.div_ceil(VALUES_PER_REQUEST) {
        let request = random_request(&routes, &mut case.choices);
        let response = check_response(&mut connection, &request, ANY_ENVELOPE)
            .map_err(|reason| format!("{reason}\n{request:?}"))?;
        counts.add_response(response.status);
        if response.field("connection") == Some("close") {
            connection = server.connect().reset_on_drop();
        }
    }
    Ok(())
}
