//! Imports a PhalApi project: the rules and the doc comments of its API classes, and `Config/app.php`.

mod doc;
mod export;

use std::path::Path;

use rulebook_model::definition::dialect_spec::RULES;
use serde_json::{Map, Value as Json, json};

use super::definition_file::{DefinitionFile, Positions};
use super::{Import, ProjectError, count_with_noun};
use doc::REFUSED;
use export::{Class, Config, Export, Found, Method, Place};

/// The names of services that PhalApi calls if a request names none, in PhalApi 1 and 2.
const DEFAULT_SERVICES: [(&str, &str); 2] = [("Default", "index"), ("Site", "index")];

/// The value of `source` with which a rule reads data of the web server, which no client sends.
const SERVER_SOURCE: &str = "server";

/// Imports the project in `folder`. PHP executes the files of the project's API classes.
pub(super) fn import(folder: &Path) -> Result<Import, ProjectError> {
    let export = export::export(folder)?;
    if export.classes.is_empty() {
        let notes: String = export.notes.iter().map(|note| format!("\n{}: {}", note.file, note.message)).collect();
        let message = format!(
            "{}: no API class was found; expected PHP files in a folder `Api`, with classes that extend \
             `PhalApi\\Api` or `PhalApi_Api`{notes}",
            folder.display()
        );
        return Err(ProjectError::Unusable(message));
    }
    let mut import = Import::default();
    for note in &export.notes {
        import.warn(&note.file, note.line, note.message.as_str());
    }
    for class in &export.classes {
        let definition = class_definition(class, !export.rejections.is_empty(), &mut import);
        let methods = count_with_noun(class.methods.len(), "method");
        import.add_imported(&class.file, format!("class `{}` with {methods} → `api/{}`", class.name, definition.name));
        import.definitions.push(definition);
    }
    add_settings(&export, &mut import);
    warn_of_rejections(&export.rejections, &mut import);
    if let Some(config) = &export.config {
        add_config(config, &mut import);
    }
    Ok(import)
}

/// Adds a warning if the project rejects requests with exceptions that methods do not declare.
fn warn_of_rejections(rejections: &[Place], import: &mut Import) {
    let Some((first, others)) = rejections.split_first() else { return };
    let count = match others.len() {
        0 => String::new(),
        1 => ", and so does another place".to_owned(),
        count => format!(", and so do {count} other places"),
    };
    let message = format!(
        "rejects requests outside of API methods, or with a code that is not a number{count}: each method declares the \
         error `{REFUSED}` for this; a handler in PHP needs `\"errors\": {{\"*\": \"{REFUSED}\"}}` (docs/php.md), and \
         one in Rust sets its message and its code (`ApiError::with_phalapi_code`)"
    );
    import.warn(&first.file, first.line, message);
}

/// Returns the file with the rules of a class.
fn class_definition(class: &Class, has_other_rejections: bool, import: &mut Import) -> DefinitionFile {
    let mut content = doc::description(&class.doc);
    let mut positions = Positions::from([(vec![class.name.clone()], (class.file.clone(), class.line))]);
    for (path, line) in &class.lines {
        let path = std::iter::once(class.name.as_str()).chain(path.split('/')).map(str::to_owned).collect();
        positions.insert(path, (class.file.clone(), *line));
    }
    if !class.common.is_empty() {
        let rules = client_rules(&class.common, &[&class.name, "*"], &class.file, &positions, import);
        content.insert("*".to_owned(), rules.into());
    }
    for method in &class.methods {
        let definition = method_definition(class, method, has_other_rejections, &positions, import);
        content.insert(method.name.clone(), definition.into());
        let path = vec![class.name.clone(), method.name.clone()];
        positions.entry(path).or_insert_with(|| (method.file.clone(), method.line));
    }
    let name = format!("{}.json", import.unique_stem(&class.name.to_ascii_lowercase()));
    let text = json!({ "$schema": "../schema/definition.json", &class.name: content });
    DefinitionFile { name, text: format!("{text:#}\n"), dialect: &RULES, origin: class.file.clone(), positions }
}

