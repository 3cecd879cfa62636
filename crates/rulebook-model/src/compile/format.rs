//! Finds the response formats that a definition names. A format is the syntax of a response body, such as XML.

use super::lowering::Lowering;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::format::{FormatOffer, InvalidMediaType};
use crate::span::Spanned;

/// The name of the format that every API offers. If the setting `formats` lists this name, that has no effect.
const JSON_FORMAT_NAME: &str = "json";

impl Lowering<'_> {
    /// Returns the formats with these names. Unknown and duplicate names are reported and omitted.
    pub(crate) fn resolve_formats(&mut self, names: &[Spanned<String>]) -> Vec<FormatOffer> {
        let mut offered: Vec<FormatOffer> = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate().filter(|(_, name)| name.value != JSON_FORMAT_NAME) {
            if let Some(first) = names.iter().take(index).find(|other| other.value == name.value) {
                let message = format!("duplicate format `{}`", name.value.escape_debug());
                let error = Diagnostic::new(DiagnosticCode::BadOption, name.span, message).label("second occurrence");
                self.report(error.related(first.span, "first occurrence").help("remove one of the two"));
            } else if let Some(format) = self.resolve_format(name) {
                offered.push(format);
            }
        }
        offered
    }

    fn resolve_format(&mut self, name: &Spanned<String>) -> Option<FormatOffer> {
        let Some(format) = self.responses.formats.get(&name.value) else {
            let known: Vec<_> = self.responses.formats.names().collect();
            let message = format!("unknown response format `{}`", name.value.escape_debug());
            let error = Diagnostic::new(DiagnosticCode::BadOption, name.span, message).label("unknown format");
            let help = format!(
                "the formats are `{}`; a program can add others with `Rulebook::add_format`",
                known.join("`, `")
            );
            self.report(error.help(help).suggest(&name.value, known.iter().copied()));
            return None;
        };
        let offered = FormatOffer::new(format);
        if let Err(InvalidMediaType(media_type)) = &offered {
            let message = format!("the format `{}` has an invalid media type", name.value.escape_debug());
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, name.span, message)
                    .label(format!("media type `{}`", media_type.escape_debug()))
                    .help("a media type is written `type/subtype`: `text/csv; charset=utf-8`"),
            );
        }
        offered.ok()
    }
}
