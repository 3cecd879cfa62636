//! Converts modules and their services to the model.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use http::HeaderValue;

use super::collision::{fold_case, path_shape};
use super::lower::Lowering;
use super::module_parts::ModuleParts;
use super::parameter::LoweredParameter;
use super::path::{self, PathError};
use crate::definition::parsed;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::envelope::EnvelopeSettings;
use crate::model::{EnvelopeName, Location, Method, Module, Repeated, Segment, Service};
use crate::span::{Span, Spanned};

impl Lowering<'_> {
    /// Converts a module from its parts to the model.
    pub(super) fn module(&mut self, parts: &ModuleParts<'_>, common: &[LoweredParameter]) -> Module {
        let name = &parts.first.name;
        self.check_name(&name.value, "a module", name.span);
        let module_envelope =
            parts.first_value(self, "envelope", |part| part.envelope.as_ref()).map(|name| self.envelope(name));
        let envelope = match &module_envelope {
            Some(envelope) => envelope.clone(),
            None => self.envelope.clone(),
        };
        let repeated = parts
            .first_value(self, "repeated", |part| part.repeated.as_ref())
            .and_then(|word| self.keyword(word, "value of `repeated`:", &Repeated::ALL.map(|r| (r.as_str(), r))));
        let info = parts.first_value(self, "info", |part| part.info.as_ref());
        let ignore_case = parts.first_value(self, "ignore_case", |part| part.ignore_case.as_ref());
        let ignore_case = ignore_case.is_some_and(|flag| flag.value);
        let mut services = Services { ignore_case, ..Services::default() };
        for part in parts.all() {
            self.spec = part.spec;
            let paths = self.parse_paths(&part.services);
            for (service, path) in part.services.iter().zip(paths) {
                let methods: Vec<_> = service
                    .methods
                    .iter()
                    .filter_map(|method| {
                        self.lower_method(method, path.as_deref(), &service.path, common, envelope.as_ref())
                    })
                    .collect();
                if let Some(path) = path.filter(|_| !methods.is_empty()) {
                    services.add(Service { path, methods, span: service.path.span });
                }
            }
        }
        Module {
            name: name.value.clone(),
            info: info.map(|info| info.value.clone()),
            envelope: module_envelope.flatten(),
            ignore_case,
            repeated: repeated.unwrap_or_default(),
            services: services.into_sorted(),
            span: parts.first.span,
        }
    }

    /// Resolves the name of an envelope.
    pub(crate) fn envelope(&mut self, name: &Spanned<String>) -> Option<EnvelopeName> {
        let known: Vec<_> = self.responses.envelopes.names().map(|known| (known, known)).collect();
        let known = self.keyword(name, "envelope", &known)?;
        let resolved = self.responses.envelopes.get(known).cloned()?;
        let envelope = resolved.envelope(EnvelopeSettings::default());
        let types = [envelope.success_content_type(), envelope.error_content_type()];
        if let Some(invalid) = types.into_iter().find(|media_type| HeaderValue::from_str(media_type).is_err()) {
            let message = format!("the envelope `{}` has an invalid media type", known.escape_debug());
            let label = format!("media type `{}`", invalid.escape_debug());
            self.report(Diagnostic::new(DiagnosticCode::BadOption, name.span, message).label(label));
        }
        Some(resolved)
    }

    /// Returns the value of a word that must be one of `known`. `noun` names the kind of word in the diagnostic:
    /// "envelope", "value of `repeated`:".
    pub(crate) fn keyword<T: Copy>(&mut self, word: &Spanned<String>, noun: &str, known: &[(&str, T)]) -> Option<T> {
        let entry = known.iter().find(|(name, _)| *name == word.value);
        if entry.is_none() {
            let list: Vec<String> = known.iter().map(|(name, _)| format!("`{name}`")).collect();
            let message = format!("unknown {noun} `{}`", word.value.escape_debug());
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, word.span, message)
                    .label("unknown value")
                    .help(format!("expected one of {}", list.join(", ")))
                    .suggest(&word.value, known.iter().map(|(name, _)| *name)),
            );
        }
        entry.map(|(_, meaning)| *meaning)
    }

    /// Returns the segments of the path of every service, or `None` for a path with an error.
    ///
    /// A key is part of the paths of all services below it, so an error in it affects all of them. It is reported once,
    /// for the service of the key itself if that service has methods.
    fn parse_paths(&mut self, services: &[parsed::Service]) -> Vec<Option<Vec<Segment>>> {
        let mut located: Vec<LocatedPathError<'_>> = Vec::new();
        let paths = services
            .iter()
            .map(|service| {
                let text = &service.path;
                let errors = match service_segments(service) {
                    Ok(path) => return Some(path),
                    Err(errors) => errors,
                };
                located.extend(errors.into_iter().map(|error| {
                    let (span, is_in_key) = path::part_span(text, &error.range);
                    let prefix = text.value.get(..error.range.end).unwrap_or(&text.value);
                    LocatedPathError { prefix, is_in_key, span, error }
                }));
                None
            })
            .collect();
        located.sort_by_key(|located| !located.is_in_key);
        let mut reported = HashSet::new();
        for LocatedPathError { prefix, span, error, .. } in located {
            if reported.insert(prefix) {
                self.report(error.into_diagnostic(span));
            }
        }
        paths
    }
}

