//! Checks all properties on many definitions, as `scripts/properties` asks for.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::PROPERTIES;
use super::counts::Counts;
use super::runner;

/// The interval at which the progress is shown.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);

/// The state that all threads share.
struct Run {
    definitions: u64,
    /// The number of values for each definition.
    values: usize,
    seed: u64,
    next: AtomicU64,
    stopped: AtomicBool,
    /// The number of counterexamples found.
    counterexamples: AtomicUsize,
    /// The counts of each property.
    counts: Mutex<Vec<Counts>>,
}

/// The number of counterexamples after which the run stops.
const MAX_COUNTEREXAMPLES: usize = 8;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().filter(|text| !text.is_empty()).map(|text| text.parse().unwrap())
}

#[test]
#[ignore = "takes as long as scripts/properties asks for"]
fn all_properties_hold() {
    let definitions = setting("PROPERTIES_DEFINITIONS").unwrap_or(1_000);
    let values = setting("PROPERTIES_VALUES").unwrap_or(definitions * 10);
    // Rounded up, to make up for definitions that have nothing to check with values.
    let values = usize::try_from(values.div_ceil(definitions.max(1))).unwrap();
    let run = Run {
        definitions,
        values,
        seed: setting("PROPERTIES_SEED").unwrap_or_else(runner::random_seed),
        next: AtomicU64::new(0),
        stopped: AtomicBool::new(false),
        counterexamples: AtomicUsize::new(0),
        counts: Mutex::new(vec![Counts::default(); PROPERTIES.len()]),
    };
    // A panic is reported with its counterexample, not each time that it occurs while the definition is shrunk.
    std::panic::set_hook(Box::new(|_| {}));
    let started = Instant::now();
    // Threads spend much of their time waiting for the servers that they start, call and stop.
    let threads = 2 * std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| run.work())).collect();
        if std::io::stderr().is_terminal() {
            scope.spawn(|| run.show_progress());
        }
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        run.stopped.store(true, Ordering::Relaxed);
    });
    let _ = std::panic::take_hook();
    run.print_table(started.elapsed());
    assert_eq!(run.counterexamples.into_inner(), 0, "counterexamples were found");
}

impl Run {
    /// Checks definitions until all are checked or there are too many counterexamples. Prints counterexamples as they
    /// are found.
    fn work(&self) {
        let mut counts = vec![Counts::default(); PROPERTIES.len()];
        while !self.stopped.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.definitions {
                break;
            }
            let seed = self.seed.wrapping_add(number);
            if let Err(counterexample) = runner::check(PROPERTIES, seed, self.values, &mut counts) {
                let _ = writeln!(std::io::stderr(), "\n{counterexample}\n");
                if self.counterexamples.fetch_add(1, Ordering::Relaxed) + 1 >= MAX_COUNTEREXAMPLES {
                    self.stopped.store(true, Ordering::Relaxed);
                }
            }
        }
        let mut all = self.counts.lock().unwrap();
        all.iter_mut().zip(&counts).for_each(|(all, counts)| *all += counts);
    }

    fn show_progress(&self) {
        let mut terminal = std::io::stderr();
        while !self.stopped.load(Ordering::Relaxed) {
            let done = self.next.load(Ordering::Relaxed).min(self.definitions);
            // The run continues even if the terminal is closed.
            let _ = write!(terminal, "\r{done} of {} definitions ", self.definitions);
            std::thread::sleep(PROGRESS_INTERVAL);
        }
        let _ = writeln!(terminal);
    }

    fn print_table(&self, elapsed: Duration) {
        let mut out = std::io::stdout();
        let _ = writeln!(
            out,
            "\n{:<12} {:>11} {:>10} {:>10} {:>10}",
            "property", "definitions", "methods", "values", "requests"
        );
        let counts = self.counts.lock().unwrap();
        let rows: BTreeMap<usize, _> = PROPERTIES.iter().zip(counts.iter()).enumerate().collect();
        for (property, counts) in rows.into_values() {
            let _ = writeln!(out, "{:<12} {counts}", property.name);
        }
        let _ = writeln!(out, "seed {}, {} s", self.seed, elapsed.as_secs());
    }
}
