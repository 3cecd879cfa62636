//! Converts the rules of PhalApi where rulebook does not read them in the same way.

use rulebook_model::definition::keys::rules::{PARAMETER_TYPE_ALIASES, tree_name_of_alias};
use serde_json::{Map, Value as Json};

use super::Context;
use super::export::{Class, Method};
use crate::project::Import;
use crate::project::definition_file::Positions;

/// The value of `source` with which a rule reads data of the web server, which no client sends.
const SERVER_SOURCE: &str = "server";

/// The keys of a rule that any type has. Others belong to the check of the type.
const GENERAL_KEYS: [&str; 6] = ["name", "require", "default", "source", "desc", "message"];

/// The type of a rule whose values PHP checks.
const ANY: &str = "any";

/// Returns the rules of what clients send. Rules that read data of the web server are removed, because a client could
/// send such a value itself otherwise. With handlers in PHP, a rule with a function or a formatter of the program
/// accepts every value, because PHP checks it.
pub(super) fn rules_of_clients(
    rules: &Map<String, Json>,
    path: &[&str],
    positions: &Positions,
    context: &Context<'_>,
    import: &mut Import,
) -> Map<String, Json> {
    let is_from_server = |rule: &Json| {
        rule.get("source").and_then(Json::as_str).is_some_and(|source| source.eq_ignore_ascii_case(SERVER_SOURCE))
    };
    let mut kept = Map::new();
    for (name, rule) in rules {
        if !is_from_server(rule) {
            let rule = if context.has_php { rule_checked_by_php(rule, context) } else { rule.clone() };
            kept.insert(name.clone(), rule);
        } else if !context.has_php {
            let path: Vec<String> = path.iter().copied().chain([name.as_str()]).map(str::to_owned).collect();
            let (file, line) = positions.get(&path).map(|(file, line)| (file.as_str(), *line)).unzip();
            let message = format!(
                "`{}`: removed, because no client sends data of the web server (`source` is `{SERVER_SOURCE}`): the handler \
                 reads such data from its `Context`",
                path.join(".")
            );
            import.warn(file.unwrap_or_default(), line, message);
        }
    }
    kept
}

fn rule_checked_by_php(rule: &Json, context: &Context<'_>) -> Json {
    let Json::Object(keys) = rule else { return rule.clone() };
    let type_name = keys.get("type").and_then(Json::as_str).unwrap_or("string").to_ascii_lowercase();
    let formatters = context.export.setup.get("formatter").into_iter().flatten();
    let has_formatter = formatters.map(|found| found.value.to_ascii_lowercase()).any(|name| name == type_name);
    let known = tree_name_of_alias(PARAMETER_TYPE_ALIASES, &type_name);
    let mut kept = keys.clone();
    kept.shift_remove("on_after_parse");
    if has_formatter || matches!(known, None | Some("callable")) {
        kept.retain(|key, _| GENERAL_KEYS.contains(&key.as_str()));
        kept.insert("type".to_owned(), ANY.into());
    }
    kept.into()
}

/// Returns the rules of the project and of the class that are others for a method: a rule that the method removes
/// accepts every value, and if `service_whitelist` names the method, PhalApi does not require what its filter checks.
pub(super) fn changed_rules(class: &Class, method: &Method, context: &Context<'_>) -> Map<String, Json> {
    let no_rules = Map::new();
    let (common, whitelist) = match &context.export.config {
        Some(config) => (&config.rules, config.whitelist.as_slice()),
        None => (&no_rules, &[][..]),
    };
    let name = [class.name.as_str(), method.name.as_str()];
    let has_no_filter = whitelist.iter().filter_map(Json::as_str).any(|pattern| names_service(pattern, name));
    let mut changed = Map::new();
    for (name, rule) in common.iter().chain(&class.common) {
        let Json::Object(keys) = rule else { continue };
        let mut keys = keys.clone();
        if method.removed.contains(name) {
            keys.retain(|key, _| matches!(key.as_str(), "name" | "source"));
            keys.insert("type".to_owned(), ANY.into());
            keys.insert("desc".to_owned(), "not used by this method".into());
            changed.insert(name.clone(), keys.into());
        } else if has_no_filter && !class.common.contains_key(name) && keys.get("require") == Some(&true.into()) {
            keys.shift_remove("require");
            changed.insert(name.clone(), keys.into());
        }
    }
    changed
}

/// Returns `true` if an entry of `service_whitelist`, such as `Site.Index`, `App.Site.*` or `*.*`, names a service.
fn names_service(pattern: &str, name: [&str; 2]) -> bool {
    let parts: Vec<&str> = pattern.split('.').collect();
    let parts = match parts.as_slice() {
        [namespace, rest @ ..] if rest.len() == 2 && (*namespace == "*" || namespace.eq_ignore_ascii_case("App")) => {
            rest
        }
        parts => parts,
    };
    parts.len() == 2 && parts.iter().zip(name).all(|(part, name)| *part == "*" || part.eq_ignore_ascii_case(name))
}