/// Collects the services of a module. Paths that match the same requests are merged into one service.
#[derive(Default)]
struct Services {
    ignore_case: bool,
    list: Vec<Service>,
    by_shape: HashMap<String, usize>,
}

impl Services {
    /// Adds a service. If a service with the same path exists, the methods are added to it and use its capture names.
    fn add(&mut self, new: Service) {
        let shape = path_shape(&new.path);
        let shape = if self.ignore_case { fold_case(&shape) } else { shape };
        match self.by_shape.entry(shape) {
            Entry::Vacant(entry) => {
                entry.insert(self.list.len());
                self.list.push(new);
            }
            Entry::Occupied(entry) => {
                // `by_shape` holds valid indices of `list` only.
                let Some(known) = self.list.get_mut(*entry.get()) else { return };
                let Service { path, methods, span: _ } = new;
                let renamed = methods.into_iter().map(|method| rename_captures(method, &path, &known.path));
                known.methods.extend(renamed);
            }
        }
    }

    /// Returns the services, beginning with the root, with their methods in the order of
    /// [`HttpMethod`](crate::call::HttpMethod).
    fn into_sorted(mut self) -> Vec<Service> {
        for service in &mut self.list {
            service.methods.sort_by_key(|method| method.http);
        }
        self.list.sort_by_key(|service| !service.path.is_empty());
        self.list
    }
}

/// Replaces the capture names of the path `from` by those of the path `to` in the parameters of a method. The paths
/// differ in capture names only. The parameters' names in code and the id of the method are not changed.
fn rename_captures(mut method: Method, from: &[Segment], to: &[Segment]) -> Method {
    for parameter in method.parameters.iter_mut().filter(|parameter| parameter.from == Location::Path) {
        let old = Segment::Capture(parameter.key.clone());
        let at = from.iter().position(|segment| *segment == old);
        if let Some(Segment::Capture(new)) = at.and_then(|at| to.get(at)) {
            parameter.key.clone_from(new);
        }
    }
    method
}

/// An error in a path, with its span.
struct LocatedPathError<'a> {
    /// The path up to the end of the error. Errors with the same prefix are one error that affects several services.
    prefix: &'a str,
    /// `true` if the error is in the last key of the path, `false` if it is in the key of a parent.
    is_in_key: bool,
    span: Span,
    error: PathError,
}

/// Returns the segments of a service's path.
///
/// The service under an empty key at the root has the path `/`, like the root itself, but an empty key is an error.
/// Only the span distinguishes them: for the empty key it consists of the quotes, for the root it is that of its first
/// method.
fn service_segments(service: &parsed::Service) -> Result<Vec<Segment>, Vec<PathError>> {
    let Spanned { value: path, span } = &service.path;
    let is_key = service.methods.first().is_none_or(|first| first.http_method.span.start != span.start);
    if path == "/" && is_key && span.end.saturating_sub(span.start) == 2 {
        return path::segments("//");
    }
    path::segments(path)
}
