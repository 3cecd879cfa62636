//! The formats of answers beside JSON.

use super::lower::Lowering;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::format::{BadMediaType, Offered};
use crate::place::Placed;

/// The format that answers always have; to name it changes nothing.
const JSON: &str = "json";

impl Lowering<'_> {
    /// The formats of these names. What is unknown is left out.
    pub(super) fn formats(&mut self, names: &[Placed<String>]) -> Vec<Offered> {
        let mut offered: Vec<Offered> = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate().filter(|(_, name)| name.value != JSON) {
            if let Some(first) = names.iter().take(index).find(|other| other.value == name.value) {
                let message = format!("`{}` is offered twice", name.value.escape_debug());
                let fault = Diagnostic::new(Code::BadOption, name.place, message).label("the second one");
                self.tell(fault.other(first.place, "the first one").help("leave one of them out"));
            } else if let Some(format) = self.format(name) {
                offered.push(format);
            }
        }
        offered
    }

    fn format(&mut self, name: &Placed<String>) -> Option<Offered> {
        let Some(format) = self.answers.formats.get(&name.value) else {
            let known: Vec<_> = self.answers.formats.names().collect();
            let help = match nearest(&name.value, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "there are `{}`; a program makes others known with `Rulebook::add_format`",
                    known.join("`, `")
                ),
            };
            let message = format!("`{}` is no format of answers", name.value.escape_debug());
            let fault = Diagnostic::new(Code::BadOption, name.place, message).label("unknown format");
            self.tell(fault.help(help));
            return None;
        };
        let offered = Offered::new(format);
        if let Err(BadMediaType(media_type)) = &offered {
            let message = format!("the format `{}` has no media type", name.value.escape_debug());
            self.tell(
                Diagnostic::new(Code::BadOption, name.place, message)
                    .label(format!("`{}` is none", media_type.escape_debug()))
                    .help("a media type is written `type/subtype`, e.g. `text/csv; charset=utf-8`"),
            );
        }
        offered.ok()
    }
}
