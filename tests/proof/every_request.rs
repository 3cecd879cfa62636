//! The server responds to every request.

use super::case::methods;
use super::{Case, Counts, Property};
use crate::client::TestServer;
use crate::http::random::request::{Routes, request};
use crate::http::random::{ANY, check_response};

/// No request makes the server fail, and every response is a complete document of an envelope.
pub const PROPERTY: Property = Property { name: "responds", check };

/// The number of values for each request.
const VALUES_PER_REQUEST: usize = 4;

fn check(case: &mut Case, values: usize, counts: &mut Counts) -> Result<(), String> {
    let engine = case.echo()?;
    counts.methods += methods(engine.api()).len() as u64;
    if engine.api().modules.iter().all(|module| module.services.is_empty()) {
        return Ok(());
    }
    let routes = Routes::new(engine.api());
    let server = TestServer::start(&engine);
    let mut connection = server.connect().reset_on_drop();
    for _ in 0..values.div_ceil(VALUES_PER_REQUEST) {
        let request = request(&routes, &mut case.choices);
        let response =
            check_response(&mut connection, &request, ANY).map_err(|reason| format!("{reason}\n{request:?}"))?;
        counts.add_response(response.status);
        if response.field("connection") == Some("close") {
            connection = server.connect().reset_on_drop();
        }
    }
    Ok(())
}
