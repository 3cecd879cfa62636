//! What every part of the lowering has at hand.

use jiff::tz::TimeZone;

use super::api::Answers;
use super::function::Wanted;
use crate::definition::manner::Manner;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::EnvelopeName;
pub(super) use crate::place::inside;
use crate::place::{Place, Placed};
use crate::types::Types;

/// What every part of the lowering has at hand: the facts that terms are compiled with, and where faults go.
pub(super) struct Lowering<'a> {
    /// The types that terms can name.
    pub types: &'a Types,
    /// What answers can be.
    pub answers: &'a Answers,
    /// The zone of dates and times that name none.
    pub timezone: TimeZone,
    /// The envelope of modules that name none; none where the one that is named is unknown.
    pub envelope: Option<EnvelopeName>,
    /// Whether methods that do not say so themselves answer JSONP.
    pub jsonp: bool,
    /// How the module that is being lowered says what is in it.
    pub manner: &'static Manner,
    /// The functions that were named so far.
    pub functions: Vec<Placed<Wanted>>,
    /// Every fault so far.
    pub faults: Vec<Diagnostic>,
}

impl Lowering<'_> {
    /// Tells a fault.
    pub(super) fn tell(&mut self, fault: Diagnostic) {
        self.faults.push(fault);
    }

    /// Tells a fault that may be met more than once, for a common parameter with each method that has it.
    pub(super) fn tell_once(&mut self, fault: Diagnostic) {
        let at = |place: Place| (place.file, place.start, place.end);
        let known = |other: &Diagnostic| other.code == fault.code && at(other.place) == at(fault.place);
        if !self.faults.iter().any(known) {
            self.faults.push(fault);
        }
    }

    /// The info of something that must have one: `what` ("the method `GET`") stands at `place`.
    ///
    /// What is faulty gets an empty one, so that the rest can be judged. Nothing is told where `damaged`,
    /// when the reader has already told why it is not there.
    pub(super) fn info(&mut self, info: Option<&Placed<String>>, what: &str, place: Place, damaged: bool) -> String {
        let key = self.manner.info;
        match info {
            Some(info) if !info.value.trim().is_empty() => return info.value.clone(),
            Some(blank) => self.tell(
                Diagnostic::new(Code::MissingInfo, blank.place, format!("the `{key}` of {what} is blank"))
                    .label("says nothing")
                    .help("say in a few words what it is for; documents and clients read it"),
            ),
            None if damaged => {}
            None => self.tell(
                Diagnostic::new(Code::MissingInfo, place, format!("{what} has no `{key}`"))
                    .label(format!("`{key}` is missing"))
                    .help(format!("say in a few words what it is for: `\"{key}\": \"…\"`")),
            ),
        }
        String::new()
    }
}
