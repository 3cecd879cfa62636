//! Checks the services of all API modules together: reports reserved paths, colliding paths and duplicate method ids.
//!
//! Two paths collide if the same request matches both of them.

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};

use super::Lowering;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{Api, Location, Method, Module, Segment, ServerPath, Service};
use crate::routing::{Routes, encode_segment, fold_case, path_shape, push_segment_shape};
use crate::span::Span;

struct ServiceEntry<'a> {
    module: &'a Module,
    service: &'a Service,
    /// The [`path_shape`] of the service's path.
    path_shape: String,
}

impl ServiceEntry<'_> {
    /// Returns `true` if the same request may match this service and a path of the shape `shape` in `module`. If one of
    /// the two API modules has case-insensitive paths, case is ignored.
    fn collides_with(&self, shape: &str, module: &Module) -> bool {
        let ignore_case = self.module.ignore_case || module.ignore_case;
        self.path_shape == shape || (ignore_case && fold_case(&self.path_shape) == fold_case(shape))
    }
}

/// Services, by the shapes of their paths in lower case.
type ServicesByShape<'e, 'a> = HashMap<String, Vec<&'e ServiceEntry<'a>>>;
/// The methods with a reported error, by address. Their further errors are only a consequence of it.
type ReportedMethods = HashSet<*const Method>;

