//! That nothing disagrees: what is checked, described, listed and answered are one API.
//!
//! In charge of claims that hold for every definition and every request, each judged over random ones. Every run of
//! the tests judges a few; `scripts/prove` as many as it is told, with both the progress and the counts shown. A
//! definition comes of a seed of its own, so that the one that disproves a claim can be made again alone. Must not hold
//! cases of its own: what was found wrong once is a test with a name, in `found`.

mod answered;
mod answers;
mod borders;
mod checks;
mod counts;
mod found;
mod long;
mod requests;
mod routes;
mod run;
mod scopes;
mod served;
mod subject;
mod texts;
mod told;
mod written;

use self::counts::Counts;
use self::subject::Subject;

/// Something that is true of every definition.
#[derive(Clone, Copy)]
pub struct Claim {
    /// What it is called in the table of counts.
    name: &'static str,
    /// Judges a definition, with so many values where there are values in it, and counts what it has looked at.
    judge: fn(&mut Subject, usize, &mut Counts) -> Result<(), String>,
}

/// All claims, in the order of the table.
const CLAIMS: &[Claim] = &[checks::CLAIM, texts::CLAIM, routes::CLAIM, answers::CLAIM, scopes::CLAIM, answered::CLAIM];

#[test]
fn checks_take_what_their_schemas_say() {
    run::briefly(checks::CLAIM, 40, 40);
}

#[test]
fn what_is_written_of_an_api_is_the_api_again() {
    run::briefly(texts::CLAIM, 10, 0);
}

#[test]
fn what_is_routed_described_and_listed_is_the_same() {
    run::briefly(routes::CLAIM, 8, 0);
}

#[test]
fn what_is_described_is_what_is_done() {
    run::briefly(answers::CLAIM, 10, 80);
}

#[test]
fn what_is_listed_as_allowed_is_what_is_allowed() {
    run::briefly(scopes::CLAIM, 10, 80);
}
