//! One parameter, wherever its method is: its key, name, type, default and example.

use super::key::Key;
use super::lower::{Lowering, inside};
use super::term::Owner;
use crate::definition::written;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{From, Parameter, ParameterType, derived_name};
use crate::place::Place;

/// A parameter as far as it could be read. What is faulty in it is told already; what is known of it still
/// takes part in judging the method.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    /// Where the value stands; none where the key is faulty.
    pub key: Option<Key>,
    /// The key as it is written.
    pub written: String,
    /// Where the key is written.
    pub place: Place,
    /// Its name in code.
    pub name: String,
    /// Where its name in code is written.
    pub name_place: Place,
    /// Whether it is a common one, as a method has it.
    pub inherited: bool,
    /// The parameter, if there is nothing wrong with it.
    pub parameter: Option<Parameter>,
}

impl Lowering<'_> {
    /// Lowers one parameter.
    pub(super) fn parameter(&mut self, written: &written::Parameter) -> Judged {
        let before = self.faults.len();
        let written_key = written.key.value.as_str();
        let what = format!("the parameter `{}`", written_key.escape_debug());
        let place = written.key.place;

        let key = self.key(&written.key);
        let (name, name_place) = match &written.name {
            Some(name) => (name.value.clone(), name.place),
            None => (derived_name(written_key).to_owned(), place),
        };
        // A key that is faulty has been told; a name that only comes from it would be told again.
        if key.is_some() || written.name.is_some() {
            self.judge_name(&name, &what, name_place);
        }
        let info = self.info(written.info.as_ref(), &what, place, written.damaged);
        let owner = Owner { what: &what, place, damaged: written.damaged };
        let compiled = self.r#type(&written.r#type, owner);
        let optional = self.optional(written, &what) || compiled.as_ref().is_some_and(|compiled| compiled.optional);
        let is_capture = matches!(&key, Some(key) if key.from == From::Path);
        if is_capture {
            self.judge_capture(written, &what, optional);
        }
        if let Some(compiled) = &compiled {
            if let Some(default) = written.default.as_ref().filter(|_| !is_capture) {
                self.judge_default(default, &*compiled.check, &what);
            }
            if let Some(example) = &written.example {
                self.judge_example(example, &*compiled.check, optional, &what);
            }
        }

        let parameter = match (&key, compiled) {
            (Some(key), Some(compiled)) if self.faults.len() == before => Some(Parameter {
                from: key.from,
                key: key.key.clone(),
                name: name.clone(),
                info,
                optional: optional || written.default.is_some(),
                r#type: ParameterType::new(compiled.check),
                default: written.default.as_ref().map(|default| default.value.clone()),
                example: written.example.as_ref().map(|example| example.value.clone()),
                message: written.message.as_ref().map(|message| message.value.clone()),
                place,
                type_place: written.r#type.term.as_ref().map_or(place, |term| term.place),
            }),
            _ => None,
        };
        Judged { key, written: written_key.to_owned(), place, name, name_place, inherited: false, parameter }
    }

    /// Whether a parameter says beside its type that it may be left out, for `what`.
    fn optional(&mut self, written: &written::Parameter, what: &str) -> bool {
        let Some(optional) = &written.optional else { return false };
        let mark = written.r#type.term.as_ref().filter(|term| term.value.starts_with('?') && !optional.value);
        if let Some(term) = mark {
            self.tell(
                Diagnostic::new(
                    Code::BadOption,
                    optional.place,
                    format!("{what} is optional by its type, and here not"),
                )
                .label("says that it is required")
                .other(inside(term, 0, 1), "says that it is optional")
                .help("leave one of them out"),
            );
        }
        optional.value
    }

    /// A captured segment is always there: another path is another service.
    fn judge_capture(&mut self, written: &written::Parameter, what: &str, optional: bool) {
        let mark = written.r#type.term.as_ref().filter(|_| optional);
        let place = match (mark, &written.default) {
            (Some(term), _) => inside(term, 0, 1),
            (None, Some(default)) => default.place,
            (None, None) => return,
        };
        let fault =
            Diagnostic::new(Code::OptionalCapture, place, format!("{what} is a capture and cannot be left out"))
                .label(if mark.is_some() { "optional" } else { "a default" })
                .help("leave the `?` and the default out, or take the segment as `URL#0` behind a shorter path");
        self.tell(match (mark, &written.default) {
            (Some(_), Some(default)) => fault.other(default.place, "it has a default as well"),
            _ => fault,
        });
    }
}
