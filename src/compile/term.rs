//! Types: from a term with its attributes to a compiled check.

use std::ops::Range;

use serde_json::Map;

use super::lower::{Lowering, inside};
use crate::definition::written::TypeText;
use crate::diagnostic::{Code, Diagnostic};
use crate::place::{Place, Placed};
use crate::types::{ArgumentError, ArgumentErrorKind, Compiled, Field, TermError, TermErrorKind, TermText, Type};

/// Whose type it is, for the words of faults.
#[derive(Clone, Copy)]
pub(super) struct Owner<'a> {
    /// With its article: "the parameter `lang`".
    pub what: &'a str,
    /// Where its name is written.
    pub place: Place,
    /// Whether the reader has told already why something is not there.
    pub damaged: bool,
}

impl Lowering<'_> {
    /// Compiles the type of `owner`, or tells everything that is wrong with it.
    pub(super) fn r#type(&mut self, text: &TypeText, owner: Owner<'_>) -> Option<Compiled> {
        let fields = match &text.fields {
            None => Some(None),
            Some(written) => self.fields(&written.value).map(Some),
        };
        self.wants(text);
        let Some(term) = &text.term else {
            if !owner.damaged {
                self.tell(
                    Diagnostic::new(Code::MissingType, owner.place, format!("{} has no `type`", owner.what))
                        .label("`type` is missing")
                        .help("say what values it takes: `\"type\": \"string\"`"),
                );
            }
            return None;
        };
        let attributes: Map<_, _> =
            text.attributes.iter().map(|(key, value)| (key.value.clone(), value.value.clone())).collect();
        // Faulty members are compiled as if there were none: what is wrong with the rest is told too.
        let faulty = fields.is_none();
        let compiled = self.types.compile(TermText {
            term: &term.value,
            attributes: &attributes,
            fields: fields.unwrap_or_default(),
            words: self.manner.types,
            any_case: self.manner.any_case,
            timezone: &self.timezone,
        });
        match compiled {
            Ok(compiled) => (!faulty).then_some(compiled),
            Err(errors) => {
                for error in errors {
                    self.term_fault(&error, term, text, owner);
                }
                None
            }
        }
    }

    /// The members of an object; none where one of them is faulty.
    fn fields(&mut self, written: &[crate::definition::written::Output]) -> Option<Vec<Field>> {
        let fields: Vec<_> = written.iter().map(|field| self.output(field, "field")).collect();
        fields
            .into_iter()
            .map(|output| {
                let output = output?;
                Some(Field {
                    name: output.name,
                    info: output.info,
                    optional: output.optional,
                    check: output.r#type.check,
                    example: output.example,
                })
            })
            .collect()
    }

    fn term_fault(&mut self, error: &TermError, term: &Placed<String>, text: &TypeText, owner: Owner<'_>) {
        let TermError { span, kind } = error;
        let place = part(term, span);
        let fault = match kind {
            TermErrorKind::Empty => {
                Diagnostic::new(Code::MissingType, place, format!("the type of {} is empty", owner.what))
                    .label("a type should stand here")
                    .help("say what values it takes: `\"type\": \"string\"`")
            }
            TermErrorKind::Syntax(expected) => Diagnostic::new(
                Code::UnknownType,
                place,
                format!("`{}` is no type: {expected}", term.value.escape_debug()),
            )
            .label("this cannot be read")
            .help("a type is a name, perhaps with arguments: `int`, `string(1,20)`, `?array<id>`"),
            TermErrorKind::Unknown(name) => {
                let is_there = |name: &str| self.types.iter().any(|known| known.name() == name);
                let words = self.manner.types.iter().filter(|(_, name)| is_there(name)).map(|(word, _)| *word);
                Diagnostic::new(Code::UnknownType, place, format!("there is no type `{}`", name.escape_debug()))
                    .label("unknown type")
                    .suggest(name, words.chain(self.types.iter().map(Type::name)))
            }
            TermErrorKind::Argument(argument) => argument_fault(argument, place, text),
        };
        self.tell(fault);
    }
}

/// A fault of a term's arguments, or of one of the attributes beside it.
fn argument_fault(error: &ArgumentError, term: Place, text: &TypeText) -> Diagnostic {
    let ArgumentError { kind, attribute, message, help } = error;
    let code = match kind {
        ArgumentErrorKind::Bad => Code::BadTypeArgument,
        ArgumentErrorKind::Bounds => Code::BadBounds,
        ArgumentErrorKind::MissingRange => Code::MissingRange,
        ArgumentErrorKind::Unknown => Code::BadOption,
    };
    let place = attribute.as_deref().and_then(|name| {
        let (key, value) = text.attributes.iter().chain(&text.items).find(|(key, _)| key.value == name)?;
        Some(match kind {
            ArgumentErrorKind::Unknown => key.place,
            ArgumentErrorKind::Bad | ArgumentErrorKind::Bounds | ArgumentErrorKind::MissingRange => value.place,
        })
    });
    let fault = Diagnostic::new(code, place.unwrap_or(term), message);
    match help {
        Some(help) => fault.help(help),
        None => fault,
    }
}

/// Where a part of a term is written.
fn part(term: &Placed<String>, span: &Range<usize>) -> Place {
    if span.is_empty() && term.value.is_empty() { term.place } else { inside(term, span.start, span.end) }
}
