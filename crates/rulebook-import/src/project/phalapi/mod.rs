//! Imports a PhalApi project: the rules and the doc comments of its API classes, and the settings of its entry scripts
//! and of `Config/app.php`.

mod doc;
mod export;

use std::cmp::Reverse;
use std::fmt;
use std::path::Path;

use rulebook_model::definition::dialect_spec::RULES;
use serde_json::{Map, Value as Json, json};

use super::{
    DefinitionFile, HandlerChoice, Import, Positions, ProjectError, absolute_path, count_with_noun, fastcgi_handlers,
    unusable,
};
use doc::REFUSED;
use export::{Class, Config, Export, Found, Method, Place, Reads, rules_of_clients};

struct Context<'a> {
    export: &'a Export,
    version: Version,
    /// `true` if code that any method may call rejects requests with an unknown `ret`, and a handler in Rust does so
    /// too.
    has_other_rejections: bool,
    has_php: bool,
}

/// Imports the project in `folder`. PHP executes the files of the project's API classes.
pub(super) fn import(folder: &Path, handlers: HandlerChoice) -> Result<Import, ProjectError> {
    let export = export::export(folder)?;
    if export.classes.is_empty() {
        let notes: String = export.notes.iter().map(|note| format!("\n{}: {}", note.file, note.message)).collect();
        let why = "no API class was found; expected PHP files in a folder `Api`, with classes that extend \
                   `PhalApi\\Api` or `PhalApi_Api`";
        return Err(unusable(folder, &format!("{why}{notes}")));
    }
    let mut import = Import::default();
    for note in &export.notes {
        import.warn(&note.file, note.line, note.message.as_str());
    }
    let has_php = handlers == HandlerChoice::FastCgi;
    let context = Context {
        export: &export,
        version: Version::of(export.version.as_ref(), &export.classes),
        has_other_rejections: !has_php && !export.rejections.is_empty(),
        has_php,
    };
    let entry = has_php.then(|| entry_script(&export, folder)).transpose()?;
    for class in &export.classes {
        if let Some(entry) = entry.filter(|entry| !loads(entry, &class.file)) {
            let message = format!("not carried over: the entry script `{}` does not load this class", entry.file);
            import.warn(&class.file, class.line, message);
            continue;
        }
        let definition = class_definition(class, &context, &mut import);
        let methods = count_with_noun(class.methods.len(), "method");
        import.add_imported(&class.file, format!("class `{}` with {methods} → `api/{}`", class.name, definition.name));
        import.definitions.push(definition);
    }
    add(&context, &mut import);
    match entry {
        Some(entry) => add_handlers(entry, &export, &absolute_path(folder)?, &mut import),
        None => warn_of_rejections(&export.rejections, &mut import),
    }
    warn_of_reads(&context, &mut import);
    Ok(import)
}

