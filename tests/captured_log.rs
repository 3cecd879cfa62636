//! The log of this process, for tests that read it.

use std::collections::BTreeMap;
use std::sync::{Mutex, Once};

use log::kv::{Error, Key, Value, VisitSource};

/// A line of the log.
#[derive(Debug, Clone)]
pub struct Line {
    pub level: log::Level,
    pub target: String,
    pub message: String,
    pub fields: BTreeMap<String, String>,
}

struct Log(Mutex<Vec<Line>>);

static LOG: Log = Log(Mutex::new(Vec::new()));

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        struct Fields(BTreeMap<String, String>);
        impl<'kvs> VisitSource<'kvs> for Fields {
            fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
                self.0.insert(key.to_string(), value.to_string());
                Ok(())
            }
        }
        let mut fields = Fields(BTreeMap::new());
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

/// Begins to record the log.
pub fn begin() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        log::set_logger(&LOG).unwrap();
        log::set_max_level(log::LevelFilter::Info);
    });
}

/// Returns the lines logged since [`begin`] that contain this text.
pub fn logged(text: &str) -> Vec<Line> {
    LOG.0.lock().unwrap().iter().filter(|line| line.message.contains(text)).cloned().collect()
}

/// Returns those lines of the access log that contain this text.
pub fn accesses(text: &str) -> Vec<Line> {
    logged(text).into_iter().filter(|line| line.target == "rulebook::access").collect()
}
