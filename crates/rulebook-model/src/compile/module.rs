//! Converts API modules and their services from the parsed definition to the model, and finds the envelopes, formats
//! and words that a definition names.

use std::collections::HashSet;

use http::HeaderValue;
use indexmap::IndexMap;
use indexmap::map::Entry;

use super::parameter::LoweredParameter;
use super::path::PathError;
use super::{Lowering, path, without_unused_capacity};
use crate::call::HttpMethod;
use crate::definition::dialect_spec::DialectSpec;
use crate::definition::{JsonNode, parsed, read_permission_groups};

use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::envelope::EnvelopeSettings;
use crate::format::{FormatOffer, InvalidMediaType};
use crate::model::method::IF_MATCH;
use crate::model::{Api, EnvelopeName, Location, Method, Module, Segment, Service};
use crate::routing::{ServiceNaming, ServicesByClass, fold_case, path_shape};
use crate::schema::Word;
use crate::span::{Span, Spanned};

/// The name of the format that every API offers. If the setting `formats` lists this name, that has no effect.
const JSON_FORMAT_NAME: &str = "json";

impl<'d> Lowering<'d> {
    pub(super) fn lower_module(&mut self, parts: &ModuleParts<'d>, common: &[LoweredParameter]) -> Module {
        let name = parts.name;
        self.check_name(&name.value, &"a module", name.span);
        let module_envelope = parts
            .first_value_in_parts(self, "envelope", |part| part.envelope.as_ref())
            .map(|name| self.resolve_envelope(name));
        let envelope = match &module_envelope {
            Some(envelope) => envelope.clone(),
            None => self.default_envelope.clone(),
        };
        let repeated = parts
            .first_value_in_parts(self, "repeated", |part| part.repeated.as_ref())
            .and_then(|word| self.resolve_word(word, "value of `repeated`:"));
        let info = parts.first_value_in_parts(self, "info", |part| part.info.as_ref());
        let ignore_case = parts.first_value_in_parts(self, "ignore_case", |part| part.ignore_case.as_ref());
        let ignore_case = ignore_case.is_some_and(|flag| flag.value);
        let rate_limits = parts.first_node_in_parts(self, "rate_limit", |part| part.rate_limit.as_ref());
        let defaults_of_api = self.defaults.len();
        self.defaults.extend(rate_limits.map(|(limits, _)| ("rate_limit", limits.span)));
        let rate_limits = rate_limits.map(|(limits, _)| self.lower_rate_limits(limits));
        let limits_of_api = self.default_rate_limits.clone();
        self.default_rate_limits = rate_limits.clone().unwrap_or_else(|| limits_of_api.clone());
        let (scope_of_api, requires_scope) = (self.default_scope.clone(), self.requires_scope);
        // The omitted value may be the scope.
        self.requires_scope &= parts.parts.iter().all(|part| !part.is_incomplete);
        if let Some((scope, dialect)) = parts.first_node_in_parts(self, "scope", |part| part.scope.as_ref()) {
            self.defaults.push(("scope", scope.span));
            self.default_scope = Some(read_permission_groups(dialect, scope, &mut self.diagnostics));
        }
        self.schemas.module = Some(&name.value);
        let mut services = IndexMap::new();
        for part in &parts.parts {
            self.dialect = part.spec;
            let paths = self.parse_paths(&part.services);
            for (service, path) in part.services.iter().zip(paths) {
                let methods = without_unused_capacity(service.methods.iter().filter_map(|method| {
                    self.lower_method(method, path.as_deref(), &service.path, common, envelope.as_ref())
                }));
                if let Some(path) = path.filter(|_| !methods.is_empty()) {
                    add_or_merge(&mut services, Service { path, methods, span: service.path.span }, ignore_case);
                }
            }
        }
        (self.default_rate_limits, self.default_scope) = (limits_of_api, scope_of_api);
        self.requires_scope = requires_scope;
        self.defaults.truncate(defaults_of_api);
        Module {
            name: name.value.clone(),
            info: info.map(|info| info.value.clone()),
            envelope: module_envelope.flatten(),
            ignore_case,
            repeated: repeated.unwrap_or_default(),
            rate_limits,
            schemas: self.schemas_of(Some(&name.value)),
            services: sorted_services(services),
            span: parts.span,
        }
    }

