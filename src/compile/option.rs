//! The options of a method.

use super::lower::Lowering;
use crate::definition::written::{Options, Output};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::MethodOptions;
use crate::place::Placed;

/// The statuses of answers that have no body (RFC 9110 sections 15.3.5 and 15.3.6).
const WITHOUT_BODY: [u16; 2] = [204, 205];

/// Those, and that of a part (RFC 9110 section 15.3.7).
const NOT_OF_FILES: [u16; 3] = [204, 205, 206];
/// What programs of the ancestors return where they return a file, and may list: they say what a download is.
const OF_DOWNLOADS: [&str; 3] = ["headers", "body", "link"];

impl Lowering<'_> {
    /// Lowers the options of a method that has these outputs.
    pub(super) fn options(&mut self, written: &Options, outputs: &[Output]) -> MethodOptions {
        let Options { status, download, jsonp, deprecated } = written;
        let is_download = download.as_ref().is_some_and(|download| download.value);
        MethodOptions {
            status: status.as_ref().and_then(|status| self.status(status, outputs, is_download)).unwrap_or(200),
            download: download.as_ref().is_some_and(|download| self.download(download, outputs)),
            jsonp: jsonp.as_ref().map(|jsonp| jsonp.value),
            deprecated: deprecated.as_ref().is_some_and(|deprecated| deprecated.value),
        }
    }

    /// The HTTP status of a success.
    fn status(&mut self, written: &Placed<u64>, outputs: &[Output], is_download: bool) -> Option<u16> {
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
        } else if is_download && NOT_OF_FILES.contains(&status) {
            self.tell(
                Diagnostic::new(Code::BadOption, written.place, format!("a whole file is not sent with {status}"))
                    .label("not of a download")
                    .help("leave it out: parts are sent with 206 where they are asked for"),
            );
        }
        Some(status)
    }

    /// Whether a file is returned instead of outputs.
    fn download(&mut self, written: &Placed<bool>, outputs: &[Output]) -> bool {
        let other = outputs.iter().find(|output| !OF_DOWNLOADS.contains(&output.name.value.as_str()));
        if let Some(output) = other.filter(|_| written.value) {
            self.tell(
                Diagnostic::new(Code::BadOption, written.place, "a method that returns a file has no outputs")
                    .label("the file is the answer")
                    .other(output.name.place, "an output")
                    .help("leave the outputs out; what is to be told of the file can be told in its header fields"),
            );
        }
        written.value
    }
}
