//! Compares the settings of APIs that clients can notice.

use rulebook_model::format::FormatOffer;
use rulebook_model::model::{Api, DefinedAuth};
use serde_json::{Value as Json, json};

use crate::change::{Change, ChangeKind};
use crate::limits;

/// The settings whose effect on clients depends on the requests.
const OTHER_SETTINGS: [&str; 7] = ["catalogue", "service", "dispatch", "unknown", "timezone", "options", "cors"];

/// Returns the changes of the whole API.
pub(crate) fn compare(old: &Api, new: &Api) -> Vec<Change> {
    let mut changes = Vec::new();
    if old.base != new.base {
        let message = format!("all paths begin with `{}`, and began with `{}`", new.base, old.base);
        let witness = json!({ "request": { "path": old.base } });
        changes.push(Change::new(ChangeKind::BaseChanged, message).witness(witness));
    }
    let formats =
        |api: &Api| -> Vec<String> { api.formats.iter().map(|it| FormatOffer::name(it).to_string()).collect() };
    for removed in formats(old).into_iter().filter(|format| !formats(new).contains(format)) {
        let message = format!("responses are no longer available as `{removed}`");
        let witness = json!({ "request": { "format": removed } });
        changes.push(Change::new(ChangeKind::FormatRemoved, message).witness(witness));
    }
    for added in formats(new).into_iter().filter(|format| !formats(old).contains(format)) {
        let message = format!("responses are also available as `{added}`, for clients whose `Accept` prefers it");
        changes.push(Change::new(ChangeKind::SettingChanged, message));
    }
    for removed in authenticators(old).into_iter().filter(|kind| !authenticators(new).contains(kind)) {
        let message = format!("credentials of the kind `{removed}` are no longer accepted");
        let witness = json!({ "caller": { "credential": removed } });
        changes.push(Change::new(ChangeKind::AuthenticatorRemoved, message).witness(witness));
    }
    changes.extend(limits::compare(old, new));
    let values = |api: &Api| serde_json::to_value(api).unwrap_or(Json::Null);
    let (before, after) = (values(old), values(new));
    let mut settings: Vec<(&str, Json, Json)> =
        OTHER_SETTINGS.into_iter().map(|name| (name, before[name].clone(), after[name].clone())).collect();
    settings.push(("phalapi.real_status", old.real_status.into(), new.real_status.into()));
    settings.push(("iapi.strict_status", old.strict_status.into(), new.strict_status.into()));
    let field = |api: &Api| api.versions.as_ref().and_then(|versions| versions.header.clone()).into();
    settings.push(("versions.header", field(old), field(new)));
    for (name, before, after) in settings.into_iter().filter(|(_, before, after)| before != after) {
        changes.push(Change::new(ChangeKind::SettingChanged, format!("`{name}` is {after}, and was {before}")));
    }
    changes.into_iter().map(|change| change.or_at(old.span, new.span)).collect()
}

/// Returns the kinds of credentials that the definition chooses.
fn authenticators(api: &Api) -> Vec<&str> {
    match &api.auth {
        Some(DefinedAuth { kinds, .. }) => kinds.iter().map(|member| member.key.value.as_str()).collect(),
        None => vec![DefinedAuth::KEYS],
    }
}