fn method_definition(
    class: &Class,
    method: &Method,
    has_other_rejections: bool,
    positions: &Positions,
    import: &mut Import,
) -> Map<String, Json> {
    let mut content = doc::description(&method.doc);
    let mut annotations = doc::annotations(class, method, has_other_rejections, import);
    // The rules follow the HTTP methods, and precede what the method returns.
    if let Some(methods) = annotations.shift_remove("@method") {
        content.insert("@method".to_owned(), methods);
    }
    content.append(&mut client_rules(&method.rules, &[&class.name, &method.name], &method.file, positions, import));
    content.append(&mut annotations);
    content
}

/// Returns rules without those that read data of the web server. A client could send such a value itself otherwise.
fn client_rules(
    rules: &Map<String, Json>,
    path: &[&str],
    file: &str,
    positions: &Positions,
    import: &mut Import,
) -> Map<String, Json> {
    let is_from_server = |rule: &Json| {
        rule.get("source").and_then(Json::as_str).is_some_and(|source| source.eq_ignore_ascii_case(SERVER_SOURCE))
    };
    let mut kept = Map::new();
    for (name, rule) in rules {
        if is_from_server(rule) {
            let path: Vec<String> = path.iter().copied().chain([name.as_str()]).map(str::to_owned).collect();
            let line = positions.get(&path).map(|(_, line)| *line);
            let message = format!(
                "`{}`: removed, because no client sends data of the web server (`source` is `{SERVER_SOURCE}`): the handler reads \
                 such data from its `Context`",
                path.join(".")
            );
            import.warn(file, line, message);
        } else {
            kept.insert(name.clone(), rule.clone());
        }
    }
    kept
}

/// Adds the settings that requests and responses in PhalApi's format need, and those of the entry scripts.
fn add_settings(export: &Export, import: &mut Import) {
    import.set("envelope", "phalapi");
    let is_first_version = export.classes.iter().all(|class| class.style == "1.x");
    let found = |name: &str| export.setup.get(name).map_or(&[][..], Vec::as_slice);
    let catalogue = match found("language").last() {
        Some(language) if language.value.starts_with("zh") => "zh",
        _ if is_first_version => "1.x",
        _ => "2.x",
    };
    import.set("catalogue", catalogue);
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
    let carry_over = |import: &mut Import, found: &Found, key: &str, value: Json| {
        import.add_imported(&found.file, format!("line {}: `{key}` in `api/app.json`", found.line));
        import.set(key, value);
    };
    if let Some(zone) = found("timezone").last() {
        carry_over(import, zone, "timezone", zone.value.as_str().into());
    }
    if let Some(jsonp) = found("jsonp").first() {
        carry_over(import, jsonp, "jsonp", true.into());
    }
    if let Some(xml) = found("xml").first() {
        carry_over(import, xml, "formats", json!(["xml"]));
        let message = "responses are XML only for clients that request it with `Accept`; the default is JSON";
        import.warn(&xml.file, xml.line, message);
    }
    for filter in found("filter") {
        let message = "the filter that checks each request becomes an authenticator (`Rulebook::authenticator`)";
        import.warn(&filter.file, filter.line, message);
    }
    for formatter in found("formatter") {
        let name = formatter.value.to_lowercase();
        let message = format!("the formatter of the type `{name}` becomes a type (`Rulebook::add_type`)");
        import.warn(&formatter.file, formatter.line, message);
    }
}

/// Adds the common rules, and warns about the other settings of the program.
fn add_config(config: &Config, import: &mut Import) {
    let line = |key: &str| config.lines.get(key).copied();
    let positions = config
        .rules
        .keys()
        .filter_map(|rule| Some((vec!["common".to_owned(), rule.clone()], (config.file.clone(), line(rule)?))));
    let positions: Positions = positions.collect();
    let rules = client_rules(&config.rules, &["common"], &config.file, &positions, import);
    if !rules.is_empty() {
        let what = format!("`apiCommonRules` ({}) → `common` in `api/app.json`", rules.len());
        import.add_imported(&config.file, what);
        import.set("common", rules);
    }
    import.settings_origin = (config.file.clone(), positions);
    if !config.whitelist.is_empty() {
        let services: Vec<String> =
            config.whitelist.iter().filter_map(Json::as_str).map(|name| format!("`{name}`")).collect();
        let message = format!(
            "`service_whitelist` has no equivalent: PhalApi's filter does not check {}. Methods without `@scope` are \
             public; if a common rule is not required for a method, repeat the rule in the method without `require`",
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
