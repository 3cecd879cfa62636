//! Generates random valid definitions with many API modules, nested URIs, and every key of a definition.
//!
//! A definition is generated from a list of random choices. When a test fails, `proptest` finds a smaller definition by
//! removing and reducing choices: after the end of the list, every choice is the first option.

mod dialects;
mod evolve;
mod method;
mod mutate;
mod schemas;
mod types;
mod whole_body;

use std::fmt;
use std::path::PathBuf;

use proptest::strategy::Strategy;
use rulebook_model::model::EnvelopeName;
use serde_json::{Map, Value as Json, json};

pub use evolve::evolve;
use method::ParameterKinds;
pub use mutate::mutate;
pub use types::{TypeCase, type_case};

/// A generated definition.
#[derive(Clone)]
pub struct Generated {
    /// The name and the content of each file.
    pub files: Vec<(String, Json)>,
}

impl Generated {
    /// Removes the setting `options`, so that the documents are public.
    pub fn public(mut self) -> Self {
        self.settings_mut().for_each(|app| drop(app.remove("options")));
        self
    }

    /// Sets a key of the settings.
    pub fn with(mut self, key: &str, value: &Json) -> Self {
        self.settings_mut().for_each(|app| drop(app.insert(key.to_owned(), value.clone())));
        self
    }

    fn settings_mut(&mut self) -> impl Iterator<Item = &mut Map<String, Json>> {
        let settings = self.files.iter_mut().filter(|(name, _)| name == "app.json");
        settings.filter_map(|(_, json)| json.as_object_mut())
    }

    /// Returns the path and the bytes of each file, as if the files were in the folder `api`.
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

/// Returns a strategy for valid definitions.
pub fn definitions() -> impl Strategy<Value = Generated> {
    choices().prop_map(|mut choices| random_definition(&mut choices))
}

/// Returns a strategy for definitions with random changes. Most of the changes cause errors.
pub fn mutated_definitions() -> impl Strategy<Value = Generated> {
    (definitions(), choices()).prop_map(|(generated, mut choices)| mutate::mutate(generated, &mut choices))
}

/// Returns a random method in the dialect `tree`, for a path without captures.
pub fn method(http: &str, number: usize, choices: &mut Choices) -> Json {
    let kinds = ParameterKinds { captures: &[], positions: true, whole_body: true };
    method::random_method(http, kinds, number, choices)
}

/// Returns a strategy for copies of this definition with random changes.
pub fn mutations_of(generated: Generated) -> impl Strategy<Value = Generated> {
    choices_up_to(50).prop_map(move |mut choices| mutate::mutate(generated.clone(), &mut choices))
}

/// Returns a strategy for lists of choices.
pub fn choices() -> impl Strategy<Value = Choices> {
    choices_up_to(1_500)
}

/// Returns a strategy for lists of fewer than `max` choices.
pub fn choices_up_to(max: usize) -> impl Strategy<Value = Choices> {
    proptest::collection::vec(proptest::num::u16::ANY, 0..max).prop_map(|list| Choices { list, next: 0 })
}

/// Returns a strategy for lists of `max / 2` to `max` choices. A generator seldom uses all choices of such a list.
pub fn many_choices(max: usize) -> impl Strategy<Value = Choices> {
    proptest::collection::vec(proptest::num::u16::ANY, max / 2..max.max(1)).prop_map(|list| Choices { list, next: 0 })
}

/// A list of random choices.
#[derive(Debug, Clone)]
pub struct Choices {
    list: Vec<u16>,
    next: usize,
}

impl Choices {
    /// Returns a random number from 0 to `limit - 1`.
    pub fn below(&mut self, limit: usize) -> usize {
        let choice = self.list.get(self.next).copied().unwrap_or(0);
        self.next += 1;
        usize::from(choice) % limit.max(1)
    }

    /// Returns `true` with the probability 1 / `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    /// Returns a randomly chosen option.
    pub fn of<'a, T: ?Sized>(&mut self, options: &[&'a T]) -> &'a T {
        options[self.below(options.len())]
    }
}

