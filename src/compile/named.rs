//! Methods that are named in the query of base or in a body: what would keep a name from leading to its method.

use super::lower::Lowering;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Api, From, Method, Segment, Service};
use crate::plan::{Classes, Naming};

impl Lowering<'_> {
    /// Judges the settings of names against the whole API.
    pub(super) fn judge_naming(&mut self, api: &Api) {
        let root = api.modules.iter().flat_map(|module| &module.services).find(|service| service.path.is_empty());
        if api.service.on {
            self.judge_classes(api, root);
            self.judge_root(root, Naming::Service, "service");
        }
        if api.dispatch {
            self.judge_root(root, Naming::Module, "dispatch");
        }
    }

    /// A name leads to one service, and the default one to one that there is.
    fn judge_classes(&mut self, api: &Api, root: Option<&Service>) {
        let services: Vec<&Service> = api.modules.iter().flat_map(|module| &module.services).collect();
        let mut classes = Classes::default();
        for (index, service) in services.iter().enumerate() {
            let Some(first) = classes.insert(&service.path, index).and_then(|first| services.get(first)) else {
                continue;
            };
            let message = format!("`{}` has the same name in `?service=` as `{}`", service.uri(), first.uri());
            self.tell(
                Diagnostic::new(Code::UriCollision, service.place, message)
                    .label("the second one")
                    .other(first.place, "the first one")
                    .help(
                        "names compare without the case of their first letter and of the method: choose another path",
                    ),
            );
        }
        let Some(default) = &api.service.default else { return };
        // What is faulty has been left out.
        if self.faults.is_empty() && classes.find(&default.value).is_none() {
            let message = format!("no service is called `{}`", default.value.escape_debug());
            let names: Vec<String> = services.iter().filter_map(|service| name(&service.path)).collect();
            self.tell(
                Diagnostic::new(Code::BadOption, default.place, message)
                    .label("unknown")
                    .help("a service whose path is `/class/method` is called `Class.method`")
                    .suggest(&default.value, names.iter().map(String::as_str)),
            );
        }
        if let Some(root) = root {
            self.tell(
                Diagnostic::new(
                    Code::UriCollision,
                    root.place,
                    "the default service answers at base, so the root is never asked",
                )
                .label("never reached")
                .other(default.place, "the default service")
                .help("leave the root's methods or `default` out"),
            );
        }
    }

    /// What names a method at base is no parameter there.
    fn judge_root(&mut self, root: Option<&Service>, naming: Naming, setting: &str) {
        let in_query = |from| naming == Naming::Service && from == From::Query;
        let stands_there = |from| in_query(from) || matches!(from, From::Body | From::Any);
        for Method { parameters, .. } in root.iter().flat_map(|root| &root.methods) {
            let reserved =
                parameters.iter().filter(|own| stands_there(own.from) && naming.fields().contains(&&*own.key));
            for parameter in reserved {
                let message =
                    format!("`{}` names a method at base, as `{setting}` in the settings says", parameter.key);
                self.tell_once(
                    Diagnostic::new(Code::ReservedName, parameter.place, message)
                        .label("reserved")
                        .help("give the parameter another name, or the method another path"),
                );
            }
        }
    }
}

/// The name of a service as PhalApi's clients write it, where it has one.
fn name(path: &[Segment]) -> Option<String> {
    let [Segment::Static(class), Segment::Static(method)] = path else { return None };
    let mut letters = class.chars();
    let first = letters.next()?.to_ascii_uppercase();
    Some(format!("{first}{}.{method}", letters.as_str()))
}
