//! Imports a PhalApi project: the rules and the doc comments of its API classes, and `Config/app.php`.

mod doc;
mod export;
mod returns;
mod rules;
mod settings;
mod version;

use std::path::Path;

use rulebook_model::definition::dialect_spec::RULES;
use serde_json::{Map, Value as Json, json};

use super::definition_file::{DefinitionFile, Positions};
use super::{HandlerChoice, Import, ProjectError, absolute_path, count_with_noun, unusable};
use doc::REFUSED;
use export::{Class, Export, Method, Place, Reads};
use version::Version;

/// What the import of a class needs to know of the project.
struct Context<'a> {
    export: &'a Export,
    version: Version,
    /// `true` if code that any method may call rejects requests with an unknown `ret`, and a handler in Rust does so
    /// too.
    has_other_rejections: bool,
    /// `true` if PHP handles the calls.
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
    let entry = has_php.then(|| settings::entry_script(&export, folder)).transpose()?;
    for class in &export.classes {
        if let Some(entry) = entry.filter(|entry| !settings::loads(entry, &class.file)) {
            let message = format!("not carried over: the entry script `{}` does not load this class", entry.file);
            import.warn(&class.file, class.line, message);
            continue;
        }
        let definition = class_definition(class, &context, &mut import);
        let methods = count_with_noun(class.methods.len(), "method");
        import.add_imported(&class.file, format!("class `{}` with {methods} → `api/{}`", class.name, definition.name));
        import.definitions.push(definition);
    }
    settings::add(&context, &mut import);
    match entry {
        Some(entry) => settings::add_handlers(entry, &export, &absolute_path(folder)?, &mut import),
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

/// Returns the file with the rules of a class.
fn class_definition(class: &Class, context: &Context<'_>, import: &mut Import) -> DefinitionFile {
    let mut content = doc::description(&class.doc);
    let mut positions = Positions::from([(vec![class.name.clone()], (class.file.clone(), class.line))]);
    for (path, line) in &class.lines {
        let path = std::iter::once(class.name.as_str()).chain(path.split('/')).map(str::to_owned).collect();
        positions.insert(path, (class.rules_file.clone(), *line));
    }
    if !class.common.is_empty() {
        let rules = rules::rules_of_clients(&class.common, &[&class.name, "*"], &positions, context, import);
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
    let mut rules = rules::changed_rules(class, method, context);
    rules.extend(method.rules.clone());
    content.append(&mut rules::rules_of_clients(&rules, &[&class.name, &method.name], positions, context, import));
    content.append(&mut annotations);
    content
}
