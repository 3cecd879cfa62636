//! Checks properties on random definitions, each generated from a seed of its own.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::Property;
use super::case::{Case, cases};
use super::counts::Counts;

/// The maximum number of steps in which a counterexample is shrunk.
const MAX_SHRINKS: u32 = 3_000;
/// The maximum time for shrinking a counterexample, in milliseconds.
const MAX_SHRINK_TIME: u32 = 30_000;

/// A definition that violates a property.
pub struct Counterexample {
    /// The name of the property.
    pub property: &'static str,
    /// Describes the violation.
    pub reason: String,
    /// The smallest such definition that was found.
    pub case: Case,
    /// The seed from which the definition was generated.
    pub seed: u64,
    /// The number of values that it was checked with.
    pub values: usize,
}

impl std::fmt::Display for Counterexample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { property, reason, case, seed, values } = self;
        write!(f, "{property}: {reason}\n{case:?}\nto repeat: scripts/properties 1 {values} --seed {seed}")
    }
}

/// Checks properties on the definition of a seed. Adds what was checked to `counts`, one for each property.
pub fn check(
    properties: &[Property],
    seed: u64,
    values: usize,
    counts: &mut [Counts],
) -> Result<(), Box<Counterexample>> {
    let case = RefCell::new(None);
    let generated = runner(seed).run(&cases(values), |new| {
        *case.borrow_mut() = Some(new);
        Ok(())
    });
    let Some(case) = case.into_inner() else { panic!("seed {seed}: {generated:?}") };
    for (property, counts) in properties.iter().zip(counts) {
        let mut new = Counts { definitions: 1, ..Counts::default() };
        let mut copy = case.clone();
        let result = catch_unwind(AssertUnwindSafe(|| (property.check)(&mut copy, values, &mut new)));
        if matches!(result, Ok(Ok(()))) {
            *counts += &new;
            continue;
        }
        let (reason, case) = shrink(*property, seed, values).unwrap_or_else(|| {
            let reason = result.map_or_else(|_| "it panicked".to_owned(), |result| result.err().unwrap_or_default());
            (format!("once, and not again: {reason}"), case)
        });
        return Err(Box::new(Counterexample { property: property.name, reason, case, seed, values }));
    }
    Ok(())
}

/// Shrinks the definition of a seed to the smallest counterexample, and returns the reason too. Returns `None` if the
/// property holds when it is checked again.
fn shrink(property: Property, seed: u64, values: usize) -> Option<(String, Case)> {
    let result = runner(seed).run(&cases(values), |mut case| {
        (property.check)(&mut case, values, &mut Counts::default()).map_err(TestCaseError::fail)
    });
    match result {
        Ok(()) => None,
        Err(TestError::Fail(reason, case)) => Some((reason.message().to_owned(), case)),
        Err(TestError::Abort(reason)) => panic!("seed {seed}: {reason}"),
    }
}

fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: MAX_SHRINKS,
        max_shrink_time: MAX_SHRINK_TIME,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// Checks a property on a few definitions, which differ from run to run.
#[track_caller]
pub fn briefly(property: Property, definitions: u64, values: usize) -> Counts {
    let first = random_seed();
    let mut counts = [Counts::default()];
    for number in 0..definitions {
        if let Err(counterexample) = check(&[property], first.wrapping_add(number), values, &mut counts) {
            panic!("{counterexample}");
        }
    }
    let [counts] = counts;
    counts
}

/// Returns a random seed.
pub fn random_seed() -> u64 {
    // 32 bits are short enough to type.
    u64::from(getrandom::u32().unwrap())
}
