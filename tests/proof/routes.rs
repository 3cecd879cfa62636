//! The property that the router, the OpenAPI document and the responses to OPTIONS have the same methods.

use super::case::methods;
use super::{Property, PropertyCase, PropertyCounts};
use crate::{describe, openapi};

/// Each path of the OpenAPI document leads to the method that it describes. The document contains all paths of each
/// method, including those without its optional positions. The documents of API modules are parts of the document.
/// OPTIONS lists each method at the base path and at every path above the method's service.
pub const PROPERTY: Property = Property { name: "routes", check: check_routes };

fn check_routes(case: &mut PropertyCase, _: usize, counts: &mut PropertyCounts) -> Result<(), String> {
    let engine = case.echo_engine()?;
    counts.methods += methods(engine.api()).len() as u64;
    openapi::paths::run_future(openapi::paths::assert_same_methods(engine.api()));
    openapi::modules::assert_module_documents(engine.api());
    describe::links::assert_every_service_is_linked(&engine);
    Ok(())
}
