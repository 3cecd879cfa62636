//! What OPTIONS answers, what is printed and what any dialect says are the same API.

use super::subject::methods;
use super::{Claim, Counts, Subject};
use crate::{compile, describe};

/// A definition, its canonical text, what OPTIONS answers on base, and the answers at all services saved as files are
/// one model, and so is each service alone.
pub const CLAIM: Claim = Claim { name: "texts", judge };

fn judge(subject: &mut Subject, _: usize, counts: &mut Counts) -> Result<(), String> {
    let engine = subject.echo()?;
    let api = engine.api();
    counts.methods += methods(api).len() as u64;
    compile::canonical::assert_same(api);
    describe::contents::assert_says_what_is(api);
    describe::saved::assert_files_are_the_modules(api);
    Ok(())
}