fn random_definition(choices: &mut Choices) -> Generated {
    let mut files = Vec::new();
    let mut root_is_used = false;
    let mut number = 0;
    let names = ["article", "user", "a-b", "größe", "x.y", "Big"];
    let mut other_dialects = Vec::new();
    for name in names.iter().take(choices.below(names.len() + 1)) {
        let module = match choices.below(6) {
            4 => Some(dialects::methods_module(name, &mut number, choices)),
            5 => Some(dialects::rules_class(name, &mut number, choices)),
            _ => None,
        };
        if let Some(module) = module {
            other_dialects.push((format!("{name}.json"), module));
            continue;
        }
        let has_root = !root_is_used && choices.once_in(4);
        root_is_used |= has_root;
        files.push((format!("{name}.json"), self::random_module(name, has_root, &mut number, choices)));
    }
    let app = random_settings(choices);
    if app.get("envelope").is_some() && choices.once_in(2) {
        // In the envelope `plain`, an output may have any name, such as `error`.
        files.push((
            "plain.json".to_owned(),
            json!({ "/": { "plain": { "GET": { "info": "i", "out": {
            "error": { "info": "What went wrong", "type": "string" }
        } } } } }),
        ));
    }
    let mut app = app;
    whole_body::move_common_parameter_to_query(&files, &other_dialects, &mut app);
    schemas::add_schemas(&mut files, &mut app, choices);
    schemas::add_schemas(&mut other_dialects, &mut app, choices);
    if choices.once_in(3) && !files.is_empty() {
        // The settings and all modules are in one file.
        let stem = |file: &str| file.trim_end_matches(".json").to_owned();
        let modules: Map<_, _> = files.into_iter().map(|(file, module)| (stem(&file), module)).collect();
        app.insert("modules".to_owned(), Json::Object(modules));
        other_dialects.push(("app.json".to_owned(), Json::Object(app)));
        return Generated { files: other_dialects };
    }
    files.extend(other_dialects);
    if files.is_empty() {
        files.push(("empty.json".to_owned(), json!({})));
    }
    files.push(("app.json".to_owned(), Json::Object(app)));
    Generated { files }
}

/// Returns random settings. They contain each key with the probability 1/2.
fn random_settings(choices: &mut Choices) -> Map<String, Json> {
    let of_clients = json!({
        "title": "An API", "version": "2.1.0", "info": "What it is *for*.",
        "contact": { "name": "We", "url": "https://example.org", "email": "we@example.org" },
        "license": { "name": "MIT", "identifier": "MIT" },
        "servers": [{ "url": "https://example.org/", "info": "The one" }, { "url": "https://example.com" }],
        "base": "/api/v1", "envelope": "plain", "catalogue": "2.x", "phalapi": { "real_status": true },
        "iapi": { "strict_status": true },
        "formats": ["xml"], "jsonp": true, "service": { "on": true, "entry": "old.php" }, "dispatch": true,
        "unknown": "refuse", "timezone": "Europe/Paris", "types": { "default": true }, "options": "own",
        "limits": {
            "head": 1000, "uri": 1001, "body": 1002, "multipart": 1003, "part": 1004,
            "parts": 5, "fields": 6, "nesting": 7, "items": 8, "seconds": 9, "dispatch": 10,
            "link": 11, "links": 12, "callers": 13, "idempotency_key": 14, "idempotency_response": 15,
            "idempotency_records": 1_000_016, "idempotency_seconds": 17, "idempotency_lease": 18
        },
        "rate_limit": { "requests": 1_000_000_000, "per": "day", "by": "all" },
        "common": {
            "HEADER@X-Trace": { "info": "What this call belongs to", "type": "?string(1,64)" },
            "shared": { "info": "What every method takes", "type": "?int", "name": "shared" }
        }
    });
    let of_the_server = json!({
        "unbound": "501", "require_scope": false, "bind": "127.0.0.1:8081", "monitoring": "127.0.0.1:8082", "data": "things", "files": "kept", "link_target": "presigned",
        "key_storage": "postgres://keys:${KEYS_PASSWORD}@db.internal/keys", "workers": 3,
        "idempotency_storage": "mysql://db.internal/keys",
        "shared_limits": {
            "url": "redis://${REDIS}:6379", "when_unavailable": "closed", "timeout_ms": 100, "prefix": "it"
        },
        "address_connections": 9, "trusted_proxies": ["127.0.0.1", "10.0.0.0/8"], "forwarded_field": "forwarded",
        "tls_certificate": ["site.pem", "other.pem"], "tls_key": ["site.key", "other.key"],
        "tls_client_ca": "clients.pem", "tls_client_certificate": "optional",
        "keep_alive": 5, "shutdown_timeout": 6, "verify_outputs": true, "compress": false,
        "log": "info", "log_format": "json",
        "traces": "http://127.0.0.1:${PORT}", "trace_percent": 7,
        "cors": {
            "origins": ["https://h5.example", "http://localhost:3000", "null"], "credentials": false,
            "headers": ["X-App"], "expose": ["X-Left"], "max_age": 60
        }
    });
    let objects = [of_clients, of_the_server].into_iter().filter_map(|settings| match settings {
        Json::Object(settings) => Some(settings),
        _ => None,
    });
    objects.flatten().filter(|_| choices.once_in(2)).collect()
}

