//! Random definitions without faults: many modules, nested URIs, and every key that a definition has.
//!
//! A definition is built from a list of choices, so that a failing one shrinks
//! by making its choices fewer and smaller: no choice left is always the first.

mod dialects;
mod method;
mod mutate;
mod types;

use std::fmt;
use std::path::PathBuf;

use proptest::strategy::Strategy;
use rulebook::model::EnvelopeName;
use serde_json::{Map, Value as Json, json};

pub use mutate::mutate;
pub use types::{TypeCase, type_case};

/// The files of a definition.
#[derive(Clone)]
pub struct Generated {
    /// Their names and contents.
    pub files: Vec<(String, Json)>,
}

impl Generated {
    /// The same, whose documents tell everybody of all of it.
    pub fn public(mut self) -> Self {
        self.settings().for_each(|app| drop(app.remove("options")));
        self
    }

    /// The same with another of its settings.
    pub fn with(mut self, key: &str, value: &Json) -> Self {
        self.settings().for_each(|app| drop(app.insert(key.to_owned(), value.clone())));
        self
    }

    fn settings(&mut self) -> impl Iterator<Item = &mut Map<String, Json>> {
        let settings = self.files.iter_mut().filter(|(name, _)| name == "app.json");
        settings.filter_map(|(_, json)| json.as_object_mut())
    }

    /// The files as they would be read from a folder.
    pub fn bytes(&self) -> Vec<(PathBuf, Vec<u8>)> {
        self.files.iter().map(|(name, json)| (PathBuf::from("api").join(name), json.to_string().into_bytes())).collect()
    }
}

impl fmt::Debug for Generated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, json) in &self.files {
            writeln!(f, "--- {name}\n{json:#}")?;
        }
        Ok(())
    }
}

/// Definitions without faults.
pub fn definitions() -> impl Strategy<Value = Generated> {
    choices().prop_map(|mut choices| definition(&mut choices))
}

/// Definitions that may have faults of every kind.
pub fn mistaken() -> impl Strategy<Value = Generated> {
    (definitions(), choices()).prop_map(|(generated, mut choices)| mutate::mutate(generated, &mut choices))
}

/// A method of a tree whose path has no captures.
pub fn method(http: &str, number: usize, choices: &mut Choices) -> Json {
    method::method(http, &[], true, number, choices)
}

/// This definition with faults of every kind.
pub fn mistaken_in(generated: Generated) -> impl Strategy<Value = Generated> {
    choices_up_to(50).prop_map(move |mut choices| mutate::mutate(generated.clone(), &mut choices))
}

/// Lists of choices.
pub fn choices() -> impl Strategy<Value = Choices> {
    choices_up_to(1_500)
}

/// Lists of fewer choices than `most`.
pub fn choices_up_to(most: usize) -> impl Strategy<Value = Choices> {
    proptest::collection::vec(proptest::num::u16::ANY, 0..most).prop_map(|list| Choices { list, next: 0 })
}

/// Lists of no fewer choices than half of `most`, for what is to be chosen up to the end.
pub fn many_choices(most: usize) -> impl Strategy<Value = Choices> {
    proptest::collection::vec(proptest::num::u16::ANY, most / 2..most.max(1)).prop_map(|list| Choices { list, next: 0 })
}

/// What to do where there is more than one way.
#[derive(Debug, Clone)]
pub struct Choices {
    list: Vec<u16>,
    next: usize,
}

impl Choices {
    /// A number below `many`.
    pub fn below(&mut self, many: usize) -> usize {
        let choice = self.list.get(self.next).copied().unwrap_or(0);
        self.next += 1;
        usize::from(choice) % many.max(1)
    }

