//! A queue between the lines that a server writes, such as those of its log, and a reader that may not read them.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// The maximum number of lines that wait in one queue.
const MAX_WAITING_LINES: usize = 1024;
/// At the end of a program, how long it waits for a reader that reads nothing.
const STALL_TIMEOUT: Duration = Duration::from_millis(500);
/// At the end of a program, how long it waits for a slow reader.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// The number of lines that all queues of this process have dropped.
static DROPPED_LINES: AtomicU64 = AtomicU64::new(0);

/// Writes lines from a thread of its own, so that a reader that does not read them cannot stop the program.
///
/// A pipe that is not read accepts 64 KiB on Linux. After that, each thread that writes to it waits. A queue keeps up
/// to 1,024 further lines; others are dropped, counted in the metric `rulebook_log_lines_dropped_total`, and reported
/// by a line in the log as soon as the reader has read those that wait.
///
/// A program that uses `rulebook_cli` has such queues for its log and its output. Another program can pass one to its
/// logger:
///
/// ```no_run
/// use std::io::Write;
///
/// # fn set_logger(_: Box<dyn Write + Send>) {}
/// # fn main() -> std::io::Result<()> {
/// let log = rulebook::LineQueue::start("standard error", std::io::stderr())?;
/// // With the crate `env_logger`: `builder.target(env_logger::Target::Pipe(Box::new(log.clone())))`.
/// set_logger(Box::new(log.clone()));
/// // The program ends.
/// log.finish();
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct LineQueue {
    lines: SyncSender<Vec<u8>>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    accepted: AtomicU64,
    written: AtomicU64,
    dropped: AtomicU64,
}

impl LineQueue {
    /// Starts the thread that writes the lines. `name` says in messages where they are written.
    ///
    /// # Errors
    /// Fails if the thread cannot be started.
    pub fn start(name: &'static str, to: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, waiting) = sync_channel(MAX_WAITING_LINES);
        let queue = Self { lines, counts: Arc::default() };
        let counts = Arc::clone(&queue.counts);
        thread::Builder::new().name("lines".to_owned()).spawn(move || counts.write_all(name, &waiting, to))?;
        Ok(queue)
    }

    /// Waits until all lines have been written, but not for a reader that does not read: at most half a second without
    /// progress, and five seconds in total.
    pub fn finish(&self) {
        let (begun, mut written, mut progress) = (Instant::now(), 0, Instant::now());
        while written < self.counts.accepted.load(Ordering::Acquire)
            && begun.elapsed() < FINISH_TIMEOUT
            && progress.elapsed() < STALL_TIMEOUT
        {
            thread::sleep(POLL_INTERVAL);
            let now = self.counts.written.load(Ordering::Acquire);
            if now > written {
                (written, progress) = (now, Instant::now());
            }
        }
    }
}

/// Adds whole lines, and never waits or fails.
impl Write for LineQueue {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let Counts { accepted, dropped, .. } = &*self.counts;
        accepted.fetch_add(1, Ordering::AcqRel);
        if self.lines.try_send(lines.to_vec()).is_err() {
            accepted.fetch_sub(1, Ordering::AcqRel);
            dropped.fetch_add(1, Ordering::Relaxed);
            DROPPED_LINES.fetch_add(1, Ordering::Relaxed);
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Counts {
    /// Runs as long as the process.
    fn write_all(&self, name: &str, waiting: &Receiver<Vec<u8>>, mut to: impl Write) {
        while let Ok(first) = waiting.recv() {
            for lines in std::iter::once(first).chain(waiting.try_iter()) {
                if to.write_all(&lines).and_then(|()| to.flush()).is_err() {
                    DROPPED_LINES.fetch_add(1, Ordering::Relaxed);
                }
                self.written.fetch_add(1, Ordering::AcqRel);
            }
            // The queue is empty, so that it accepts this line.
            match self.dropped.swap(0, Ordering::Relaxed) {
                0 => {}
                count => log::error!("{count} lines were dropped, because {name} did not accept them in time"),
            }
        }
    }
}

/// Returns the number of dropped lines since the start of this process.
pub(crate) fn dropped_lines() -> u64 {
    DROPPED_LINES.load(Ordering::Relaxed)
}