    pub(crate) fn resolve_envelope(&mut self, name: &Spanned<String>) -> Option<EnvelopeName> {
        let envelopes = &self.responses.envelopes;
        let known = self.resolve_name(name, "envelope", &envelopes.names().collect::<Vec<_>>())?;
        let resolved = envelopes.get(known)?.clone();
        let envelope = resolved.envelope(EnvelopeSettings::default());
        let types = [envelope.success_content_type(), envelope.error_content_type()];
        if let Some(invalid) = types.into_iter().find(|media_type| HeaderValue::from_str(media_type).is_err()) {
            let message = format!("the envelope `{}` has an invalid media type", known.escape_debug());
            let label = format!("media type `{}`", invalid.escape_debug());
            self.report(Diagnostic::new(DiagnosticCode::BadOption, name.span, message).label(label));
        }
        Some(resolved)
    }

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

    /// Returns the value with this name. `noun` describes it in the error message: "catalogue", "value of `repeated`:".
    pub(crate) fn resolve_word<W: Word>(&mut self, word: &Spanned<String>, noun: &str) -> Option<W> {
        let names: Vec<&str> = W::VARIANTS.iter().map(|value| (*value).into()).collect();
        let name = self.resolve_name(word, noun, &names)?;
        W::VARIANTS.iter().copied().find(|value| (*value).into() == name)
    }

    /// Returns the name in `known` that is equal to `word`. Reports a word that is not in `known`.
    fn resolve_name<'n>(&mut self, word: &Spanned<String>, noun: &str, known: &[&'n str]) -> Option<&'n str> {
        let name = known.iter().find(|name| **name == word.value).copied();
        if name.is_none() {
            let list: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            let message = format!("unknown {noun} `{}`", word.value.escape_debug());
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, word.span, message)
                    .label("unknown value")
                    .help(format!("expected one of {}", list.join(", ")))
                    .suggest(&word.value, known.iter().copied()),
            );
        }
        name
    }

    /// Returns the segments of each service's path, or `None` for a path with an error. An error in a key is an error
    /// of all paths below it. It is reported once: at the key itself if its service has methods, otherwise at the first
    /// service below.
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
                    let (span, is_in_last_key) = path::span_of_range(text, &error.range);
                    let path_up_to_error = text.value.get(..error.range.end).unwrap_or(&text.value);
                    LocatedPathError { path_up_to_error, is_in_last_key, span, error }
                }));
                None
            })
            .collect();
        located.sort_by_key(|located| !located.is_in_last_key);
        let mut reported = HashSet::new();
        for LocatedPathError { path_up_to_error, span, error, .. } in located {
            if reported.insert(path_up_to_error) {
                self.report(error.into_diagnostic(span));
            }
        }
        paths
    }
}

/// Adds a service to those of an API module, which are in a map by the [shapes](path_shape) of their paths. If a
/// service matches the same requests, it gets the new methods, with its own capture names.
fn add_or_merge(services: &mut IndexMap<String, Service>, new: Service, ignore_case: bool) {
    let shape = path_shape(&new.path);
    match services.entry(if ignore_case { fold_case(&shape) } else { shape }) {
        Entry::Vacant(entry) => {
            entry.insert(new);
        }
        Entry::Occupied(mut entry) => {
            let known = entry.get_mut();
            let Service { path, methods, span: _ } = new;
            let renamed = methods.into_iter().map(|method| rename_captures(method, &path, &known.path));
            known.methods.extend(renamed);
        }
    }
}

/// Returns the services: first that of the root path, then the others in the order in which they were added.
fn sorted_services(services: IndexMap<String, Service>) -> Vec<Service> {
    let mut services: Vec<_> = services.into_values().collect();
    for service in &mut services {
        service.methods.sort_by_key(|method| method.http);
        mark_entity_tags(&mut service.methods);
    }
    services.sort_by_key(|service| !service.path.is_empty());
    services
}

/// Marks the parameters in `If-Match` of the methods of a service that are the version that a request changes: those of
/// methods with the option `version`, and of all methods if the GET method has it.
fn mark_entity_tags(methods: &mut [Method]) {
    let has_version = |method: &Method| method.options.version.is_some();
    let is_versioned = methods.iter().any(|method| method.http == HttpMethod::Get && has_version(method));
    for method in methods.iter_mut().filter(|method| is_versioned || has_version(method)) {
        for parameter in method.parameters.iter_mut().filter(|parameter| parameter.from == Location::Header) {
            parameter.is_entity_tag = parameter.key.eq_ignore_ascii_case(IF_MATCH);
        }
    }
}

