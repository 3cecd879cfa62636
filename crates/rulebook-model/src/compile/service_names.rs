//! Checks the services of an API in which a request to the base path can select a method by name. The settings
//! `service` and `dispatch` enable this.

use super::lowering::Lowering;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{Api, Location, Method, Segment, Service};
use crate::routing::{ServiceNaming, ServicesByClass};

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
