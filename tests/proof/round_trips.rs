//! The property that an API which is printed as a definition is loaded as the same API.

use super::case::methods;
use super::{Property, PropertyCase, PropertyCounts};
use crate::describe;

/// Four definitions have the same model: the original definition, its canonical form, the response to OPTIONS at the
/// base path, and the responses to OPTIONS of all services, saved as files. The response of each single service also
/// gives an equal service.
pub const PROPERTY: Property = Property { name: "round trips", check: check_round_trips };

fn check_round_trips(case: &mut PropertyCase, _: usize, counts: &mut PropertyCounts) -> Result<(), String> {
    let engine = case.echo_engine()?;
    let api = engine.api();
    counts.methods += methods(api).len() as u64;
    support::canonical::assert_same(api);
    describe::options_responses::assert_matches_model(api);
    describe::reload::assert_documents_define_the_same_modules(api);
    Ok(())
}
