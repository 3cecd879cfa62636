//! Adds the settings of a PhalApi project to `app.json`: those of its entry scripts, and those in `Config/app.php`.

use std::cmp::Reverse;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::Context;
use super::export::{Config, Export, Found};
use super::rules::rules_of_clients;
use super::version::{CHINESE, ENGLISH, catalogue};
use crate::project::definition_file::Positions;
use crate::project::{Import, ProjectError, fastcgi_handlers, unusable};

/// The names of services that PhalApi calls if a request names none, in PhalApi 1 and 2.
const DEFAULT_SERVICES: [(&str, &str); 2] = [("Default", "index"), ("Site", "index")];

/// The mark before a language that a request can replace by another one.
const IS_CHOSEN: char = '$';

/// Adds the settings that requests and responses in PhalApi's format need, those of the entry scripts, and those of
/// `Config/app.php`.
pub(super) fn add(context: &Context<'_>, import: &mut Import) {
    let export = context.export;
    import.set("envelope", "phalapi");
    add_catalogue(context, import);
    let has_service = |class: &str, method: &str| {
        let class = export.classes.iter().find(|found| found.name == class);
        class.is_some_and(|class| class.methods.iter().any(|found| found.name.eq_ignore_ascii_case(method)))
    };
    let default = DEFAULT_SERVICES.iter().find(|(class, method)| has_service(class, method));
    let mut service = json!({ "on": true });
    if let Some((class, method)) = default {
        service["default"] = format!("{class}.{method}").into();
    }
    import.set("service", service);
    if let Some(zone) = found(export, "timezone").last() {
        carry_over(import, zone, "timezone", zone.value.as_str().into());
    }
    if let Some(jsonp) = found(export, "jsonp").first() {
        carry_over(import, jsonp, "jsonp", true.into());
    }
    if let Some(xml) = found(export, "xml").first() {
        carry_over(import, xml, "formats", json!(["xml"]));
        let message = "responses are XML only for clients that request it with `Accept`; the default is JSON";
        import.warn(&xml.file, xml.line, message);
    }
    if let Some(config) = &export.config {
        add_config(config, context, import);
    }
    if !context.has_php {
        warn_of_program(export, import);
    }
}

/// Returns what the entry scripts contain.
fn found<'a>(export: &'a Export, name: &str) -> &'a [Found] {
    export.setup.get(name).map_or(&[], Vec::as_slice)
}

fn carry_over(import: &mut Import, found: &Found, key: &str, value: Json) {
    import.add_imported(&found.file, format!("line {}: `{key}` in `api/app.json`", found.line));
    import.set(key, value);
}

/// Sets the catalogue of error messages by the version and the language of the project.
fn add_catalogue(context: &Context<'_>, import: &mut Import) {
    let (export, version) = (context.export, context.version);
    let languages = found(export, "language");
    // The others are those of conditions, and of other scripts.
    let chosen = languages.first();
    let language = chosen.map(|place| place.value.trim_start_matches(IS_CHOSEN)).unwrap_or_default();
    let name = catalogue(language, version);
    import.set("catalogue", name);
    for place in chosen.into_iter().chain(&export.version) {
        import.add_imported(&place.file, format!("line {}: `catalogue` in `api/app.json`", place.line));
    }
    let unknown = "the version of PhalApi is not known exactly";
    if !version.is_known() {
        let (file, line) =
            export.version.as_ref().map_or(("composer.json", None), |found| (&found.file, Some(found.line)));
        let message =
            format!("{unknown}: messages and `@method` are those of the last version {version} (`catalogue`)");
        import.warn(file, line, message);
    }
    for place in languages {
        let value = place.value.trim_start_matches(IS_CHOSEN);
        let message = if value.is_empty() {
            format!("the language is computed: set `catalogue` in `app.json`, which is `{name}`")
        } else if value != language {
            format!("the language `{value}` is not always set: `catalogue` in `app.json` is that of `{language}`")
        } else if place.value.starts_with(IS_CHOSEN) {
            format!(
                "requests can choose another language than `{language}`: the messages of rulebook are always in one language"
            )
        } else if ![CHINESE, ENGLISH].iter().any(|known| known.eq_ignore_ascii_case(language)) {
            format!(
                "PhalApi has no texts in the language `{language}`: its messages are English, and so are those of the \
                 catalogue `{name}`"
            )
        } else {
            continue;
        };
        import.warn(&place.file, place.line, message);
    }
    for text in &export.translations {
        let message = format!(
            "the project has its own translation of `{}`: rulebook has that of the catalogue `{name}`",
            text.value
        );
        import.warn(&text.file, text.line, message);
    }
}

