//! Tests how the settings of handlers are read, and the wording of the errors in them.

use std::sync::Arc;

use rulebook::handler_kind::{
    ArgumentSlots, CompiledHandler, HandledMethod, HandlerError, HandlerFuture, HandlerKind, JsonNode, ReturnedValue,
    settings,
};
use rulebook::model::Span;
use rulebook::{Context, Rulebook};
use serde_json::{Value as Json, json};

/// A kind whose settings have the names of their types. Its output is the settings as text.
struct Typed;

struct Read(String);

const KNOWN: [&str; 9] =
    ["boolean", "whole_number", "byte_size", "seconds", "choice", "texts", "object", "text_members", "settings"];

impl HandlerKind for Typed {
    fn name(&self) -> &str {
        "text"
    }

    fn settings(&self) -> &[&str] {
        &KNOWN
    }

    fn compile(&self, method: &HandledMethod<'_>) -> Result<Arc<dyn CompiledHandler>, Vec<HandlerError>> {
        let text = settings::non_empty_text(method.setting("text"), "text");
        let mut read = vec![one(text.map(|text| text.value))];
        for name in KNOWN {
            read.extend(method.optional_setting(name).map(|node| read_setting(node, name)));
        }
        let mut texts = Vec::new();
        let mut errors = Vec::new();
        for result in read {
            match result {
                Ok(text) => texts.push(text),
                Err(found) => errors.extend(found),
            }
        }
        if errors.is_empty() { Ok(Arc::new(Read(texts.join(" ")))) } else { Err(errors) }
    }
}

/// Reads a setting with the function of the same name.
fn read_setting(node: &JsonNode, name: &str) -> Result<String, Vec<HandlerError>> {
    match name {
        "boolean" => one(settings::boolean(node, name)),
        "whole_number" => one(settings::whole_number(node, name, 2..=u8::MAX)),
        "byte_size" => one(settings::byte_size(node, name, 1_000..=1_000_000_usize)),
        "seconds" => one(settings::seconds(node, name)),
        "choice" => one(settings::choice(node, name, &[("one", 1), ("many", 2), ("none", 3)])),
        "texts" => settings::texts(node, name)
            .map(|texts| texts.into_iter().map(|text| text.value).collect::<Vec<_>>().join("+")),
        "object" => one(settings::object(node, name).map(|members| members.len())),
        "text_members" => settings::text_members(node, name).map(|members| {
            members
                .into_iter()
                .map(|(name, value)| format!("{}={}", name.value, value.value))
                .collect::<Vec<_>>()
                .join("+")
        }),
        _ => match settings::unknown_settings(node, "handlers.text", &["timeout", "retries"]) {
            errors if errors.is_empty() => Ok(String::new()),
            errors => Err(errors),
        },
    }
}

fn one<T: std::fmt::Debug>(result: Result<T, HandlerError>) -> Result<String, Vec<HandlerError>> {
    result.map(|value| format!("{value:?}")).map_err(|error| vec![error])
}

impl CompiledHandler for Read {
    fn start(&self, _: ArgumentSlots<'_, '_>, _: Context) -> HandlerFuture {
        let outputs = json!({ "read": self.0 });
        Box::pin(async { Ok(ReturnedValue::Outputs(Box::new(outputs))) })
    }
}

/// An error: the text at its span, its message, and its help.
type Found = (String, String, String);