/// Adds a warning for each file that reads requests without rules.
fn warn_of_reads(context: &Context<'_>, import: &mut Import) {
    let advice = if context.has_php { "" } else { "; a handler in Rust needs it as parameters" };
    for Reads { file, values } in &context.export.reads {
        let names: Vec<String> = values.iter().map(|read| format!("`{}` (line {})", read.name, read.line)).collect();
        let message =
            format!("reads requests without rules: {}; PHP gets this unchanged from php-fpm{advice}", names.join(", "));
        import.warn(file, values.first().map(|read| read.line), message);
    }
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

fn class_definition(class: &Class, context: &Context<'_>, import: &mut Import) -> DefinitionFile {
    let mut content = doc::description(&class.doc);
    let mut positions = Positions::from([(vec![class.name.clone()], (class.file.clone(), class.line))]);
    for (path, line) in &class.lines {
        let path = std::iter::once(class.name.as_str()).chain(path.split('/')).map(str::to_owned).collect();
        positions.insert(path, (class.rules_file.clone(), *line));
    }
    if !class.common.is_empty() {
        let rules = export::rules_of_clients(&class.common, &[&class.name, "*"], &positions, context, import);
        content.insert("*".to_owned(), rules.into());
    }
    for method in &class.methods {
        let definition = method_definition(class, method, &positions, context, import);
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
    positions: &Positions,
    context: &Context<'_>,
    import: &mut Import,
) -> Map<String, Json> {
    let mut content = doc::description(&method.doc);
    let mut annotations = doc::annotations(class, method, context, import);
    // The options of the method precede its rules, and these precede what the method returns.
    for key in ["@method", "@deprecated"] {
        content.extend(annotations.shift_remove_entry(key));
    }
    let mut rules = export::changed_rules(class, method, context);
    rules.extend(method.rules.clone());
    content.append(&mut export::rules_of_clients(&rules, &[&class.name, &method.name], positions, context, import));
    content.append(&mut annotations);
    content
}

/// The version since which PhalApi refuses other HTTP methods than those of `@method`.
const CHECKS_METHOD: (u32, u32) = (2, 16);

/// The language with PhalApi's Chinese texts. In all languages that PhalApi does not have, its texts are English.
const CHINESE: &str = "zh_cn";
const ENGLISH: &str = "en";

#[derive(Debug, Clone, Copy)]
struct Version {
    major: u32,
    /// `None` if the project does not say more than the first number.
    minor: Option<u32>,
}

impl Version {
    /// Returns the version that a file names. Without it, the classes of a project show only the first number.
    fn of(found: Option<&Found>, classes: &[Class]) -> Self {
        let mut numbers = found.map(|found| found.value.as_str()).unwrap_or_default().split('.').map(str::parse);
        let is_first = classes.iter().all(|class| class.style == "1.x");
        let major = numbers.next().and_then(Result::ok).unwrap_or(if is_first { 1 } else { 2 });
        Self { major, minor: numbers.next().and_then(Result::ok) }
    }

    /// Returns `true` if PhalApi checks `@method`. A later version is assumed if the version is unknown.
    fn checks_method(self) -> bool {
        (self.major, self.minor.unwrap_or(u32::MAX)) >= CHECKS_METHOD
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minor {
            Some(minor) => write!(f, "{}.{minor}", self.major),
            None => write!(f, "{}", self.major),
        }
    }
}

/// Returns the name of the catalogue of error messages for a language, such as `zh_cn`, and a version. A later version
/// is assumed if the version is unknown.
fn catalogue(language: &str, version: Version) -> &'static str {
    let (chinese, english) = match (version.major, version.minor.unwrap_or(u32::MAX)) {
        (..=1, ..=3) => ("zh-1.1", "1.1"),
        (..=1, _) => ("zh-1.4", "1.4"),
        (2, ..=2) => ("zh-2.0", "2.0"),
        (2, ..=16) => ("zh-2.3", "2.3"),
        _ => ("zh", "2.x"),
    };
    if language.eq_ignore_ascii_case(CHINESE) { chinese } else { english }
}

/// The names of services that PhalApi calls if a request names none, in PhalApi 1 and 2.
const DEFAULT_SERVICES: [(&str, &str); 2] = [("Default", "index"), ("Site", "index")];

/// The mark before a language that a request can replace by another one.
const IS_CHOSEN: char = '$';

/// Adds the settings that requests and responses in PhalApi's format need, those of the entry scripts, and those of
/// `Config/app.php`.
fn add(context: &Context<'_>, import: &mut Import) {
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
    if version.minor.is_none() {
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
fn entry_script<'e>(export: &'e Export, folder: &Path) -> Result<&'e Found, ProjectError> {
    let served = |entry: &Found| export.classes.iter().filter(|class| loads(entry, &class.file)).count();
    let entry = found(export, "entry").iter().max_by_key(|entry| (served(entry), Reverse(entry.file.len())));
    let why = "no entry script was found; expected a file such as `public/index.php`, which calls `output()`";
    entry.ok_or_else(|| unusable(folder, why))
}

/// Returns `true` if an entry script loads a file. A script of PhalApi 1 loads the classes of the folders that it
/// lists; one without a list can load all.
fn loads(entry: &Found, file: &str) -> bool {
    let is_below = |folder: &str| file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    entry.value.is_empty() || entry.value.split(' ').any(is_below)
}

/// Adds the handlers in PHP: the entry script of the project, which php-fpm runs.
fn add_handlers(entry: &Found, export: &Export, root: &str, import: &mut Import) {
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
