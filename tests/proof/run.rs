//! Runs of claims over random definitions, each of a seed of its own.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::Claim;
use super::counts::Counts;
use super::subject::{Subject, subjects};

/// How often what disproves a claim is made smaller at most.
const MOST_SHRINKS: u32 = 3_000;
/// How long that may take, in milliseconds.
const SHRINK_TIME: u32 = 30_000;

/// A definition for which a claim does not hold.
pub struct Disproved {
    /// The claim.
    pub claim: &'static str,
    /// What of it is not so.
    pub why: String,
    /// The smallest definition for which that was found.
    pub subject: Subject,
    /// What it is made from again.
    pub seed: u64,
    /// How many values it was judged with.
    pub values: usize,
}

impl std::fmt::Display for Disproved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { claim, why, subject, seed, values } = self;
        write!(f, "{claim}: {why}\n{subject:?}\nto repeat: scripts/prove 1 {values} --seed {seed}")
    }
}

/// Judges the definition of a seed with these claims, and adds what each has looked at to the counts in its place.
pub fn judge(claims: &[Claim], seed: u64, values: usize, counts: &mut [Counts]) -> Result<(), Box<Disproved>> {
    let subject = RefCell::new(None);
    let made = runner(seed).run(&subjects(values), |own| {
        *subject.borrow_mut() = Some(own);
        Ok(())
    });
    let Some(subject) = subject.into_inner() else { panic!("seed {seed}: {made:?}") };
    // What the definition says is asked for once, for all claims.
    let _ = subject.api();
    for (claim, counts) in claims.iter().zip(counts) {
        let mut own = Counts { definitions: 1, ..Counts::default() };
        let mut tried = subject.clone();
        let held = catch_unwind(AssertUnwindSafe(|| (claim.judge)(&mut tried, values, &mut own)));
        if matches!(held, Ok(Ok(()))) {
            *counts += &own;
            continue;
        }
        let (why, subject) = smallest(*claim, seed, values).unwrap_or_else(|| {
            let why = held.map_or_else(|_| "it panicked".to_owned(), |held| held.err().unwrap_or_default());
            (format!("once, and not again: {why}"), subject)
        });
        return Err(Box::new(Disproved { claim: claim.name, why, subject, seed, values }));
    }
    Ok(())
}

/// The smallest definition that disproves a claim, made from that of a seed, and why; none where that does not do so.
fn smallest(claim: Claim, seed: u64, values: usize) -> Option<(String, Subject)> {
    let ended = runner(seed).run(&subjects(values), |mut subject| {
        (claim.judge)(&mut subject, values, &mut Counts::default()).map_err(TestCaseError::fail)
    });
    match ended {
        Ok(()) => None,
        Err(TestError::Fail(why, subject)) => Some((why.message().to_owned(), subject)),
        Err(TestError::Abort(why)) => panic!("seed {seed}: {why}"),
    }
}

fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: MOST_SHRINKS,
        max_shrink_time: SHRINK_TIME,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// Judges a claim on a few definitions, others in every run.
#[track_caller]
pub fn briefly(claim: Claim, definitions: u64, values: usize) -> Counts {
    let first = seed();
    let mut counts = [Counts::default()];
    for number in 0..definitions {
        if let Err(disproved) = judge(&[claim], first.wrapping_add(number), values, &mut counts) {
            panic!("{disproved}");
        }
    }
    let [counts] = counts;
    counts
}

/// A seed that differs from run to run.
pub fn seed() -> u64 {
    // Small enough to be typed.
    u64::from(getrandom::u32().unwrap())
}
