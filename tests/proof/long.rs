//! All claims over as many definitions and values as `scripts/prove` is told.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::CLAIMS;
use super::counts::Counts;
use super::run;

/// How often it is shown how far it is.
const PERIOD: Duration = Duration::from_millis(500);

/// What all threads have in common.
struct Proof {
    definitions: u64,
    /// Values for each definition.
    values: usize,
    seed: u64,
    next: AtomicU64,
    stopped: AtomicBool,
    /// How many definitions have disproved a claim.
    disproved: AtomicUsize,
    /// Counts in the places of their claims.
    counts: Mutex<Vec<Counts>>,
}

/// How many definitions may disprove a claim before no more are looked for.
const MOST_DISPROVED: usize = 8;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().filter(|text| !text.is_empty()).map(|text| text.parse().unwrap())
}

#[test]
#[ignore = "as long as scripts/prove says"]
fn all_claims_hold() {
    let definitions = setting("PROVE_DEFINITIONS").unwrap_or(1_000);
    let values = setting("PROVE_VALUES").unwrap_or(definitions * 10);
    // The parts of a definition that cannot be judged have no values, so that each gets a few more.
    let each = usize::try_from(values.div_ceil(definitions.max(1))).unwrap();
    let proof = Proof {
        definitions,
        values: each,
        seed: setting("PROVE_SEED").unwrap_or_else(run::seed),
        next: AtomicU64::new(0),
        stopped: AtomicBool::new(false),
        disproved: AtomicUsize::new(0),
        counts: Mutex::new(vec![Counts::default(); CLAIMS.len()]),
    };
    // What panics is told where it is found, not each time that it is made smaller.
    std::panic::set_hook(Box::new(|_| {}));
    let started = Instant::now();
    // Each waits for the servers that it starts, asks and stops.
    let threads = 2 * std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| proof.work())).collect();
        if std::io::stderr().is_terminal() {
            scope.spawn(|| proof.show());
        }
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        proof.stopped.store(true, Ordering::Relaxed);
    });
    let _ = std::panic::take_hook();
    proof.table(started.elapsed());
    assert_eq!(proof.disproved.into_inner(), 0, "definitions disprove a claim");
}

impl Proof {
    /// Judges definitions until there are none left, or enough have disproved a claim. Those are told when they are
    /// found.
    fn work(&self) {
        let mut counts = vec![Counts::default(); CLAIMS.len()];
        while !self.stopped.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.definitions {
                break;
            }
            if let Err(disproved) = run::judge(CLAIMS, self.seed.wrapping_add(number), self.values, &mut counts) {
                let _ = writeln!(std::io::stderr(), "\n{disproved}\n");
                if self.disproved.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_DISPROVED {
                    self.stopped.store(true, Ordering::Relaxed);
                }
            }
        }
        let mut all = self.counts.lock().unwrap();
        all.iter_mut().zip(&counts).for_each(|(all, own)| *all += own);
    }

    /// Shows whoever waits at a terminal how far it is.
    fn show(&self) {
        let mut terminal = std::io::stderr();
        while !self.stopped.load(Ordering::Relaxed) {
            let done = self.next.load(Ordering::Relaxed).min(self.definitions);
            // Nobody waits at a terminal that cannot be written to.
            let _ = write!(terminal, "\r{done} of {} definitions ", self.definitions);
            std::thread::sleep(PERIOD);
        }
        let _ = writeln!(terminal);
    }

    fn table(&self, took: Duration) {
        let mut out = std::io::stdout();
        let _ = writeln!(
            out,
            "\n{:<10} {:>11} {:>10} {:>10} {:>10}",
            "claim", "definitions", "methods", "values", "requests"
        );
        let counts = self.counts.lock().unwrap();
        let rows: BTreeMap<usize, _> = CLAIMS.iter().zip(counts.iter()).enumerate().collect();
        for (claim, counts) in rows.into_values() {
            let _ = writeln!(out, "{:<10} {counts}", claim.name);
        }
        let _ = writeln!(out, "seed {}, {} s", self.seed, took.as_secs());
    }
}