/// Returns what the settings contain, or the errors in them.
fn read(handler: &Json) -> Result<String, Vec<Found>> {
    let method = json!({
        "info": "Reads settings", "out": { "read": { "info": "The settings", "type": "string" } }, "handler": handler
    });
    let definition = json!({ "/": { "settings": { "GET": method } } }).to_string();
    let rulebook = Rulebook::read(vec![("settings.json".into(), definition.into())]).handler_kind(Typed);
    let engine = rulebook.build().map_err(|report| {
        let text = |span: Span| {
            let text = report.sources.get(span.file).map(|source| source.text.as_str()).unwrap_or_default();
            text[span.start as usize..span.end as usize].to_owned()
        };
        let errors = report.diagnostics.iter();
        errors
            .map(|error| (text(error.span), error.message.clone(), error.help.clone().unwrap_or_default()))
            .collect::<Vec<_>>()
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outputs = runtime.block_on(engine.call("settings.get").send()).outputs().unwrap();
    Ok(outputs["read"].as_str().unwrap().to_owned())
}

fn with(name: &str, value: Json) -> Json {
    let mut handler = json!({ "text": "a" });
    handler[name] = value;
    handler
}

#[test]
fn settings_are_read_by_type() {
    for (name, value, expected) in [
        ("boolean", json!(true), "true"),
        ("whole_number", json!(2), "2"),
        ("whole_number", json!(255.0), "255"),
        ("byte_size", json!(1000), "1000"),
        ("byte_size", json!("1MB"), "1000000"),
        ("byte_size", json!("2 KiB"), "2048"),
        ("seconds", json!(0.001), "1ms"),
        ("seconds", json!(86_400), "86400s"),
        ("choice", json!("none"), "3"),
        ("texts", json!([]), ""),
        ("texts", json!(["a", ""]), "a+"),
        ("object", json!({ "a": 1, "$comment": 2, "x-comment": 3 }), "1"),
        ("text_members", json!({ "a": "b", "$comment": 2, "c": "" }), "a=b+c="),
        ("settings", json!({ "timeout": 1, "$comment": 2 }), ""),
    ] {
        let handler = with(name, value);
        let read = read(&handler).unwrap_or_else(|errors| panic!("{handler}: {errors:?}"));
        assert_eq!(read, format!("\"a\" {expected}"), "{handler}");
    }
}

#[test]
fn each_error_describes_the_expected_and_the_present_value() {
    let number = "a whole number from 2 to 255";
    let size = "a size in bytes from 1000 to 1000000, such as `16KB`";
    let seconds = "a number of seconds from 0.001 to 86400";
    for (name, value, expected, got) in [
        ("text", json!(5), "a string", "the number 5"),
        ("boolean", json!("true"), "true or false", "\"true\""),
        ("boolean", json!(1), "true or false", "the number 1"),
        ("whole_number", json!(1), number, "the number 1"),
        ("whole_number", json!(256), number, "the number 256"),
        ("whole_number", json!(-1), number, "the number -1"),
        ("whole_number", json!(2.5), number, "the number 2.5"),
        ("whole_number", json!("4"), number, "\"4\""),
        ("whole_number", json!(null), number, "null"),
        ("byte_size", json!(999), size, "the number 999"),
        ("byte_size", json!("2MB"), size, "\"2MB\""),
        ("byte_size", json!("5XB"), size, "\"5XB\""),
        ("byte_size", json!("a".repeat(41)), size, "a string"),
        ("byte_size", json!([]), size, "an array"),
        ("seconds", json!(0), seconds, "the number 0"),
        ("seconds", json!(86_400.5), seconds, "the number 86400.5"),
        ("seconds", json!("5s"), seconds, "\"5s\""),
        ("seconds", json!({}), seconds, "an object"),
        ("choice", json!("few"), "`one`, `many` or `none`", "\"few\""),
        ("choice", json!(1), "`one`, `many` or `none`", "the number 1"),
        ("texts", json!("a"), "an array of strings", "a string"),
        ("object", json!([]), "an object", "an array"),
        ("text_members", json!("a"), "an object", "a string"),
    ] {
        let handler = with(name, value);
        let errors = read(&handler).unwrap_err();
        let [(_, message, _)] = &errors[..] else { panic!("{handler}: {errors:?}") };
        assert_eq!(*message, format!("`{name}` must be {expected}, but this is {got}"), "{handler}");
    }
    for (value, message) in
        [("", "`text` must not be empty"), ("a\u{0}", "`text` must not contain the character U+0000")]
    {
        assert_eq!(read(&with("text", json!(value))).unwrap_err()[0].1, message);
    }
}

#[test]
fn each_wrong_item_of_a_list_is_an_error_at_the_item() {
    let found = |name: &str, value: Json| {
        let errors = read(&with(name, value)).unwrap_err();
        errors.into_iter().map(|(text, message, _)| (text, message)).collect::<Vec<_>>()
    };
    let item = |text: &str, subject: &str| {
        (text.to_owned(), format!("{subject} must be a string, but this is the number {text}"))
    };
    let subject = "each item of `texts`";
    assert_eq!(found("texts", json!([1, "a", 2])), [item("1", subject), item("2", subject)]);
    let subject = "each member of `text_members`";
    assert_eq!(found("text_members", json!({ "a": 1, "b": "c", "d": 2 })), [item("1", subject), item("2", subject)]);
}

#[test]
fn errors_of_common_mistakes_have_help() {
    for (name, value, part, help) in [
        ("boolean", json!("true"), "true", "write `true` or `false` without quotes"),
        ("whole_number", json!("4"), "4", "write a number without quotes"),
        ("seconds", json!("5s"), "5s", "write a number without quotes and without a unit, such as `30`"),
        ("byte_size", json!("5XB"), "5XB", "the units are B, KB, MB, GB, KiB, MiB and GiB"),
        ("choice", json!("mny"), "mny", "did you mean `many`?"),
        ("choice", json!("few"), "few", ""),
        ("seconds", json!(0), "0", ""),
    ] {
        let errors = read(&with(name, value)).unwrap_err();
        let [(text, _, found)] = &errors[..] else { panic!("{name}: {errors:?}") };
        assert_eq!((text.as_str(), found.as_str()), (part, help), "{name}");
    }
}

#[test]
fn unknown_settings_are_errors_with_the_known_names() {
    let errors = read(&with("settings", json!({ "timeot": 1, "retries": 2, "$comment": 3, "other": 4 }))).unwrap_err();
    let found =
        |name: &str, help: &str| (name.to_owned(), format!("`handlers.text` has no setting `{name}`"), help.to_owned());
    let list = "the settings are `timeout`, `retries`";
    assert_eq!(errors, [found("timeot", &format!("did you mean `timeout`? {list}")), found("other", list)]);
    let errors = read(&with("settings", json!([]))).unwrap_err();
    assert_eq!(errors[0].1, "`handlers.text` must be an object, but this is an array");
}
