//! Captures the log messages of this process, with the ids of requests.

use std::sync::{Mutex, Once};

use log::Level;
use log::kv::Key;

/// The message, the id of the request and the level of each record.
static RECORDS: Mutex<Vec<(String, Option<String>, Level)>> = Mutex::new(Vec::new());

/// A log message with this text makes the logger panic.
pub const PANIC: &str = "let the logger panic";

struct CapturedLog;

impl log::Log for CapturedLog {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let message = record.args().to_string();
        assert!(!message.contains(PANIC), "the logger panics");
        let request_id = record.key_values().get(Key::from("request_id")).map(|id| id.to_string());
        RECORDS.lock().unwrap().push((message, request_id, record.level()));
    }

    fn flush(&self) {}
}

/// Starts to capture the log. Further calls have no effect.
pub fn begin() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        log::set_logger(&CapturedLog).unwrap();
        log::set_max_level(log::LevelFilter::Info);
    });
}

/// Returns the message and the id of the request of each record since [`begin`] whose message contains a text.
pub fn records(text: &str) -> Vec<(String, Option<String>)> {
    levels(text).into_iter().map(|(message, id, _)| (message, id)).collect()
}

/// Returns the message, the id of the request and the level of each record since [`begin`] whose message contains a
/// text.
pub fn levels(text: &str) -> Vec<(String, Option<String>, Level)> {
    RECORDS.lock().unwrap().iter().filter(|(message, ..)| message.contains(text)).cloned().collect()
}
