//! The whole API against itself: paths and ids that cannot both be.

use std::collections::{HashMap, HashSet};

use super::lower::Lowering;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{From, Method, Module, Segment, Service};
use crate::plan::{Routes, joinable};

/// A service with its module and what its path is compared by.
struct Entry<'a> {
    module: &'a Module,
    service: &'a Service,
    /// The path with nameless captures.
    shape: String,
}

impl Entry<'_> {
    /// Whether a request can mean either: the shapes are alike, without case where one of the modules ignores it.
    fn meets(&self, shape: &str, module: &Module) -> bool {
        self.shape == shape || ((self.module.ignore_case || module.ignore_case) && fold(&self.shape) == fold(shape))
    }
}

/// Services by the shape of their paths without case.
type ByShape<'e, 'a> = HashMap<String, Vec<&'e Entry<'a>>>;
/// Methods that are told already, by their address: nothing that follows from it is told of them.
type Told = HashSet<*const Method>;

impl Lowering<'_> {
    /// Judges all modules together, in the order of the text. `base` is none where it is faulty or reserved itself.
    pub(super) fn judge_whole(&mut self, modules: &[Module], base: Option<&str>) {
        let entries: Vec<Entry<'_>> = modules
            .iter()
            .flat_map(|module| module.services.iter().map(move |service| (module, service)))
            .map(|(module, service)| Entry { module, service, shape: shape(&service.path) })
            .collect();
        let mut by_shape = ByShape::new();
        let mut told = Told::new();
        for entry in &entries {
            if let Some(base) = base {
                let path = format!("{}{}", base.trim_end_matches('/'), entry.shape);
                self.judge_reserved(&path, entry.module.ignore_case, entry.service.place);
            }
            let alike = by_shape.entry(fold(&entry.shape)).or_default();
            self.judge_methods(entry.service, &mut told);
            self.judge_paths(entry, alike, &mut told);
            alike.push(entry);
        }
        let mut routes = Routes::default();
        for (index, Entry { module, service, .. }) in entries.iter().enumerate() {
            // What is there twice is told already.
            let _ = routes.insert(&service.path, index, module.ignore_case);
        }
        for entry in &entries {
            self.judge_positions_below(entry, &by_shape, |path, length| {
                let found = routes.find(path, length).and_then(|index| entries.get(index));
                found.filter(|found| found.service.path.len() == length)
            });
        }
        self.judge_ids(&entries, &told);
    }

    /// A service against those before it whose paths are alike, which are in other modules.
    fn judge_paths(&mut self, entry: &Entry<'_>, before: &[&Entry<'_>], told: &mut Told) {
        let Some(other) = before.iter().find(|other| other.meets(&entry.shape, entry.module)) else { return };
        told.extend(entry.service.methods.iter().map(std::ptr::from_ref));
        self.tell(
            Diagnostic::new(
                Code::UriCollision,
                entry.service.place,
                format!(
                    "the module `{}` defines `{}`, which the module `{}` has already",
                    entry.module.name,
                    entry.service.uri(),
                    other.module.name
                ),
            )
            .label("the second one")
            .other(other.service.place, "the first one")
            .help("a path belongs to one module: write its methods into one file"),
        );
    }

    /// The methods of one service, whose path may be written in several places and ways.
    fn judge_methods(&mut self, service: &Service, told: &mut Told) {
        for pair in service.methods.windows(2) {
            if let [first, second] = pair
                && first.http == second.http
            {
                told.insert(second);
                self.tell(
                    Diagnostic::new(
                        Code::UriCollision,
                        second.place,
                        format!("{} `{}` is defined twice", second.http.as_str(), service.uri()),
                    )
                    .label("the second one")
                    .other(first.place, "the first one")
                    .help("leave one of them out, or give it another path; other names of captures make no other path"),
                );
            }
        }
    }

    /// A service whose positions take the very segments that captures of a longer one take: it would never get them.
    /// `routed`: the service that a path of this many segments leads to, all of them its own.
    fn judge_positions_below<'e, 'a: 'e>(
        &mut self,
        entry: &Entry<'_>,
        by_shape: &ByShape<'e, 'a>,
        routed: impl Fn(&str, usize) -> Option<&'e Entry<'a>>,
    ) {
        let most = entry.service.methods.iter().map(|method| method.positions().len()).max().unwrap_or(0);
        let mut longer = entry.shape.clone();
        let mut path: String = entry.service.path.iter().fold(String::new(), |path, segment| match segment {
            Segment::Static(text) => path + "/" + &joinable(text),
            Segment::Capture(_) => path + ANYTHING,
        });
        for position in 0..most {
            longer.push_str(NAMELESS);
            path.push_str(ANYTHING);
            let mut alike = by_shape.get(&fold(&longer)).into_iter().flatten();
            let alike = alike.find(|other| other.meets(&longer, entry.module)).copied();
            let length = entry.service.path.len() + position + 1;
            let Some(other) = alike.or_else(|| routed(&path, length)) else {
                continue;
            };
            let taking = entry
                .service
                .methods
                .iter()
                .flat_map(|method| &method.parameters)
                .find(|parameter| parameter.from == From::Position(position));
            let Some(taking) = taking else { continue };
            self.tell(
                Diagnostic::new(
                    Code::UriCollision,
                    taking.place,
                    format!(
                        "the position `URL#{position}` of `{}` stands where `{}` has a capture",
                        entry.service.uri(),
                        other.service.uri()
                    ),
                )
                .label("never gets its segment")
                .other(other.service.place, "the longer path is always taken")
                .help("write both in one way: as captures, or as positions"),
            );
            return;
        }
    }

    /// A method's name is its own in the whole API.
    fn judge_ids(&mut self, entries: &[Entry<'_>], told: &Told) {
        let mut ids: HashMap<&str, &Method> = HashMap::new();
        for method in entries.iter().flat_map(|entry| &entry.service.methods) {
            if told.contains(&std::ptr::from_ref(method)) {
                continue;
            }
            if let Some(first) = ids.get(method.id.as_str()) {
                self.tell(
                    Diagnostic::new(
                        Code::IdCollision,
                        method.place,
                        format!("two methods have the id `{}`", method.id),
                    )
                    .label("the second one")
                    .other(first.place, "the first one")
                    .help("give one of them another `id`"),
                );
            } else {
                ids.insert(&method.id, method);
            }
        }
    }
}

/// A segment that no static one is: they hold no control characters.
const ANYTHING: &str = "/\u{0}";

/// A capture in a shape. Static segments hold no braces.
const NAMELESS: &str = "/{}";

/// A path with nameless captures; empty for the root.
pub(super) fn shape(path: &[Segment]) -> String {
    path.iter().fold(String::new(), |mut shape, segment| {
        match segment {
            Segment::Static(text) => shape.extend(["/", text]),
            Segment::Capture(_) => shape.push_str(NAMELESS),
        }
        shape
    })
}

/// A shape without regard to case.
pub(super) fn fold(shape: &str) -> String {
    shape.to_lowercase()
}
