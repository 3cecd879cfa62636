//! Checks the API as a whole: reserved paths, colliding paths and duplicate ids.

use std::collections::{HashMap, HashSet};

use super::lower::Lowering;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{Location, Method, Module, Segment, Service};
use crate::routing::{Routes, encode_segment};

/// A service and the module that it belongs to.
struct ServiceEntry<'a> {
    module: &'a Module,
    service: &'a Service,
    /// The [`path_shape`] of the path.
    shape: String,
}

impl ServiceEntry<'_> {
    /// Returns `true` if a request may match both this service and a path of this shape in `module`. Case is ignored if
    /// one of the modules ignores it.
    fn collides_with(&self, shape: &str, module: &Module) -> bool {
        let ignore_case = self.module.ignore_case || module.ignore_case;
        self.shape == shape || (ignore_case && fold_case(&self.shape) == fold_case(shape))
    }
}

/// Services, by the shapes of their paths in lower case.
type ByShape<'e, 'a> = HashMap<String, Vec<&'e ServiceEntry<'a>>>;
/// The addresses of the methods with a reported error, so that errors that only follow from it are not reported.
type Reported = HashSet<*const Method>;

impl Lowering<'_> {
    /// Checks all modules, in the order of the files. `base` is the base path, or `None` if it has an error.
    pub(super) fn check_collisions(&mut self, modules: &[Module], base: Option<&str>) {
        let entries: Vec<ServiceEntry<'_>> = modules
            .iter()
            .flat_map(|module| module.services.iter().map(move |service| (module, service)))
            .map(|(module, service)| ServiceEntry { module, service, shape: path_shape(&service.path) })
            .collect();
        let mut by_shape = ByShape::new();
        let mut reported = Reported::new();
        for entry in &entries {
            if let Some(base) = base {
                let path = format!("{}{}", base.trim_end_matches('/'), entry.shape);
                self.check_reserved(&path, entry.module.ignore_case, entry.service.span);
            }
            let same_shape = by_shape.entry(fold_case(&entry.shape)).or_default();
            self.check_methods(entry.service, &mut reported);
            self.check_path(entry, same_shape, &mut reported);
            same_shape.push(entry);
        }
        let mut routes = Routes::default();
        for (index, ServiceEntry { module, service, .. }) in entries.iter().enumerate() {
            // If the path already exists, `check_path` has reported it.
            let _ = routes.insert(&service.path, index, module.ignore_case);
        }
        for entry in &entries {
            self.check_position_reach(entry, &by_shape, |path, length| {
                let routed = routes.find(path, length).and_then(|index| entries.get(index));
                routed.filter(|routed| routed.service.path.len() == length)
            });
        }
        self.check_ids(&entries, &reported);
    }

    /// Checks that no earlier service of another module has the same path.
    fn check_path(&mut self, entry: &ServiceEntry<'_>, before: &[&ServiceEntry<'_>], reported: &mut Reported) {
        let Some(other) = before.iter().find(|other| other.collides_with(&entry.shape, entry.module)) else { return };
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

    /// Checks that a service has each HTTP method only once. Its methods may come from several keys with the same path.
    fn check_methods(&mut self, service: &Service, reported: &mut Reported) {
        for pair in service.methods.windows(2) {
            if let [first, second] = pair
                && first.http == second.http
            {
                reported.insert(second);
                self.report(
                    Diagnostic::new(
                        DiagnosticCode::UriCollision,
                        second.span,
                        format!("{} `{}` is defined twice", second.http.as_str(), service.uri()),
                    )
                    .label("second definition")
                    .related(first.span, "first definition")
                    .help("remove one of them or change its path; renaming a capture does not make another path"),
                );
            }
        }
    }

    /// Checks that requests with positions reach this service, and not a service whose longer path also matches them.
    /// `route` returns the service that handles a path, if the path of the service has the given number of segments.
    fn check_position_reach<'e, 'a: 'e>(
        &mut self,
        entry: &ServiceEntry<'_>,
        by_shape: &ByShape<'e, 'a>,
        route: impl Fn(&str, usize) -> Option<&'e ServiceEntry<'a>>,
    ) {
        let count = entry.service.methods.iter().map(|method| method.positions().len()).max().unwrap_or(0);
        let mut shape = entry.shape.clone();
        let mut path: String = entry.service.path.iter().fold(String::new(), |path, segment| match segment {
            Segment::Static(text) => path + "/" + &encode_segment(text),
            Segment::Capture(_) => path + ANY_SEGMENT,
        });
        for position in 0..count {
            shape.push_str(CAPTURE_SHAPE);
            path.push_str(ANY_SEGMENT);
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

    /// Checks that each method id is unique in the API.
    fn check_ids(&mut self, entries: &[ServiceEntry<'_>], reported: &Reported) {
        let mut ids: HashMap<&str, &Method> = HashMap::new();
        for method in entries.iter().flat_map(|entry| &entry.service.methods) {
            if reported.contains(&std::ptr::from_ref(method)) {
                continue;
            }
            if let Some(first) = ids.get(method.id.as_str()) {
                self.report(
                    Diagnostic::new(
                        DiagnosticCode::IdCollision,
                        method.span,
                        format!("two methods have the id `{}`", method.id),
                    )
                    .label("second method")
                    .related(first.span, "first method")
                    .help("give one of them another `id`"),
                );
            } else {
                ids.insert(&method.id, method);
            }
        }
    }
}

/// A segment that only captures match, because static segments contain no control characters.
const ANY_SEGMENT: &str = "/\u{0}";

/// The notation of a capture in a shape. Static segments contain no braces.
const CAPTURE_SHAPE: &str = "/{}";

/// Returns the shape of a path: the path without the names of its captures, `/articles/{}`. The shape of the root is
/// empty.
pub(super) fn path_shape(path: &[Segment]) -> String {
    path.iter().fold(String::new(), |mut shape, segment| {
        match segment {
            Segment::Static(text) => shape.extend(["/", text]),
            Segment::Capture(_) => shape.push_str(CAPTURE_SHAPE),
        }
        shape
    })
}

/// Returns a shape in lower case, to compare shapes case-insensitively.
pub(super) fn fold_case(shape: &str) -> String {
    shape.to_lowercase()
}
