//! The router, the OpenAPI document and the lists of OPTIONS have the same methods.

use super::case::methods;
use super::{Case, Counts, Property};
use crate::{describe, openapi};

/// Each path of the OpenAPI document leads to the method that it describes. The document has all paths of each method,
/// also those without optional positions. The documents of modules are parts of it. OPTIONS lists each method, at the
/// base path and at every path above its service.
pub const PROPERTY: Property = Property { name: "routes", check };

fn check(case: &mut Case, _: usize, counts: &mut Counts) -> Result<(), String> {
    let engine = case.echo()?;
    counts.methods += methods(engine.api()).len() as u64;
    openapi::paths::block_on(openapi::paths::assert_consistent(engine.api()));
    openapi::modules::assert_parts(engine.api());
    describe::links::assert_every_service_is_linked(&engine);
    Ok(())
}
