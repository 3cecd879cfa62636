//! What the router takes, what OpenAPI describes and what OPTIONS lists are the same.

use super::subject::methods;
use super::{Claim, Counts, Subject};
use crate::{describe, openapi};

/// Each path of the document leads to the method that it describes; each method has all of its paths there, those
/// without optional positions too; the documents of modules are parts of it; OPTIONS lists each, on base and along the
/// way to its service.
pub const CLAIM: Claim = Claim { name: "routes", judge };

fn judge(subject: &mut Subject, _: usize, counts: &mut Counts) -> Result<(), String> {
    let engine = subject.echo()?;
    counts.methods += methods(engine.api()).len() as u64;
    openapi::paths::wait(openapi::paths::assert_same(engine.api()));
    openapi::modules::assert_parts(engine.api());
    describe::below::assert_all_is_found(&engine);
    Ok(())
}