fn routes_of(entries: &[ServiceEntry<'_>]) -> Routes {
    let mut routes = Routes::default();
    for (index, ServiceEntry { module, service, .. }) in entries.iter().enumerate() {
        // If another service has the same path, `check_duplicate_path` has reported an error.
        let _ = routes.insert(&service.path, index, module.ignore_case);
    }
    routes
}

impl Lowering<'_> {
    /// `modules` are in the order of the definition files. `base` is `None` if the base path has an error.
    pub(super) fn check_collisions(&mut self, modules: &[Module], base: Option<&str>) {
        let entries: Vec<ServiceEntry<'_>> = modules
            .iter()
            .flat_map(|module| module.services.iter().map(move |service| (module, service)))
            .map(|(module, service)| ServiceEntry { module, service, path_shape: path_shape(&service.path) })
            .collect();
        let mut by_shape = ServicesByShape::new();
        let mut reported = ReportedMethods::new();
        for entry in &entries {
            if let Some(base) = base {
                let path = format!("{}{}", base.trim_end_matches('/'), entry.path_shape);
                self.check_reserved_path(&path, entry.module.ignore_case, entry.service.span);
            }
            let same_shape = by_shape.entry(fold_case(&entry.path_shape)).or_default();
            self.check_duplicate_methods(entry.service, &mut reported);
            self.check_duplicate_path(entry, same_shape, &mut reported);
            same_shape.push(entry);
        }
        // Few APIs have positional parameters, and only these need the routes.
        let routes = LazyCell::new(|| routes_of(&entries));
        for entry in &entries {
            self.check_positions_are_reachable(entry, &by_shape, |path, length| {
                let routed = routes.find(path, length).and_then(|index| entries.get(index));
                routed.filter(|routed| routed.service.path.len() == length)
            });
        }
        self.check_duplicate_ids(&entries, &reported);
    }

    /// Reports services whose paths begin with the name of a version, because requests to them name the version.
    pub(super) fn check_version_paths(&mut self, api: &Api) {
        let Some(versions) = &api.versions else { return };
        for service in api.services() {
            let path = format!("{}{}", api.base.trim_end_matches('/'), service.uri());
            let first = path.split('/').nth(1).unwrap_or_default();
            if let Some(version) = versions.names.iter().find(|name| name.value == first) {
                let message = format!("the path `{path}` begins with the name of a version");
                let error = Diagnostic::new(DiagnosticCode::ReservedName, service.span, message);
                let error = error.related(version.span, "requests to such paths name this version");
                self.report(error.help("choose another path, or another name for the version, such as `v1`"));
            }
        }
    }

    /// Reports a complete path, including the base path, that the server reserves, and returns `false`.
    pub(crate) fn check_reserved_path(&mut self, path: &str, ignore_case: bool, span: Span) -> bool {
        let is_same = |a: &str, b: &str| a == b || (ignore_case && a.eq_ignore_ascii_case(b));
        let entry = ServerPath::ALL.into_iter().find(|(_, reserved, includes_below)| {
            let split = path.split_at_checked(reserved.len());
            split.is_some_and(|(start, rest)| {
                is_same(start, reserved) && (rest.is_empty() || (*includes_below && rest.starts_with('/')))
            })
        });
        let Some((_, reserved, includes_below)) = entry else { return true };
        let message = if includes_below {
            format!("the path `{reserved}` and all paths below it are reserved for the server")
        } else {
            format!("the path `{reserved}` is reserved for the server")
        };
        let error = Diagnostic::new(DiagnosticCode::ReservedName, span, message).label("reserved");
        self.report(error.help("choose another path, or another `base` in `app.json`"));
        false
    }

    /// Reports the service if one of the `earlier` services, which belong to other API modules, has the same path.
    fn check_duplicate_path(
        &mut self,
        entry: &ServiceEntry<'_>,
        earlier: &[&ServiceEntry<'_>],
        reported: &mut ReportedMethods,
    ) {
        let Some(other) = earlier.iter().find(|other| other.collides_with(&entry.path_shape, entry.module)) else {
            return;
        };
        reported.extend(entry.service.methods.iter().map(std::ptr::from_ref));
        self.report(
            Diagnostic::new(
                DiagnosticCode::UriCollision,
                entry.service.span,
                format!(
                    "the path `{}` is defined by both modules `{}` and `{}`",
                    entry.service.uri(),
                    other.module.name,
                    entry.module.name
                ),
            )
            .label("second definition")
            .related(other.service.span, "first definition")
            .help("define all methods of a path in the same module"),
        );
    }

    /// Reports an HTTP method that the service has more than once, from several keys whose paths match the same
    /// requests.
    fn check_duplicate_methods(&mut self, service: &Service, reported: &mut ReportedMethods) {
        for pair in service.methods.windows(2) {
            if let [first, second] = pair
                && first.http == second.http
            {
                reported.insert(second);
                let message = format!("{} `{}` is defined twice", second.http.as_str(), service.uri());
                self.report(
                    Diagnostic::new(DiagnosticCode::UriCollision, second.span, message)
                        .label("second definition")
                        .related(first.span, "first definition")
                        .help("remove one of them or change its path; renaming a capture does not make another path"),
                );
            }
        }
    }

    /// Reports a positional parameter (a segment after the path of its service) that a request can never contain,
    /// because the request is routed to a service with a longer path. `route` returns the service that handles a
    /// request path, or `None` unless that service's own path has the given number of segments.
    fn check_positions_are_reachable<'e, 'a: 'e>(
        &mut self,
        entry: &ServiceEntry<'_>,
        by_shape: &ServicesByShape<'e, 'a>,
        route: impl Fn(&str, usize) -> Option<&'e ServiceEntry<'a>>,
    ) {
        let count = entry.service.methods.iter().map(|method| method.positions().len()).max().unwrap_or(0);
        let mut shape = entry.path_shape.clone();
        let mut path: String = entry.service.path.iter().fold(String::new(), |path, segment| match segment {
            Segment::Static(text) => path + "/" + &encode_segment(text),
            Segment::Capture(_) => path + CAPTURE_ONLY_SEGMENT,
        });
        for position in 0..count {
            push_segment_shape(&mut shape, None);
            path.push_str(CAPTURE_ONLY_SEGMENT);
            let mut same_shape = by_shape.get(&fold_case(&shape)).into_iter().flatten();
            let same_shape = same_shape.find(|other| other.collides_with(&shape, entry.module)).copied();
            let length = entry.service.path.len() + position + 1;
            let Some(other) = same_shape.or_else(|| route(&path, length)) else {
                continue;
            };
            let parameter = entry
                .service
                .methods
                .iter()
                .flat_map(|method| &method.parameters)
                .find(|parameter| parameter.from == Location::Position(position));
            let Some(parameter) = parameter else { continue };
            self.report(
                Diagnostic::new(
                    DiagnosticCode::UriCollision,
                    parameter.span,
                    format!(
                        "the position `URL#{position}` of `{}` collides with a capture of `{}`",
                        entry.service.uri(),
                        other.service.uri()
                    ),
                )
                .label("never has a value")
                .related(other.service.span, "the longer path always wins")
                .help("use captures in both paths, or positions in both"),
            );
            return;
        }
    }

    fn check_duplicate_ids(&mut self, entries: &[ServiceEntry<'_>], reported: &ReportedMethods) {
        let mut ids: HashMap<&str, &Method> = HashMap::new();
        for method in entries.iter().flat_map(|entry| &entry.service.methods) {
            if reported.contains(&std::ptr::from_ref(method)) {
                continue;
            }
            if let Some(first) = ids.get(method.id.as_str()) {
                let message = format!("two methods have the id `{}`", method.id);
                let error = Diagnostic::new(DiagnosticCode::IdCollision, method.span, message).label("second method");
                self.report(error.related(first.span, "first method").help("give one of them another `id`"));
            } else {
                ids.insert(&method.id, method);
            }
        }
    }
}

/// A path segment that only captures match: it contains a control character, which static segments cannot contain.
const CAPTURE_ONLY_SEGMENT: &str = "/\u{0}";
