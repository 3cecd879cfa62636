//! Whether a handler's argument type takes what the checks of its method let pass.
//!
//! The type is tried on one parameter at a time, so that each that does not fit
//! is told once, with what it was tried on. A type that does not say which
//! fields it has (a map, a struct with `flatten`) is tried on all parameters together.

use crate::call::{Slot, Slots, Upload, Value};
use crate::diagnostic::{Code, Diagnostic};
use crate::handler::{Binding, Cause, Fields, Misfit};
use crate::model::{Method, Parameter};
use crate::types::Takes;

/// Where the argument type does not fit the method's parameters.
pub(super) fn misfits(method: &Method, binding: &Binding, fields: &Fields) -> Vec<Diagnostic> {
    let trial = Trial {
        method,
        binding,
        possible: method.parameters.iter().map(possible).collect(),
        told: vec![false; method.parameters.len()],
        found: Vec::new(),
    };
    match &fields.names {
        Some(names) => trial.one_by_one(names),
        None => trial.together(),
    }
}

struct Trial<'a> {
    method: &'a Method,
    binding: &'a Binding,
    /// What each parameter may hold, present values before the others.
    possible: Vec<Vec<Slot<'static>>>,
    /// Which parameters are known not to fit.
    told: Vec<bool>,
    found: Vec<Diagnostic>,
}

