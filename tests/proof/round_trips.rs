//! An API that is printed as a definition loads as the same API.

use super::case::methods;
use super::{Case, Counts, Property};
use crate::describe;

/// A definition, its canonical form, the response to OPTIONS at the base path, and the responses to OPTIONS of all
/// services saved as files give the same model. So does each service alone.
pub const PROPERTY: Property = Property { name: "round trips", check };

fn check(case: &mut Case, _: usize, counts: &mut Counts) -> Result<(), String> {
    let engine = case.echo()?;
    let api = engine.api();
    counts.methods += methods(api).len() as u64;
    support::canonical::assert_same(api);
    describe::contents::assert_matches_model(api);
    describe::reload::assert_documents_load_to_the_same_modules(api);
    Ok(())
}