/// Renames the captures of a method's parameters as in the path `to`, which differs from `from` only in capture names.
/// The parameters' names in code and the id of the method are not changed.
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

struct LocatedPathError<'a> {
    /// The beginning of the path, up to the end of the error. Paths with the same text have the error in a common key.
    path_up_to_error: &'a str,
    /// `true` if the error is in the last key of the path, `false` if it is in a key above.
    is_in_last_key: bool,
    span: Span,
    error: PathError,
}

/// Returns the segments of a service's path. The parser gives the path `/` to the root service, and also to a service
/// below an empty key, which is an error. The span of an empty key consists of the two quotes, and the span of the root
/// path is that of its first method.
fn service_segments(service: &parsed::Service) -> Result<Vec<Segment>, Vec<PathError>> {
    let Spanned { value: path, span } = &service.path;
    let is_key = service.methods.first().is_none_or(|first| first.http_method.span.start != span.start);
    if path == "/" && is_key && span.end.saturating_sub(span.start) == 2 {
        return path::parse_path("//");
    }
    path::parse_path(path)
}

/// The parts of one API module: the objects with its name in the definition files, in the order of the files.
pub(super) struct ModuleParts<'d> {
    pub(super) name: &'d Spanned<String>,
    pub(super) span: Span,
    pub(super) parts: Vec<&'d parsed::Module>,
}

/// Groups the parts of API modules from all files by the module's name, in the order in which the names first occur.
pub(super) fn group_by_module(parsed: &[parsed::Module]) -> impl Iterator<Item = ModuleParts<'_>> {
    let mut modules: IndexMap<&str, ModuleParts<'_>> = IndexMap::new();
    for part in parsed {
        let new = || ModuleParts { name: &part.name, span: part.span, parts: Vec::new() };
        modules.entry(&part.name.value).or_insert_with(new).parts.push(part);
    }
    modules.into_values()
}

impl<'d> ModuleParts<'d> {
    /// Returns the value of `key` in the first part that has this key. Reports each part with a different value.
    pub(super) fn first_value_in_parts<T: PartialEq>(
        &self,
        lowering: &mut Lowering<'_>,
        key: &str,
        get: impl Fn(&'d parsed::Module) -> Option<&'d Spanned<T>>,
    ) -> Option<&'d Spanned<T>> {
        let mut values = self.parts.iter().filter_map(|part| get(part));
        let first = values.next()?;
        for other in values.filter(|other| other.value != first.value) {
            self.report_different_values(lowering, key, first.span, other.span);
        }
        Some(first)
    }

    /// Returns the value of `key` as [`ModuleParts::first_value_in_parts`] does, and the dialect of its part.
    pub(super) fn first_node_in_parts(
        &self,
        lowering: &mut Lowering<'_>,
        key: &str,
        get: impl Fn(&'d parsed::Module) -> Option<&'d JsonNode>,
    ) -> Option<(&'d JsonNode, &'static DialectSpec)> {
        let mut values = self.parts.iter().filter_map(|part| Some((get(part)?, part.spec)));
        let first = values.next()?;
        for (other, _) in values.filter(|(other, _)| other.json() != first.0.json()) {
            self.report_different_values(lowering, key, first.0.span, other.span);
        }
        Some(first)
    }

    fn report_different_values(&self, lowering: &mut Lowering<'_>, key: &str, first: Span, other: Span) {
        let message = format!("the module `{}` has different values of `{key}` in several files", self.name.value);
        lowering.report(
            Diagnostic::new(DiagnosticCode::NameCollision, other, message)
                .label("second value")
                .related(first, "first value")
                .help(format!("remove `{key}` here, or give this module a name of its own with `\"module\": \"…\"`")),
        );
    }
}

impl Lowering<'_> {
    pub(super) fn check_service_names(&mut self, api: &Api) {
        let root = api.services().find(|service| service.path.is_empty());
        if api.service.on {
            self.check_class_names(api, root);
            self.check_entry_path(api);
            self.check_root_parameters(root, ServiceNaming::Service, "service");
        }
        if api.dispatch {
            self.check_root_parameters(root, ServiceNaming::Module, "dispatch");
        }
    }