impl Trial<'_> {
    /// For a type whose fields are known: each parameter alone, then those that may be absent.
    fn one_by_one(mut self, fields: &[&'static str]) -> Vec<Diagnostic> {
        let good: Vec<Option<Slot<'static>>> = (0..self.possible.len()).map(|index| self.alone(index)).collect();
        let fields = self.without_parameter(fields, &good);
        self.absent(&fields, &good);
        if self.found.is_empty()
            && !self.is_blind()
            && let Err(misfit) = self.give((0..good.len()).filter_map(|index| Some((index, good[index].clone()?))))
        {
            self.tell_method(&format!("does not take the method's parameters: {}", misfit.misread), None);
        }
        self.found
    }

    /// Tries all that a parameter may hold, and gives one that fits.
    fn alone(&mut self, index: usize) -> Option<Slot<'static>> {
        let mut good = None;
        for slot in self.possible[index].clone() {
            if slot == Slot::Absent {
                continue;
            }
            match self.give([(index, slot.clone())]) {
                Err(Misfit { slot: Some(_), misread }) => self.tell(index, &slot, &misread.to_string()),
                Err(Misfit { slot: None, misread }) if matches!(misread.cause(), Cause::Unknown(_)) => {
                    let name = &self.method.parameters[index].name;
                    self.tell_parameter(index, &format!("takes no argument `{name}`"));
                    return None;
                }
                Ok(()) | Err(Misfit { slot: None, .. }) => {
                    good.get_or_insert(slot);
                }
            }
        }
        good
    }

    /// Tells the fields that no parameter fills, and gives the parameter of every other one.
    fn without_parameter(
        &mut self,
        fields: &[&'static str],
        good: &[Option<Slot<'static>>],
    ) -> Vec<(&'static str, usize)> {
        let mut filled = Vec::new();
        for field in fields {
            let same = self.method.parameters.iter().position(|own| own.name == *field);
            // Only a parameter that fits can show that the field is another name of its own.
            let blind = self.told.contains(&true);
            match same.or_else(|| self.alias(field, good)) {
                Some(index) => filled.push((*field, index)),
                None if blind => {}
                None => {
                    let names: Vec<_> = self.method.parameters.iter().map(|own| own.name.as_str()).collect();
                    let near = crate::diagnostic::nearest(field, names).map(|near| format!("did you mean `{near}`?"));
                    self.tell_method(&format!("takes an argument `{field}`, which is no parameter"), near);
                }
            }
        }
        filled
    }

    /// The parameter that fills `field` under another of its names: serde refuses to be given both.
    fn alias(&self, field: &'static str, good: &[Option<Slot<'static>>]) -> Option<usize> {
        good.iter().enumerate().find_map(|(index, slot)| {
            let names = [self.method.parameters[index].name.as_str().into(), field.into()];
            let values = vec![slot.clone()?, Slot::Null];
            let both = self.binding.handler.accepts(Slots { names: &names, values });
            both.is_err_and(|misfit| matches!(misfit.misread.cause(), Cause::Duplicate(_))).then_some(index)
        })
    }

    /// Finds out which fields must be there, by giving what is missed; tells those whose parameter need not be.
    fn absent(&mut self, fields: &[(&'static str, usize)], good: &[Option<Slot<'static>>]) {
        let mut given: Vec<(usize, Slot<'static>)> = Vec::new();
        while let Err(misfit) = self.give(given.iter().cloned()) {
            let Cause::Missing(missing) = misfit.misread.cause() else { return };
            let Some((_, index)) = fields.iter().find(|(field, _)| field == missing) else { return };
            let Some(slot) = good[*index].clone() else { return };
            if given.iter().any(|(own, _)| own == index) {
                return;
            }
            if self.possible[*index].contains(&Slot::Absent) {
                self.tell(*index, &Slot::Absent, &misfit.misread.to_string());
            }
            given.push((*index, slot));
        }
    }

    /// For a type that does not say what its fields are: a plain call, then every parameter varied in it.
    fn together(mut self) -> Vec<Diagnostic> {
        let mut usual: Vec<Slot<'static>> = self.method.parameters.iter().map(usual).collect();
        let with = |usual: &[Slot<'static>], index: usize, slot: &Slot<'static>| {
            let mut values = usual.to_vec();
            values[index] = slot.clone();
            values.into_iter().enumerate()
        };
        if let Err(misfit) = self.give(usual.iter().cloned().enumerate()) {
            let fits = self.possible.iter().enumerate().find_map(|(index, slots)| {
                let slot = slots.iter().find(|slot| self.give(with(&usual, index, slot)).is_ok())?;
                Some((index, slot.clone()))
            });
            match (fits, misfit.slot) {
                (Some((index, slot)), _) => {
                    let wrong = std::mem::replace(&mut usual[index], slot);
                    self.tell(index, &wrong, &misfit.misread.to_string());
                }
                (None, Some(index)) => {
                    self.tell(index, &usual[index], &misfit.misread.to_string());
                    return self.found;
                }
                (None, None) if self.is_blind() => return self.found,
                (None, None) => {
                    self.tell_method(&format!("does not take the method's parameters: {}", misfit.misread), None);
                    return self.found;
                }
            }
        }
        for index in 0..usual.len() {
            for slot in self.possible[index].clone() {
                if let Err(misfit) = self.give(with(&usual, index, &slot)) {
                    self.tell(index, &slot, &misfit.misread.to_string());
                }
            }
        }
        self.found
    }

    /// Whether there is a parameter that no value is known of, without which the type need not be readable: a type
    /// may have no [`extremes`](crate::types::Check::extremes).
    fn is_blind(&self) -> bool {
        self.possible.iter().any(Vec::is_empty)
    }

    /// Tries the type on these parameters; where it misfits, with the parameter's index.
    fn give(&self, slots: impl IntoIterator<Item = (usize, Slot<'static>)>) -> Result<(), Misfit> {
        let (indices, values): (Vec<usize>, Vec<_>) = slots.into_iter().unzip();
        let names: Vec<Box<str>> =
            indices.iter().map(|index| self.method.parameters[*index].name.as_str().into()).collect();
        self.binding.handler.accepts(Slots { names: &names, values }).map_err(|misfit| {
            let slot = misfit.slot.and_then(|slot| indices.get(slot).copied());
            Misfit { slot, ..misfit }
        })
    }

    /// Tells that the field of a parameter does not take `slot`; once for each parameter.
    fn tell(&mut self, index: usize, slot: &Slot<'_>, why: &str) {
        let name = &self.method.parameters[index].name;
        let words = format!("does not take what `{name}` may be: {why}");
        let option = "make its field an `Option`, or give the parameter a default";
        let (label, advice) = match slot {
            Slot::Absent => ("this may be left out".to_owned(), option),
            Slot::Null => ("this lets null pass".to_owned(), option),
            Slot::Value(value) => {
                let advice = "make its field wide enough, or the type narrower";
                (format!("this type lets {} pass", shown(value)), advice)
            }
        };
        let bound = self.bound();
        if let Some(diagnostic) = self.tell_parameter(index, &words) {
            diagnostic.label = label;
            diagnostic.help = Some(format!("{advice}; {bound}"));
        }
    }

    fn tell_parameter(&mut self, index: usize, words: &str) -> Option<&mut Diagnostic> {
        if std::mem::replace(&mut self.told[index], true) {
            return None;
        }
        let message = format!("the handler of {} {words}", self.method.id);
        let place = self.method.parameters[index].type_place;
        self.found.push(Diagnostic::new(Code::HandlerMismatch, place, message).help(self.bound()));
        self.found.last_mut()
    }

    fn tell_method(&mut self, words: &str, help: Option<String>) {
        let message = format!("the handler of {} {words}", self.method.id);
        let help = help.map_or(self.bound(), |help| format!("{help} {}", self.bound()));
        self.found.push(Diagnostic::new(Code::HandlerMismatch, self.method.place, message).help(help));
    }

    fn bound(&self) -> String {
        format!("the handler is bound at {}", self.binding.location)
    }
}

/// A value as it is told: JSON, at most 60 characters of it.
fn shown(value: &Value<'_>) -> String {
    if let Value::File(_) = value {
        return "a file".to_owned();
    }
    let text = value.to_json().to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// What a parameter holds in a plain call.
fn usual(parameter: &Parameter) -> Slot<'static> {
    match default(parameter) {
        Some(value) => value,
        None if parameter.optional => Slot::Absent,
        None => present(parameter).next().unwrap_or_default(),
    }
}

/// Everything at the edges of what a parameter may hold.
fn possible(parameter: &Parameter) -> Vec<Slot<'static>> {
    let mut slots: Vec<_> = present(parameter).collect();
    match default(parameter) {
        Some(value) => slots.push(value),
        None if parameter.optional => slots.extend([Slot::Null, Slot::Absent]),
        None => {}
    }
    slots
}

/// Values at the edges, as handlers get them.
fn present(parameter: &Parameter) -> impl Iterator<Item = Slot<'static>> {
    let check = &parameter.r#type.check;
    let values = match check.takes() {
        Takes::One | Takes::Many => check.extremes().into_iter().filter_map(|value| check.check(value).ok()).collect(),
        Takes::File => vec![Value::File(Upload::sample())],
        Takes::Files => vec![Value::List(vec![Value::File(Upload::sample())])],
    };
    // Null for what may be left out is its absence, also where the type takes null.
    let own_null = move |value: &Value<'_>| parameter.optional && *value == Value::Null;
    values.into_iter().filter(move |value| !own_null(value)).map(Slot::Value)
}

fn default(parameter: &Parameter) -> Option<Slot<'static>> {
    super::default_value(parameter).map(Slot::Value)
}
