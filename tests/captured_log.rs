//! Captures the log messages of this process, for tests that check what is logged.

use std::collections::BTreeMap;
use std::sync::{Mutex, Once};

use log::kv::{Error, Key, Value, VisitSource};

/// A line of the captured log.
#[derive(Debug, Clone)]
pub struct Line {
    pub level: log::Level,
    pub target: String,
    pub message: String,
    pub fields: BTreeMap<String, String>,
}

struct CapturedLog(Mutex<Vec<Line>>);

static CAPTURED_LOG: CapturedLog = CapturedLog(Mutex::new(Vec::new()));

impl log::Log for CapturedLog {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        struct FieldCollector(BTreeMap<String, String>);
        impl<'kvs> VisitSource<'kvs> for FieldCollector {
            fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
                self.0.insert(key.to_string(), value.to_string());
                Ok(())
            }
        }
        let mut fields = FieldCollector(BTreeMap::new());
        record.key_values().visit(&mut fields).unwrap();
        self.0.lock().unwrap().push(Line {
            level: record.level(),
            target: record.target().to_owned(),
            message: record.args().to_string(),
            fields: fields.0,
        });
    }

    fn flush(&self) {}
}

/// Starts to capture the log messages of this process. Further calls have no effect.
pub fn begin() {
    static INSTALL_LOGGER: Once = Once::new();
    INSTALL_LOGGER.call_once(|| {
        log::set_logger(&CAPTURED_LOG).unwrap();
        log::set_max_level(log::LevelFilter::Info);
    });
}

/// Returns the log lines since [`begin`] whose message contains this text.
pub fn logged(text: &str) -> Vec<Line> {
    CAPTURED_LOG.0.lock().unwrap().iter().filter(|line| line.message.contains(text)).cloned().collect()
}

/// Returns the lines of the access log (one line for each request) since [`begin`] whose message contains this text.
pub fn accesses(text: &str) -> Vec<Line> {
    logged(text).into_iter().filter(|line| line.target == "rulebook::access").collect()
}
