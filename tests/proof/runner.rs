//! Checks properties on random definitions, each of which is generated from a different seed.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use support::random::next_seed;

use super::Property;
use super::case::{PropertyCase, property_cases};
use super::counts::PropertyCounts;

/// The maximum number of steps in which a counterexample is shrunk.
const MAX_SHRINK_STEPS: u32 = 3_000;
/// The maximum duration of shrinking a counterexample, in milliseconds.
const MAX_SHRINK_MILLISECONDS: u32 = 30_000;

/// A definition that violates a property.
pub struct Counterexample {
    /// The name of the property.
    pub property: &'static str,
    /// The description of the violation.
    pub reason: String,
    /// The smallest definition that was found to violate the property.
    pub case: PropertyCase,
    /// The seed from which the definition was generated.
    pub seed: u64,
    /// The number of values with which the definition was checked.
    pub values: usize,
}

impl std::fmt::Display for Counterexample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { property, reason, case, seed, values } = self;
        write!(f, "{property}: {reason}\n{case:?}\nto repeat: scripts/properties 1 {values} --seed {seed}")
    }
}

/// Checks properties on the definition that is generated from a seed. `counts` has an item for each property, to which
/// the counts of this check are added.
pub fn check_definition(
    properties: &[Property],
    seed: u64,
    values: usize,
    counts: &mut [PropertyCounts],
) -> Result<(), Box<Counterexample>> {
    let case = RefCell::new(None);
    let generated = seeded_runner(seed).run(&property_cases(values), |new| {
        *case.borrow_mut() = Some(new);
        Ok(())
    });
    let Some(case) = case.into_inner() else { panic!("seed {seed}: {generated:?}") };
    for (property, counts) in properties.iter().zip(counts) {
        let mut new = PropertyCounts { definitions: 1, ..PropertyCounts::default() };
        let mut copy = case.clone();
        let result = catch_unwind(AssertUnwindSafe(|| (property.check)(&mut copy, values, &mut new)));
        if matches!(result, Ok(Ok(()))) {
            *counts += &new;
            continue;
        }
        let (reason, case) = shrink_counterexample(*property, seed, values).unwrap_or_else(|| {
            let reason = result.map_or_else(|_| "it panicked".to_owned(), |result| result.err().unwrap_or_default());
            (format!("once, and not again: {reason}"), case)
        });
        return Err(Box::new(Counterexample { property: property.name, reason, case, seed, values }));
    }
    Ok(())
}

/// Shrinks the definition of a seed to the smallest counterexample that is found. Returns the reason of the violation
/// and the definition; `None` if checking the property again finds no violation.
fn shrink_counterexample(property: Property, seed: u64, values: usize) -> Option<(String, PropertyCase)> {
    let result = seeded_runner(seed).run(&property_cases(values), |mut case| {
        (property.check)(&mut case, values, &mut PropertyCounts::default()).map_err(TestCaseError::fail)
    });
    match result {
        Ok(()) => None,
        Err(TestError::Fail(reason, case)) => Some((reason.message().to_owned(), case)),
        Err(TestError::Abort(reason)) => panic!("seed {seed}: {reason}"),
    }
}

fn seeded_runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: MAX_SHRINK_STEPS,
        max_shrink_time: MAX_SHRINK_MILLISECONDS,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// Checks a property on a few definitions. Their seeds differ from run to run, unless `PROPTEST_RNG_SEED` is set.
#[track_caller]
pub fn check_few_definitions(property: Property, definitions: u64, values: usize) -> PropertyCounts {
    let first = next_seed();
    let mut counts = [PropertyCounts::default()];
    for number in 0..definitions {
        if let Err(counterexample) = check_definition(&[property], first.wrapping_add(number), values, &mut counts) {
            panic!("{counterexample}");
        }
    }
    let [counts] = counts;
    counts
}