    /// Yes, once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    /// One of these.
    pub fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

fn definition(choices: &mut Choices) -> Generated {
    let mut files = Vec::new();
    let mut own_root = false;
    let mut number = 0;
    let names = ["article", "user", "a-b", "größe", "x.y", "Big"];
    let mut written_otherwise = Vec::new();
    for name in names.iter().take(choices.below(names.len() + 1)) {
        let own = match choices.below(6) {
            4 => Some(dialects::methods(name, &mut number, choices)),
            5 => Some(dialects::rules(name, &mut number, choices)),
            _ => None,
        };
        if let Some(own) = own {
            written_otherwise.push((format!("{name}.json"), own));
            continue;
        }
        let has_root = !own_root && choices.once_in(4);
        own_root |= has_root;
        files.push((format!("{name}.json"), module(name, has_root, &mut number, choices)));
    }
    let app = app(choices);
    if app.get("envelope").is_some() && choices.once_in(2) {
        // In this envelope outputs may be called what they like.
        files.push((
            "plain.json".to_owned(),
            json!({ "/": { "plain": { "GET": { "info": "i", "out": {
            "error": { "info": "What went wrong", "type": "string" }
        } } } } }),
        ));
    }
    if choices.once_in(3) && !files.is_empty() {
        // The whole of it in one document.
        let mut app = app;
        let stem = |file: &str| file.trim_end_matches(".json").to_owned();
        let modules: Map<_, _> = files.into_iter().map(|(file, module)| (stem(&file), module)).collect();
        app.insert("modules".to_owned(), Json::Object(modules));
        written_otherwise.push(("app.json".to_owned(), Json::Object(app)));
        return Generated { files: written_otherwise };
    }
    files.extend(written_otherwise);
    if files.is_empty() {
        files.push(("empty.json".to_owned(), json!({})));
    }
    files.push(("app.json".to_owned(), Json::Object(app)));
    Generated { files }
}

/// A part of the settings, each key now and then.
fn app(choices: &mut Choices) -> Map<String, Json> {
    let all = json!({
        "title": "An API", "version": "2.1.0", "info": "What it is *for*.",
        "contact": { "name": "We", "url": "https://example.org", "email": "we@example.org" },
        "license": { "name": "MIT", "identifier": "MIT" },
        "servers": [{ "url": "https://example.org/", "info": "The one" }, { "url": "https://example.com" }],
        "base": "/api/v1", "envelope": "plain", "catalogue": "2.x", "phalapi": { "real_status": true },
        "iapi": { "strict_status": true },
        "formats": ["xml"], "jsonp": true, "service": { "on": true }, "dispatch": true,
        "unknown": "refuse", "timezone": "Europe/Paris",
        "types": { "default": true },
        "limits": {
            "head": 1000, "uri": 1001, "body": 1002, "multipart": 1003, "part": 1004,
            "parts": 5, "fields": 6, "nesting": 7, "items": 8, "seconds": 9, "dispatch": 10,
            "link": 11, "links": 12
        },
        "unbound": "501", "bind": "127.0.0.1:8081", "data": "things", "files": "kept", "workers": 3, "log": "info", "log_format": "json",
        "options": "own", "compress": false,
        "cors": {
            "origins": ["https://h5.example", "http://localhost:3000", "null"], "credentials": false,
            "headers": ["X-App"], "expose": ["X-Left"], "max_age": 60
        },
        "common": {
            "HEADER@X-Trace": { "info": "What this call belongs to", "type": "?string(1,64)" },
            "shared": { "info": "What every method takes", "type": "?int", "name": "shared" }
        }
    });
    let Json::Object(all) = all else { return Map::new() };
    all.into_iter().filter(|_| choices.once_in(2)).collect()
}

/// A module; all of its URIs but the root begin with its own name. `number` counts the methods of the definition.
fn module(name: &str, has_root: bool, number: &mut usize, choices: &mut Choices) -> Json {
    let mut module = Map::new();
    let mut set = |key: &str, value: Json| module.insert(key.to_owned(), value);
    if choices.once_in(2) {
        set("info", json!("What the module is about"));
    }
    if choices.once_in(4) {
        // With its own names for outputs no envelope is in the way.
        set("envelope", json!(choices.of(&EnvelopeName::ALL.each_ref().map(EnvelopeName::as_str))));
    }
    if choices.once_in(4) {
        set("ignore_case", json!(true));
    }
    if choices.once_in(4) {
        set("repeated", json!(choices.of(&["last", "refuse"])));
    }
    if choices.once_in(5) {
        set("module", json!(format!("{name}_")));
    }
    if has_root {
        let path = Vec::new();
        let positions = choices.once_in(2);
        method::methods(&mut module, &path, positions, number, choices);
    }
    if choices.below(8) > 0 || !has_root {
        let mut path = Vec::new();
        let (below, _) = uri(&mut path, 3, number, choices);
        module.insert("/".to_owned(), json!({ (name): below }));
    }
    Json::Object(module)
}

/// A URI: methods, and URIs below it, `depth` levels at most. `path` has the captures on the way here. Also tells
/// whether there are positions here or below.
fn uri(path: &mut Vec<String>, depth: usize, number: &mut usize, choices: &mut Choices) -> (Json, bool) {
    let mut uri = Map::new();
    let mut positions = choices.once_in(3);
    method::methods(&mut uri, path, positions, number, choices);
    let mut below = Map::new();
    // Keys that begin alike could name one URI twice, so their first segments differ.
    let mut keys = vec!["line", "a.b", "x-y", "été à", "Upper/case", "%41"];
    for _ in 0..choices.below(if depth == 0 { 1 } else { 3 }) {
        let key = keys.remove(choices.below(keys.len()));
        let (uri, inside) = self::uri(path, depth - 1, number, choices);
        below.insert(key.to_owned(), uri);
        positions |= inside;
    }
    // A capture behind positions, or beside a segment that has them behind it, would be in their way.
    if depth > 0 && !positions && choices.once_in(3) {
        let name = format!("c{}", path.len());
        let key = match choices.below(3) {
            0 => format!("{{{name}}}"),
            1 => format!("{{{name}}}/tail"),
            _ => format!("{{{name}}}/a/b.c"),
        };
        path.push(name);
        let (uri, inside) = self::uri(path, depth - 1, number, choices);
        below.insert(key, uri);
        positions |= inside;
        path.pop();
    }
    if !below.is_empty() {
        uri.insert("/".to_owned(), Json::Object(below));
    }
    (Json::Object(uri), positions)
}