    /// Reports names `Class.method` of several services, an unknown default service, and a service that the default
    /// hides.
    fn check_class_names(&mut self, api: &Api, root: Option<&Service>) {
        let services: Vec<&Service> = api.services().collect();
        let mut classes = ServicesByClass::new(api.catalogue.version());
        for (index, service) in services.iter().enumerate() {
            let Some(first) = classes.insert(&service.path, index).and_then(|first| services.get(first)) else {
                continue;
            };
            let message = format!("`{}` and `{}` have the same name in `?service=`", first.uri(), service.uri());
            self.report(
                Diagnostic::new(DiagnosticCode::UriCollision, service.span, message)
                    .label("second service")
                    .related(first.span, "first service")
                    .help(
                        "change one of the paths; the first letter of the class, and the method, are \
                         compared case-insensitively",
                    ),
            );
        }
        let Some(default) = &api.service.default else { return };
        // After other errors, the default service may be missing only because it was omitted.
        if self.diagnostics.is_empty() && classes.find(&default.value).is_err() {
            let message = format!("unknown default service `{}`", default.value.escape_debug());
            let names: Vec<String> = services.iter().filter_map(|service| class_name(&service.path)).collect();
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, default.span, message)
                    .label("unknown service")
                    .help("the service at `/class/method` has the name `Class.method`")
                    .suggest(&default.value, names.iter().map(String::as_str)),
            );
        }
        if let Some(root) = root {
            let message = "the service at the base path is hidden by the default service";
            self.report(
                Diagnostic::new(DiagnosticCode::UriCollision, root.span, message)
                    .label("never reached")
                    .related(default.span, "the default service")
                    .help("remove the methods at the base path, or `default`"),
            );
        }
    }

    /// Reports services below the path of PhalApi's script, which requests to such a path do not reach.
    fn check_entry_path(&mut self, api: &Api) {
        let entry = format!("/{}", api.service.entry);
        let services = api.services();
        let hidden = services.filter(|service| {
            !api.service.entry.is_empty()
                && service.uri().strip_prefix(&*entry).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        for service in hidden {
            let message = format!("requests to `{}` are for the script `{}` of PhalApi", service.uri(), entry);
            let error = Diagnostic::new(DiagnosticCode::UriCollision, service.span, message).label("never reached");
            self.report(error.help("change the path, or the key `entry` of the setting `service`"));
        }
    }

    /// Reports parameters of the service at the base path that have the name of a field that selects a method.
    /// `setting` reserves these fields.
    fn check_root_parameters(&mut self, root: Option<&Service>, naming: ServiceNaming, setting: &str) {
        let in_query = |location| naming == ServiceNaming::Service && location == Location::Query;
        let is_affected = |location| in_query(location) || matches!(location, Location::Body | Location::Any);
        for Method { parameters, .. } in root.iter().flat_map(|root| &root.methods) {
            if let Some(whole) = parameters.iter().find(|parameter| parameter.is_whole_body()) {
                let [first, second] = naming.fields();
                let message = format!(
                    "the setting `{setting}` reserves the fields `{first}` and `{second}` of bodies at the base path"
                );
                let error = Diagnostic::new(DiagnosticCode::ReservedName, whole.span, message).label("the whole body");
                self.report_once(error.help("move the method to another path"));
            }
            let reserved = parameters
                .iter()
                .filter(|parameter| is_affected(parameter.from) && naming.fields().contains(&&*parameter.key));
            for parameter in reserved {
                let message =
                    format!("the setting `{setting}` reserves the parameter `{}` of the base path", parameter.key);
                let error = Diagnostic::new(DiagnosticCode::ReservedName, parameter.span, message).label("reserved");
                self.report_once(error.help("rename the parameter, or move the method to another path"));
            }
        }
    }
}

/// Returns the name `Class.method` by which clients of PhalApi select a service whose path is two static segments.
fn class_name(path: &[Segment]) -> Option<String> {
    let [Segment::Static(class), Segment::Static(method)] = path else { return None };
    let mut letters = class.chars();
    let first = letters.next()?.to_ascii_uppercase();
    Some(format!("{first}{}.{method}", letters.as_str()))
}