/// Returns a random API module in the dialect `tree`. All of its URIs except the root begin with its name. `number`
/// counts the methods of the definition.
fn random_module(name: &str, has_root: bool, number: &mut usize, choices: &mut Choices) -> Json {
    let mut module = Map::new();
    let mut set = |key: &str, value: Json| module.insert(key.to_owned(), value);
    if choices.once_in(2) {
        set("info", json!("What the module is about"));
    }
    if choices.once_in(4) {
        // The generated outputs have names that every envelope allows.
        set("envelope", json!(choices.of(&EnvelopeName::ALL.each_ref().map(EnvelopeName::as_str))));
    }
    if choices.once_in(4) {
        set("ignore_case", json!(true));
    }
    if choices.once_in(4) {
        set("repeated", json!(choices.of(&["last", "refuse"])));
    }
    if choices.once_in(8) {
        set("rate_limit", json!({ "requests": 999_999_999, "per": "hour", "by": "address" }));
    }
    if choices.once_in(5) {
        set("module", json!(format!("{name}_")));
    }
    if has_root {
        // The settings `dispatch` and `service` reserve fields of the body at the base path.
        let kinds = ParameterKinds { captures: &[], positions: choices.once_in(2), whole_body: false };
        method::add_methods(&mut module, kinds, number, choices);
    }
    if choices.below(8) > 0 || !has_root {
        let mut path = Vec::new();
        let (below, _) = random_uri(&mut path, 3, number, choices);
        module.insert("/".to_owned(), json!({ (name): below }));
    }
    Json::Object(module)
}

/// Returns a random URI with its methods, and at most `depth` levels of URIs below it. `path` contains the captures of
/// the URI. The returned `bool` is `true` if a method of this URI, or of a URI below it, has positional parameters.
fn random_uri(path: &mut Vec<String>, depth: usize, number: &mut usize, choices: &mut Choices) -> (Json, bool) {
    let mut uri = Map::new();
    let mut positions = choices.once_in(3);
    let kinds = ParameterKinds { captures: path, positions, whole_body: true };
    method::add_methods(&mut uri, kinds, number, choices);
    let mut below = Map::new();
    // The first segments of all keys differ, because two keys with the same first segment could define the same URI.
    let mut keys = vec!["line", "a.b", "x-y", "été à", "Upper/case", "%41"];
    for _ in 0..choices.below(if depth == 0 { 1 } else { 3 }) {
        let key = keys.remove(choices.below(keys.len()));
        let (uri, inner_positions) = self::random_uri(path, depth - 1, number, choices);
        below.insert(key.to_owned(), uri);
        positions |= inner_positions;
    }
    // A URI must not have both a capture and positional parameters in the same segment.
    if depth > 0 && !positions && choices.once_in(3) {
        let name = format!("c{}", path.len());
        let key = match choices.below(3) {
            0 => format!("{{{name}}}"),
            1 => format!("{{{name}}}/tail"),
            _ => format!("{{{name}}}/a/b.c"),
        };
        path.push(name);
        let (uri, inner_positions) = self::random_uri(path, depth - 1, number, choices);
        below.insert(key, uri);
        positions |= inner_positions;
        path.pop();
    }
    if !below.is_empty() {
        uri.insert("/".to_owned(), Json::Object(below));
    }
    (Json::Object(uri), positions)
}
