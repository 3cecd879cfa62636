//! The options of a method.

use serde_json::Value as Json;

use super::lower::Lowering;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::MethodOptions;
use crate::place::Placed;

/// Every option of a method.
const OPTIONS: [&str; 4] = ["status", "download", "jsonp", "deprecated"];

impl Lowering<'_> {
    /// Lowers the options of a method.
    pub(super) fn options(&mut self, written: &[(Placed<String>, Placed<Json>)]) -> MethodOptions {
        let mut options = MethodOptions::default();
        for (key, value) in written {
            match key.value.as_str() {
                "status" => options.status = self.status(value).unwrap_or(options.status),
                "deprecated" => options.deprecated = self.truth(key, value),
                "download" => options.download = self.later(key, value),
                "jsonp" => options.jsonp = self.later(key, value),
                unknown => self.tell(
                    Diagnostic::new(
                        Code::BadOption,
                        key.place,
                        format!("a method has no option `{}`", unknown.escape_debug()),
                    )
                    .label("unknown option")
                    .choose(unknown, &OPTIONS),
                ),
            }
        }
        options
    }

    /// The HTTP status of a success.
    fn status(&mut self, value: &Placed<Json>) -> Option<u16> {
        let Json::Number(number) = &value.value else {
            self.wrong_kind("status", "a number", value);
            return None;
        };
        let status =
            number.as_u64().and_then(|status| u16::try_from(status).ok()).filter(|status| (200..=299).contains(status));
        if status.is_none() {
            self.tell(
                Diagnostic::new(Code::BadOption, value.place, format!("{number} is no HTTP status of a success"))
                    .label("expected 200 to 299")
                    .help("the status of errors is said in `errors`"),
            );
        }
        status
    }

    fn truth(&mut self, key: &Placed<String>, value: &Placed<Json>) -> bool {
        if let Json::Bool(truth) = value.value {
            return truth;
        }
        self.wrong_kind(&key.value, "true or false", value);
        false
    }

    /// An option that exists but cannot be had yet.
    fn later(&mut self, key: &Placed<String>, value: &Placed<Json>) -> bool {
        let wanted = self.truth(key, value);
        if wanted {
            self.tell(
                Diagnostic::new(Code::BadOption, value.place, format!("`{}` is not supported yet", key.value))
                    .label("not supported yet")
                    .help("leave it out, or set it to false"),
            );
        }
        wanted
    }

    fn wrong_kind(&mut self, option: &str, expected: &str, value: &Placed<Json>) {
        let kind = match value.value {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Number(_) => "a number",
            Json::String(_) => "a string",
            Json::Array(_) => "an array",
            Json::Object(_) => "an object",
        };
        self.tell(
            Diagnostic::new(Code::WrongKind, value.place, format!("`{option}` is {expected}, but here is {kind}"))
                .label(format!("expected {expected}")),
        );
    }
}

impl Diagnostic {
    /// Help with choosing one of `known`: the one that `word` was meant to be, or all of them.
    pub(super) fn choose(self, word: &str, known: &[&str]) -> Self {
        match crate::diagnostic::nearest(word, known.iter().copied()) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => {
                let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                self.help(format!("it is one of {}", names.join(", ")))
            }
        }
    }
}
