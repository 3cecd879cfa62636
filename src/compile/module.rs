//! Modules and the services in them.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use http::HeaderValue;

use super::collision::{fold, shape};
use super::lower::Lowering;
use super::parameter::Judged;
use super::parts::Parts;
use super::path::{self, PathFault};
use crate::definition::written;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::envelope::EnvelopeSettings;
use crate::model::{EnvelopeName, From, Method, Module, Repeated, Segment, Service};
use crate::place::{Place, Placed};

impl Lowering<'_> {
    /// Lowers one module, which is written in these parts.
    pub(super) fn module(&mut self, parts: &Parts<'_>, common: &[Judged]) -> Module {
        let name = &parts.first.name;
        self.judge_name(&name.value, "a module", name.place);
        let own = parts.said(self, "envelope", |part| part.envelope.as_ref()).map(|name| self.envelope(name));
        let envelope = match &own {
            Some(own) => own.clone(),
            None => self.envelope.clone(),
        };
        let repeated = parts
            .said(self, "repeated", |part| part.repeated.as_ref())
            .and_then(|word| self.word(word, "a value of `repeated`", &Repeated::ALL.map(|r| (r.as_str(), r))));
        let info = parts.said(self, "info", |part| part.info.as_ref());
        let ignore_case = parts.said(self, "ignore_case", |part| part.ignore_case.as_ref());
        let ignore_case = ignore_case.is_some_and(|flag| flag.value);
        let mut services = Services { ignore_case, ..Services::default() };
        for part in parts.all() {
            self.manner = part.manner;
            let paths = self.paths(&part.services);
            for (service, path) in part.services.iter().zip(paths) {
                let methods: Vec<_> = service
                    .methods
                    .iter()
                    .filter_map(|method| self.method(method, path.as_deref(), &service.path, common, envelope.as_ref()))
                    .collect();
                if let Some(path) = path.filter(|_| !methods.is_empty()) {
                    services.add(Service { path, methods, place: service.path.place });
                }
            }
        }
        Module {
            name: name.value.clone(),
            info: info.map(|info| info.value.clone()),
            envelope: own.flatten(),
            ignore_case,
            repeated: repeated.unwrap_or_default(),
            services: services.in_order(),
            place: parts.first.place,
        }
    }

    /// The envelope of this name.
    pub(super) fn envelope(&mut self, name: &Placed<String>) -> Option<EnvelopeName> {
        let known: Vec<_> = self.answers.envelopes.names().map(|known| (known, known)).collect();
        let known = self.word(name, "an envelope", &known)?;
        let found = self.answers.envelopes.get(known).cloned()?;
        let envelope = found.envelope(EnvelopeSettings::default());
        let types = [envelope.success_type(), envelope.refusal_type()];
        if let Some(bad) = types.into_iter().find(|own| HeaderValue::from_str(own).is_err()) {
            let message = format!("the envelope `{}` has a media type that is none", known.escape_debug());
            let label = format!("`{}` is none", bad.escape_debug());
            self.tell(Diagnostic::new(Code::BadOption, name.place, message).label(label));
        }
        Some(found)
    }

    /// What one of a few `known` words means; `what` is what they are: "an envelope".
    pub(super) fn word<T: Copy>(&mut self, word: &Placed<String>, what: &str, known: &[(&str, T)]) -> Option<T> {
        let found = known.iter().find(|(name, _)| *name == word.value);
        if found.is_none() {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            let message = format!("`{}` is not {what}", word.value.escape_debug());
            let fault = Diagnostic::new(Code::BadOption, word.place, message).label("unknown word");
            self.tell(fault.choose(&word.value, &names));
        }
        found.map(|(_, meaning)| *meaning)
    }

    /// The segments of every service's path; none where it is faulty.
    ///
    /// A faulty key stands in the path of every service below it and is told once: where it is written, if a
    /// service has methods there.
    fn paths(&mut self, services: &[written::Service]) -> Vec<Option<Vec<Segment>>> {
        let mut faulty: Vec<Found<'_>> = Vec::new();
        let paths = services
            .iter()
            .map(|service| {
                let text = &service.path;
                let faults = match segments(service) {
                    Ok(path) => return Some(path),
                    Err(faults) => faults,
                };
                faulty.extend(faults.into_iter().map(|fault| {
                    let (place, own) = path::place(text, &fault.range);
                    let prefix = text.value.get(..fault.range.end).unwrap_or(&text.value);
                    Found { prefix, own, place, fault }
                }));
                None
            })
            .collect();
        faulty.sort_by_key(|found| !found.own);
        let mut told = HashSet::new();
        for Found { prefix, place, fault, .. } in faulty {
            if told.insert(prefix) {
                let diagnostic = Diagnostic::new(Code::BadUri, place, fault.message).label(fault.label);
                self.tell(match fault.help {
                    Some(help) => diagnostic.help(help),
                    None => diagnostic,
                });
            }
        }
        paths
    }
}

