//! The options of a method.

use super::lower::Lowering;
use crate::definition::written::{Options, Output};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::MethodOptions;
use crate::place::Placed;

/// The statuses of answers that have no body (RFC 9110 sections 15.3.5 and 15.3.6).
const WITHOUT_BODY: [u16; 2] = [204, 205];

impl Lowering<'_> {
    /// Lowers the options of a method that has these outputs.
    pub(super) fn options(&mut self, written: &Options, outputs: &[Output]) -> MethodOptions {
        let Options { status, download, jsonp, deprecated } = written;
        MethodOptions {
            status: status.as_ref().and_then(|status| self.status(status, outputs)).unwrap_or(200),
            download: self.later("download", download.as_ref()),
            jsonp: jsonp.as_ref().map(|jsonp| jsonp.value),
            deprecated: deprecated.as_ref().is_some_and(|deprecated| deprecated.value),
        }
    }

    /// The HTTP status of a success.
    fn status(&mut self, written: &Placed<u64>, outputs: &[Output]) -> Option<u16> {
        let status = u16::try_from(written.value).ok().filter(|status| MethodOptions::STATUSES.contains(status));
        let Some(status) = status else {
            self.tell(
                Diagnostic::new(
                    Code::BadOption,
                    written.place,
                    format!("{} is no HTTP status of a success", written.value),
                )
                .label("expected 200 to 299")
                .help("the status of errors is said in `errors`"),
            );
            return None;
        };
        if let Some(output) = outputs.first().filter(|_| WITHOUT_BODY.contains(&status)) {
            self.tell(
                Diagnostic::new(Code::BadOption, written.place, format!("an answer of status {status} has no body"))
                    .label("leaves no room for outputs")
                    .other(output.name.place, "an output")
                    .help("leave the outputs out, or choose another status"),
            );
        }
        Some(status)
    }

    /// An option that exists but cannot be had yet.
    fn later(&mut self, name: &str, written: Option<&Placed<bool>>) -> bool {
        let Some(wanted) = written.filter(|wanted| wanted.value) else { return false };
        self.tell(
            Diagnostic::new(Code::BadOption, wanted.place, format!("`{name}` is not supported yet"))
                .label("not supported yet")
                .help("leave it out, or set it to false"),
        );
        true
    }
}
