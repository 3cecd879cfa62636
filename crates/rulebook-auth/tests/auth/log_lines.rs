//! The log of the process, for tests that check what is logged.

use std::sync::{Mutex, Once};

struct CapturedLog(Mutex<Vec<String>>);

static CAPTURED_LOG: CapturedLog = CapturedLog(Mutex::new(Vec::new()));

impl log::Log for CapturedLog {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().unwrap().push(format!("{} {}", record.level(), record.args()));
    }

    fn flush(&self) {}
}

/// Starts to capture the log. Further calls have no effect.
pub fn capture() {
    static INSTALL_LOGGER: Once = Once::new();
    INSTALL_LOGGER.call_once(|| {
        log::set_logger(&CAPTURED_LOG).unwrap();
        log::set_max_level(log::LevelFilter::Info);
    });
}

/// Returns the number of captured lines that contain a text. A line begins with its level.
pub fn containing(text: &str) -> usize {
    CAPTURED_LOG.0.lock().unwrap().iter().filter(|line| line.contains(text)).count()
}