/// Adds warnings about code that a program in Rust needs, too.
fn warn_of_program(export: &Export, import: &mut Import) {
    for filter in found(export, "filter") {
        let message = "the filter that checks each request becomes an authenticator (`Rulebook::authenticator`)";
        import.warn(&filter.file, filter.line, message);
    }
    for formatter in found(export, "formatter") {
        let name = formatter.value.to_lowercase();
        let message = format!("the formatter of the type `{name}` becomes a type (`Rulebook::add_type`)");
        import.warn(&formatter.file, formatter.line, message);
    }
    for hook in &export.hooks {
        let replacement = match hook.value.as_str() {
            "userCheck" => "an authenticator and `@scope`",
            _ => "a hook of the module (`Module::before`, `Module::after`)",
        };
        import.warn(&hook.file, hook.line, format!("`{}` becomes {replacement}", hook.value));
    }
}

/// Adds the common rules, and warns about the other settings of the program.
fn add_config(config: &Config, context: &Context<'_>, import: &mut Import) {
    let line = |key: &str| config.lines.get(key).copied();
    let positions = config
        .rules
        .keys()
        .filter_map(|rule| Some((vec!["common".to_owned(), rule.clone()], (config.file.clone(), line(rule)?))));
    let positions: Positions = positions.collect();
    let rules = rules_of_clients(&config.rules, &["common"], &positions, context, import);
    if !rules.is_empty() {
        let what = format!("`apiCommonRules` ({}) → `common` in `api/app.json`", rules.len());
        import.add_imported(&config.file, what);
        import.set("common", rules);
    }
    import.settings_origin = (config.file.clone(), positions);
    if context.has_php {
        return;
    }
    if !config.whitelist.is_empty() {
        let services: Vec<String> =
            config.whitelist.iter().filter_map(Json::as_str).map(|name| format!("`{name}`")).collect();
        let message = format!(
            "`service_whitelist`: PhalApi's filter does not check {}. Their common rules are optional in the definition, and \
             methods without `@scope` are public",
            services.join(", ")
        );
        import.warn(&config.file, line("service_whitelist"), message);
    }
    let known = ["apiCommonRules", "service_whitelist"];
    let keys = config.keys.iter().filter_map(Json::as_str).filter(|key| !known.contains(key));
    for key in keys {
        let message = format!("`{key}` is a setting of the program: pass it to handlers with `Rulebook::state`");
        import.warn(&config.file, line(key), message);
    }
}

/// Returns the entry script that loads most classes.
pub(super) fn entry_script<'e>(export: &'e Export, folder: &Path) -> Result<&'e Found, ProjectError> {
    let served = |entry: &Found| export.classes.iter().filter(|class| loads(entry, &class.file)).count();
    let entry = found(export, "entry").iter().max_by_key(|entry| (served(entry), Reverse(entry.file.len())));
    let why = "no entry script was found; expected a file such as `public/index.php`, which calls `output()`";
    entry.ok_or_else(|| unusable(folder, why))
}

/// Returns `true` if an entry script loads a file. A script of PhalApi 1 loads the classes of the folders that it
/// lists; one without a list can load all.
pub(super) fn loads(entry: &Found, file: &str) -> bool {
    let is_below = |folder: &str| file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    entry.value.is_empty() || entry.value.split(' ').any(is_below)
}

/// Adds the handlers in PHP: the entry script of the project, which php-fpm runs.
pub(super) fn add_handlers(entry: &Found, export: &Export, root: &str, import: &mut Import) {
    // The definition has no permissions, and the tokens of the project are no keys of this server.
    import.set("auth", json!({}));
    let mut settings = json!({ "script": entry.file, "style": "phalapi" });
    if let Some(place) = found(export, "uri_match").first() {
        settings["uri_match"] = true.into();
        import.add_imported(&place.file, format!("line {}: `uri_match` in `api/app.json`", place.line));
    }
    import.set("handlers", fastcgi_handlers(root, settings));
    import.add_imported(&entry.file, format!("line {}: `handlers` in `api/app.json`", entry.line));
}
