//! Random numbers and random cases that can be repeated.
//!
//! All random tests of a process use one seed. A test that fails prints the seed. The environment variable
//! `PROPTEST_RNG_SEED` sets the seed.

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::OnceLock;

use proptest::test_runner::{Config, RngSeed};

thread_local! {
    /// The number of random generators that the current test has started. Each test runs on a separate thread.
    static STARTED_GENERATORS: Cell<u64> = const { Cell::new(0) };
}

/// Returns the seed for the next random generator of the current test, for tests that create their generators
/// themselves. The first call in a test prints the seed of the
/// process, which the test harness shows if the test fails.
#[expect(clippy::print_stdout, reason = "the test harness captures what a test prints")]
pub fn next_seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    let seed = *SEED.get_or_init(|| match Config::default().rng_seed {
        RngSeed::Fixed(seed) => seed,
        // The seed has only 32 bits, so that it is easy to type.
        RngSeed::Random => RandomState::new().build_hasher().finish() & u64::from(u32::MAX),
    });
    let started = STARTED_GENERATORS.replace(STARTED_GENERATORS.get() + 1);
    if started == 0 {
        println!("to repeat the random cases: PROPTEST_RNG_SEED={seed}");
    }
    seed.wrapping_add(started)
}

/// Returns a configuration of `proptest` with this number of cases and a seed that is printed.
pub fn cases(count: u32) -> Config {
    Config { cases: count, rng_seed: RngSeed::Fixed(next_seed()), failure_persistence: None, ..Config::default() }
}

/// A generator of random numbers (SplitMix64) whose seed is printed.
pub struct Numbers(u64);

impl Numbers {
    /// Starts a sequence of random numbers.
    #[expect(clippy::new_without_default, reason = "each sequence is different")]
    pub fn new() -> Self {
        Self(next_seed())
    }

    /// Returns a random number from 0 to `limit - 1`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}