/// The services of a module, each path once however it is written.
#[derive(Default)]
struct Services {
    ignore_case: bool,
    list: Vec<Service>,
    by_shape: HashMap<String, usize>,
}

impl Services {
    /// Adds a service, or its methods to the one that has its path. Captures are called as they are in the first.
    fn add(&mut self, new: Service) {
        let shape = shape(&new.path);
        let shape = if self.ignore_case { fold(&shape) } else { shape };
        match self.by_shape.entry(shape) {
            Entry::Vacant(entry) => {
                entry.insert(self.list.len());
                self.list.push(new);
            }
            Entry::Occupied(entry) => {
                // The table holds indices of the list only.
                let Some(known) = self.list.get_mut(*entry.get()) else { return };
                let Service { path, methods, place: _ } = new;
                let renamed = methods.into_iter().map(|method| rename_captures(method, &path, &known.path));
                known.methods.extend(renamed);
            }
        }
    }

    /// The root first, and methods as HTTP lists them.
    fn in_order(mut self) -> Vec<Service> {
        for service in &mut self.list {
            service.methods.sort_by_key(|method| method.http);
        }
        self.list.sort_by_key(|service| !service.path.is_empty());
        self.list
    }
}

/// The captures of a method as the path `to` calls them, which differs from `from` in their names only. Their
/// names in code stay, and so does the method's id.
fn rename_captures(mut method: Method, from: &[Segment], to: &[Segment]) -> Method {
    for parameter in method.parameters.iter_mut().filter(|parameter| parameter.from == From::Path) {
        let old = Segment::Capture(parameter.key.clone());
        let at = from.iter().position(|segment| *segment == old);
        if let Some(Segment::Capture(new)) = at.and_then(|at| to.get(at)) {
            parameter.key.clone_from(new);
        }
    }
    method
}

/// A fault of a path, and where it was found.
struct Found<'a> {
    /// The path up to the end of the fault: two faults with one prefix are one.
    prefix: &'a str,
    /// Whether it stands in the key of the service itself, not in one above.
    own: bool,
    place: Place,
    fault: PathFault,
}

/// The segments of a service's path. Under an empty key at the root it reads like the root's own; only the place
/// tells them apart: an empty key has its quotes for one, the root its first method.
fn segments(service: &written::Service) -> Result<Vec<Segment>, Vec<PathFault>> {
    let Placed { value: path, place } = &service.path;
    let is_key = service.methods.first().is_none_or(|first| first.http.place.start != place.start);
    if path == "/" && is_key && place.end.saturating_sub(place.start) == 2 {
        return path::segments("//");
    }
    path::segments(path)
}

impl Diagnostic {
    /// Help with choosing one of `known`: the one that `word` was meant to be, or all of them.
    fn choose(self, word: &str, known: &[&str]) -> Self {
        match nearest(word, known.iter().copied()) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => {
                let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                self.help(format!("it is one of {}", names.join(", ")))
            }
        }
    }
}
