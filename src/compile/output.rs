//! What a method returns: outputs, the fields of objects, and errors of its own.

use std::collections::HashMap;

use super::lower::Lowering;
use super::term::Owner;
use crate::definition::written;
use crate::diagnostic::{Code, Diagnostic};
use crate::envelope::EnvelopeSettings;
use crate::error::{Code as ErrorCode, ErrorStatus};
use crate::model::{DeclaredError, EnvelopeName, Output, ParameterType};
use crate::place::Place;

impl Lowering<'_> {
    /// Lowers the outputs of a method that answers in `envelope`; none where it is not known.
    pub(super) fn outputs(&mut self, written: &[written::Output], envelope: Option<&EnvelopeName>) -> Vec<Output> {
        let outputs: Vec<_> = written.iter().map(|output| self.output(output, "output")).collect();
        self.judge_outputs(written, envelope);
        outputs.into_iter().flatten().collect()
    }

    /// Lowers one output or field of an object; `kind` says which.
    pub(super) fn output(&mut self, written: &written::Output, kind: &str) -> Option<Output> {
        let before = self.faults.len();
        let what = format!("the {kind} `{}`", written.name.value.escape_debug());
        let place = written.name.place;
        self.judge_name(&written.name.value, &what, place);
        let info = self.info(written.info.as_ref(), &what, place, written.damaged);
        let owner = Owner { what: &what, place, damaged: written.damaged };
        let compiled = self.r#type(&written.r#type, owner)?;
        if let Some(example) = &written.example {
            self.judge_example(example, &*compiled.check, compiled.optional, &what);
        }
        (self.faults.len() == before).then(|| Output {
            name: written.name.value.clone(),
            info,
            r#type: ParameterType::new(compiled.check),
            optional: compiled.optional,
            example: written.example.as_ref().map(|example| example.value.clone()),
            place,
        })
    }

    /// Outputs share one object with what the envelope puts there itself.
    fn judge_outputs(&mut self, written: &[written::Output], envelope: Option<&EnvelopeName>) {
        let own = envelope.map(|name| (name.as_str(), name.envelope(EnvelopeSettings::default())));
        let members = own.as_ref().map(|(_, envelope)| envelope.members()).unwrap_or_default();
        let mut names: HashMap<&str, Place> = HashMap::new();
        for output in written {
            let name = output.name.value.as_str();
            let place = output.name.place;
            if let Some(first) = names.insert(name, place) {
                self.tell(
                    Diagnostic::new(Code::OutputCollision, place, format!("two outputs have the name `{name}`"))
                        .label("the second one")
                        .other(first, "the first one")
                        .help("give one of them another name"),
                );
            } else if let Some((own, _)) = own.as_ref().filter(|_| members.contains(&name)) {
                self.tell(
                    Diagnostic::new(Code::OutputCollision, place, format!("`{name}` is the {own} envelope's own"))
                        .label("taken by the envelope")
                        .help("give the output another name, or the module the envelope `plain`"),
                );
            } else if name == Output::WHOLE && written.len() > 1 {
                let fault = Diagnostic::new(Code::OutputCollision, place, "`*` is the whole answer, but not alone")
                    .label("leaves no room for others")
                    .help("leave the others out, or give this one a name");
                let other = written.iter().find(|other| other.name.value != Output::WHOLE);
                self.tell(match other {
                    Some(other) => fault.other(other.name.place, "another output"),
                    None => fault,
                });
            }
        }
    }

    /// Lowers the errors of a method's own.
    pub(super) fn errors(&mut self, written: &[written::DeclaredError]) -> Vec<DeclaredError> {
        let mut errors: Vec<DeclaredError> = Vec::with_capacity(written.len());
        let mut names: HashMap<&str, Place> = HashMap::new();
        for error in written {
            let what = format!("the error `{}`", error.name.value.escape_debug());
            let place = error.name.place;
            self.judge_name(&error.name.value, &what, place);
            let info = self.info(error.info.as_ref(), &what, place, error.damaged);
            let status = match &error.status {
                // What a handler refuses with is the client's fault where the definition does not say.
                None => Some(ErrorCode::Failed.status()),
                Some(status) => {
                    let known = u16::try_from(status.value).ok().and_then(ErrorStatus::new);
                    if known.is_none() {
                        self.tell(
                            Diagnostic::new(
                                Code::BadOption,
                                status.place,
                                format!("{} is no HTTP status of an error", status.value),
                            )
                            .label("expected 400 to 599")
                            .help("errors of the client are 400 to 499, of the server 500 to 599"),
                        );
                    }
                    known
                }
            };
            if let Some(first) = names.insert(&error.name.value, place) {
                let message = format!("two errors have the name `{}`", error.name.value);
                let fault = Diagnostic::new(Code::NameCollision, place, message).label("the second one");
                self.tell(fault.other(first, "the first one"));
            } else if let Some(status) = status {
                errors.push(DeclaredError { name: error.name.value.clone(), status, info, place });
            }
        }
        errors
    }
}
