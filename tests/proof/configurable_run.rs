//! Checks all properties on many definitions. `scripts/properties` runs this test and sets the number of definitions.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use support::random::next_seed;

use super::PROPERTIES;
use super::counts::PropertyCounts;
use super::runner;

/// The interval between two updates of the shown progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);

/// The state that all threads of the run share.
struct PropertyRun {
    definition_count: u64,
    /// The number of values with which each definition is checked.
    values_per_definition: usize,
    first_seed: u64,
    next_definition: AtomicU64,
    is_stopped: AtomicBool,
    /// The number of counterexamples found.
    counterexamples: AtomicUsize,
    /// The counts of each property, in the order of [`PROPERTIES`].
    counts: Mutex<Vec<PropertyCounts>>,
}

/// The number of counterexamples after which the run stops.
const MAX_COUNTEREXAMPLES: usize = 8;

/// Returns the number in an environment variable; `None` if the variable is not set or is empty.
fn environment_number(name: &str) -> Option<u64> {
    std::env::var(name).ok().filter(|text| !text.is_empty()).map(|text| text.parse().unwrap())
}

#[test]
#[ignore = "takes as long as scripts/properties asks for"]
fn all_properties_hold() {
    let definitions = environment_number("PROPERTIES_DEFINITIONS").unwrap_or(1_000);
    let values = environment_number("PROPERTIES_VALUES").unwrap_or(definitions * 10);
    // The number is rounded up, because definitions without types have nothing to check with values.
    let values = usize::try_from(values.div_ceil(definitions.max(1))).unwrap();
    let run = PropertyRun {
        definition_count: definitions,
        values_per_definition: values,
        first_seed: environment_number("PROPERTIES_SEED").unwrap_or_else(next_seed),
        next_definition: AtomicU64::new(0),
        is_stopped: AtomicBool::new(false),
        counterexamples: AtomicUsize::new(0),
        counts: Mutex::new(vec![PropertyCounts::default(); PROPERTIES.len()]),
    };
    // A panic is reported once, with its counterexample. Without this hook, each panic would be reported while the
    // definition is shrunk.
    std::panic::set_hook(Box::new(|_| {}));
    let started = Instant::now();
    // There are more threads than processors, because threads often wait for the servers that they start and stop.
    let threads = 2 * std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| run.check_definitions())).collect();
        if std::io::stderr().is_terminal() {
            scope.spawn(|| run.show_progress());
        }
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        run.is_stopped.store(true, Ordering::Relaxed);
    });
    let _ = std::panic::take_hook();
    run.print_table(started.elapsed());
    assert_eq!(run.counterexamples.into_inner(), 0, "counterexamples were found");
}

impl PropertyRun {
    /// Checks definitions until all are checked or there are too many counterexamples. Each counterexample is printed
    /// when it is found.
    fn check_definitions(&self) {
        let mut counts = vec![PropertyCounts::default(); PROPERTIES.len()];
        while !self.is_stopped.load(Ordering::Relaxed) {
            let number = self.next_definition.fetch_add(1, Ordering::Relaxed);
            if number >= self.definition_count {
                break;
            }
            let seed = self.first_seed.wrapping_add(number);
            if let Err(counterexample) =
                runner::check_definition(PROPERTIES, seed, self.values_per_definition, &mut counts)
            {
                let _ = writeln!(std::io::stderr(), "\n{counterexample}\n");
                if self.counterexamples.fetch_add(1, Ordering::Relaxed) + 1 >= MAX_COUNTEREXAMPLES {
                    self.is_stopped.store(true, Ordering::Relaxed);
                }
            }
        }
        let mut all = self.counts.lock().unwrap();
        all.iter_mut().zip(&counts).for_each(|(all, counts)| *all += counts);
    }

    fn show_progress(&self) {
        let mut terminal = std::io::stderr();
        while !self.is_stopped.load(Ordering::Relaxed) {
            let done = self.next_definition.load(Ordering::Relaxed).min(self.definition_count);
            // The run continues even if the progress cannot be written, for example because the terminal is closed.
            let _ = write!(terminal, "\r{done} of {} definitions ", self.definition_count);
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
        let _ = writeln!(out, "seed {}, {} s", self.first_seed, elapsed.as_secs());
    }
}
