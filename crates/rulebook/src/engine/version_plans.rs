//! The plans of an API: one for each of its versions.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use rulebook_model::model::{Api, Unbound};

use super::documents;
use crate::bind::{self, PlanContext};
use crate::handler::Module;
use crate::plan::{Action, Plan, PlannedVersions};

/// Creates the plan of an API. If the API has versions, it is that of the version for requests that name none, and
/// contains the plans of the others.
pub(super) fn create_plans(
    api: &Arc<Api>,
    actions: Vec<Action>,
    modules: &[Module],
    context: PlanContext,
    unbound: Unbound,
) -> Plan {
    // The program can override the setting `unbound` of the definition. The documents describe the responses that
    // clients get.
    let documents = |api: &Arc<Api>| {
        let mut described = Arc::clone(api);
        if api.unbound != unbound {
            Arc::make_mut(&mut described).unbound = unbound;
        }
        documents::create_document_cache(&described)
    };
    let Some(versions) = &api.versions else {
        return bind::create_plan(api, actions, modules, context, documents(api));
    };
    let header: Option<HeaderName> = versions.header.as_ref().and_then(|name| name.parse().ok());
    let plan_of = |name: &str| {
        let version = Arc::new(api.in_version(name)?);
        let actions = bind::actions_of_version(api, &actions, &version);
        let plan = bind::create_plan(&version, actions, modules, context.clone(), documents(&version));
        Some(Plan { version_field: header.clone().map(HeaderValue::from), ..plan })
    };
    let others = versions.names().filter(|name| **name != *versions.default);
    let others = others.filter_map(|name| Some((name.into(), Arc::new(plan_of(name)?)))).collect();
    // The compiler has checked that the default is the name of a version.
    let mut plan = plan_of(&versions.default).expect("the default version exists");
    let names = versions.names().map(str::to_owned).collect();
    plan.versions =
        Some(Box::new(PlannedVersions { default: versions.default.as_str().into(), others, names, header }));
    plan
}
