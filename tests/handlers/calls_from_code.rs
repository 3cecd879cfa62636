//! Tests calls from Rust code (`Engine::call`), which have the same permission checks, parameter checks and handlers as
//! requests over HTTP.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use rulebook::error::ErrorCode;
use rulebook::types::{TypeMismatch, Value};
use rulebook::{ApiError, Args, Context, Engine, Identity, Module, Rulebook, Unbound};
use rulebook_model::call::ErrorKind;
use rulebook_model::types::{ArgumentError, Check, Type, TypeArguments, TypeExpr};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{block_on, build, call, checked_arguments, files, files_with_parameters};

fn library_definition() -> Vec<(PathBuf, Vec<u8>)> {
    let id = json!({ "info": "Which", "type": "id", "name": "id" });
    files(
        "book",
        &json!({ "/": { "book": {
            "GET": { "info": "Books", "in": {
                "GET@lang": { "info": "Language", "type": "?enum(en|fr)", "name": "language" },
                "GET@tag": { "info": "Tags", "type": "?array<string>", "name": "tags" }
            } },
            "POST": { "info": "A new one", "scope": [["writer", "member"], ["admin"]], "in": {
                "title": { "info": "Its title", "type": "string(1,20)" },
                "pages": { "info": "How long it is", "type": "?int(1,9999)" },
                "HEADER@X-Trace": { "info": "A trace", "type": "?string", "name": "trace" }
            } },
            "/": {
                "page": { "GET": { "info": "Some pages", "in": {
                    "URL#0": { "info": "The book", "type": "?id", "name": "book" },
                    "URL#1": { "info": "The page", "type": "?int", "name": "page" }
                } } },
                "{id}": {
                    "GET": { "info": "One book", "in": { "{id}": id } },
                    "DELETE": { "info": "Throws it away", "scope": [["owner[id]"]], "in": { "{id}": id } }
                }
            }
        } } }),
    )
}

fn echo_engine() -> Engine {
    Rulebook::read(library_definition()).unbound(Unbound::Echo).build().unwrap()
}

#[test]
fn calls_find_methods_by_id_and_by_path() {
    let none = json!({});
    let cases = [
        ("book.get", Ok(json!({ "language": null, "tags": null }))),
        ("GET /book", Ok(json!({ "language": null, "tags": null }))),
        ("GET /book/", Ok(json!({ "language": null, "tags": null }))),
        ("GET /book/7", Ok(json!({ "id": 7 }))),
        ("GET /book/page", Ok(json!({ "book": null, "page": null }))),
        ("GET /book/page/3", Ok(json!({ "book": 3, "page": null }))),
        ("GET /book/page//4", Ok(json!({ "book": null, "page": 4 }))),
        ("GET /book?lang=fr&tag=a%20b&tag=c", Ok(json!({ "language": "fr", "tags": ["a b", "c"] }))),
        ("GET /book?tag[]=a&tag[]=b", Ok(json!({ "language": null, "tags": ["a", "b"] }))),
        ("GET /book?tag[1]=b&tag[0]=a", Ok(json!({ "language": null, "tags": ["a", "b"] }))),
        ("GET /book?lang[]=fr", Err(ErrorCode::InvalidParameter)),
        ("HEAD /book", Ok(json!({ "language": null, "tags": null }))),
        ("GET /book/x", Err(ErrorCode::InvalidParameter)),
        ("book.{id}.get", Err(ErrorCode::MissingParameter)),
        ("GET /book?lang=de", Err(ErrorCode::InvalidParameter)),
        ("GET /book?lang=fr&lang=en", Err(ErrorCode::InvalidParameter)),
        ("GET /book?language=fr", Err(ErrorCode::Internal)),
        ("GET /books", Err(ErrorCode::UnknownService)),
        ("PUT /book", Err(ErrorCode::UnknownMethod)),
        ("OPTIONS /book", Err(ErrorCode::UnknownService)),
        ("get /book", Err(ErrorCode::UnknownMethod)),
        ("GET book", Err(ErrorCode::UnknownService)),
        ("GET /%zz", Err(ErrorCode::MalformedRequest)),
        ("GET / book", Err(ErrorCode::UnknownService)),
        ("GET", Err(ErrorCode::UnknownService)),
        ("", Err(ErrorCode::UnknownService)),
        ("books.get", Err(ErrorCode::UnknownService)),
        ("\0 \u{fffd}", Err(ErrorCode::UnknownService)),
    ];
    for (target, expected) in cases {
        assert_eq!(checked_arguments(&echo_engine(), target, &none), expected, "{target:?}");
    }
}

#[test]
fn base_path_and_target_may_contain_characters_that_clients_encode() {
    let settings = (PathBuf::from("app.json"), json!({ "base": "/à 100%?" }).to_string().into_bytes());
    let word = json!({ "URL#0": { "info": "A word", "type": "string", "name": "word" } });
    let module = json!({ "/": { "écho": { "GET": { "info": "A word again", "in": word } } } });
    let files = [vec![settings], files("echo", &module)].concat();
    let engine = Rulebook::read(files).unbound(Unbound::Echo).build().unwrap();
    for target in ["GET /écho/Ada Lovelace", "GET /%C3%A9cho/Ada%20Lovelace"] {
        assert_eq!(
            block_on(engine.call(target).send()).get("args"),
            Some(&json!({ "word": "Ada Lovelace" })),
            "{target}"
        );
    }
}

#[test]
fn arguments_are_passed_by_their_names_in_code_and_only_once() {
    let cases = [
        ("book.{id}.get", json!({ "id": 7 }), Ok(json!({ "id": 7 }))),
        ("book.page.get", json!({ "page": 2 }), Ok(json!({ "book": null, "page": 2 }))),
        ("GET /book/page/1", json!({ "page": 2 }), Ok(json!({ "book": 1, "page": 2 }))),
        ("book.get", json!({ "language": "en" }), Ok(json!({ "language": "en", "tags": null }))),
        ("book.get", json!({ "language": null }), Ok(json!({ "language": null, "tags": null }))),
        ("book.get", json!({ "tags": ["a"] }), Ok(json!({ "language": null, "tags": ["a"] }))),
        ("book.get", json!({ "lang": "en" }), Err(ErrorCode::Internal)),
        ("book.{id}.get", json!({ "id": "7" }), Err(ErrorCode::InvalidParameter)),
        ("GET /book/7", json!({ "id": 7 }), Err(ErrorCode::InvalidParameter)),
        ("GET /book?lang=en", json!({ "language": "en" }), Err(ErrorCode::InvalidParameter)),
    ];
    for (target, given, expected) in cases {
        assert_eq!(checked_arguments(&echo_engine(), target, &given), expected, "{target} {given}");
    }
    let engine = echo_engine();
    let texts = block_on(engine.call("book.get").text("tags", "a").text("tags", "b").text("language", "en").send());
    assert_eq!(texts.get("args"), Some(&json!({ "language": "en", "tags": ["a", "b"] })));
    let twice = block_on(engine.call("book.get").text("language", "en").text("language", "en").send());
    assert_eq!(twice.error().unwrap().code(), ErrorCode::InvalidParameter);
    let mixed = block_on(engine.call("book.{id}.get").arg("id", 1).text("id", "1").send());
    assert_eq!(mixed.error().unwrap().code(), ErrorCode::InvalidParameter);
    let text = block_on(engine.call("book.{id}.get").text("id", "7").send());
    assert_eq!(text.get("args"), Some(&json!({ "id": 7 })));
}

#[test]
fn an_unknown_argument_is_an_internal_error_with_a_log_message() {
    let refused = call(&echo_engine(), "book.get", &json!({ "lang": "en" }));
    let error = refused.error().unwrap();
    assert_eq!(error.to_string(), "the program failed");
    let log = error.log().unwrap();
    assert!(log.contains("\"lang\"") && log.contains("language, tags"), "{log}");
}

#[test]
fn calls_require_the_same_permissions_as_requests() {
    let engine = echo_engine();
    let post = |scope: Option<&[&str]>| {
        let call = engine.call("book.post").arg("title", "Rules");
        let call = match scope {
            Some(scope) => call.scope(scope.iter().copied()),
            None => call,
        };
        block_on(call.send()).error().map(ApiError::code)
    };
    assert_eq!(post(None), Some(ErrorCode::Unauthenticated));
    assert_eq!(post(Some(&[])), Some(ErrorCode::Forbidden));
    assert_eq!(post(Some(&["writer"])), Some(ErrorCode::Forbidden));
    assert_eq!(post(Some(&["writer", "member"])), None);
    assert_eq!(post(Some(&["admin"])), None);
    let refused = block_on(engine.call("book.post").scope(["writer"]).send());
    let ErrorKind::Forbidden { missing } = refused.error().unwrap().kind() else { panic!("{refused:?}") };
    assert_eq!(
        missing,
        &[vec!["member".to_owned()], vec!["admin".to_owned()]],
        "the permission is checked before the arguments"
    );
}

#[test]
fn contextual_permissions_contain_the_values_of_arguments() {
    let engine = echo_engine();
    let delete = |target: &str, id: Option<Json>, scope: &str| {
        let call = engine.call(target).scope([scope]);
        let call = match id {
            Some(id) => call.arg("id", id),
            None => call,
        };
        block_on(call.send()).error().map(ApiError::code)
    };
    assert_eq!(delete("book.{id}.delete", Some(7.into()), "owner[7]"), None);
    assert_eq!(delete("DELETE /book/7", None, "owner[7]"), None);
    let forbidden = [
        ("book.{id}.delete", Some(7.into()), "owner[8]"),
        ("DELETE /book/7", None, "owner[8]"),
        ("DELETE /book/7", None, "owner[id]"),
        ("DELETE /book/7", None, "owner"),
        ("DELETE /book/7", None, "owner[7]]"),
        ("DELETE /book/x", None, "owner[x]"),
        ("DELETE /book/7%5D", None, "owner[7]]"),
        ("book.{id}.delete", None, "owner[]"),
        ("book.{id}.delete", Some("7".into()), "owner[7]"),
        ("book.{id}.delete", Some(Json::Null), "owner[null]"),
    ];
    for (target, id, scope) in forbidden {
        assert_eq!(delete(target, id.clone(), scope), Some(ErrorCode::Forbidden), "{target} {id:?} {scope}");
    }
}

#[test]
fn the_response_of_a_call_has_outputs_or_an_error() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Echoed {
        args: BookId,
    }
    #[derive(Debug, Deserialize, PartialEq)]
    struct BookId {
        id: u32,
    }
    let engine = echo_engine();
    let good = || call(&engine, "GET /book/7", &json!({}));
    assert!(good().error().is_none());
    assert_eq!(good().get("args"), Some(&json!({ "id": 7 })));
    assert_eq!(good().get("other"), None);
    assert_eq!(good().output_map().unwrap().len(), 1);
    assert_eq!(good().deserialize::<Echoed>().unwrap(), Echoed { args: BookId { id: 7 } });
    assert_eq!(good().deserialize::<BookId>().unwrap_err().code(), ErrorCode::Internal);
    assert_eq!(good().outputs().unwrap(), json!({ "args": { "id": 7 } }));
    let bad = || call(&engine, "GET /book/x", &json!({}));
    assert_eq!(bad().error().unwrap().code(), ErrorCode::InvalidParameter);
    assert_eq!(bad().get("args"), None);
    assert!(bad().output_map().is_none());
    assert_eq!(bad().deserialize::<Echoed>().unwrap_err().code(), ErrorCode::InvalidParameter);
    assert_eq!(bad().outputs().unwrap_err().code(), ErrorCode::InvalidParameter);
}

#[test]
fn a_single_output_can_be_the_whole_body() {
    async fn number_list(_: Args<()>, _: Context) -> Result<Vec<i64>, ApiError> {
        Ok(vec![1, 2])
    }
    let out = json!({ "*": { "info": "Numbers", "type": "array<int>" } });
    let module = json!({ "/": { "it": { "GET": { "info": "Numbers", "out": out } } } });
    let engine = build(files("shop", &module), [Module::new("shop").get("/it", number_list)]);
    let response = call(&engine, "it.get", &json!({}));
    assert!(response.error().is_none() && response.output_map().is_none() && response.get("*").is_none());
    assert_eq!(response.outputs().unwrap(), json!([1, 2]));
}

/// A handler that calls its own method until `depth` is 0, and then returns the identity of its caller.
async fn call_itself(Args(call_itself): Args<RecursionArgs>, context: Context) -> Result<Json, ApiError> {
    if call_itself.depth == 0 {
        let who = context.identity().map(|identity| (identity.name().to_owned(), identity.permissions().len()));
        return Ok(json!({ "who": who, "method": context.method(), "head": context.head().is_some() }));
    }
    context.call("it.post").arg("depth", call_itself.depth - 1).send().await.outputs()
}

#[derive(Deserialize)]
struct RecursionArgs {
    depth: i64,
}

fn recursive_engine() -> Engine {
    build(
        files_with_parameters(&json!({ "depth": { "info": "How deep", "type": "int(0,1000)" } })),
        [Module::new("shop").post("/it", call_itself)],
    )
}

#[test]
fn calls_of_a_handler_have_the_identity_of_its_caller() {
    let engine = recursive_engine();
    let by = |identity: Option<Identity>| {
        let call = engine.call("it.post").arg("depth", 3);
        let call = match identity {
            Some(identity) => call.identity(identity),
            None => call,
        };
        block_on(call.send()).outputs().unwrap()
    };
    assert_eq!(by(None), json!({ "who": null, "method": "it.post", "head": false }));
    let ada = Identity::new("ada", ["a", "b"]);
    assert_eq!(by(Some(ada)), json!({ "who": ["ada", 2], "method": "it.post", "head": false }));
}

#[test]
fn the_depth_of_nested_calls_is_limited() {
    let engine = recursive_engine();
    let at = |depth: i64| block_on(engine.call("it.post").arg("depth", depth).send()).error().map(ApiError::code);
    assert_eq!(at(16), None);
    assert_eq!(at(17), Some(ErrorCode::Internal));
    assert_eq!(at(1000), Some(ErrorCode::Internal));
}

#[test]
fn identity_and_permissions_of_a_call_can_be_set() {
    async fn describe_caller(_: Args<()>, context: Context) -> Result<Json, ApiError> {
        let own = context
            .identity()
            .map(|identity| format!("{} {:?}", identity.name(), identity.permissions().collect::<Vec<_>>()));
        Ok(json!({ "who": own }))
    }
    async fn call_with_other_identities(_: Args<()>, context: Context) -> Result<Json, ApiError> {
        let narrowed = context.call("who.get").scope(["less"]).send().await.outputs()?;
        let other = context.call("who.get").identity(Identity::new("bo", ["b"])).send().await.outputs()?;
        Ok(json!({ "narrowed": narrowed["who"], "other": other["who"] }))
    }
    let get = |info: &str| json!({ "GET": { "info": info } });
    let module = json!({ "/": { "who": get("Who calls"), "ask": get("Asks") } });
    let engine = build(
        files("shop", &module),
        [Module::new("shop").get("/who", describe_caller).get("/ask", call_with_other_identities)],
    );
    let asked =
        block_on(engine.call("ask.get").identity(Identity::new("ada", ["a", "less"])).send()).outputs().unwrap();
    assert_eq!(asked, json!({ "narrowed": "ada [\"less\"]", "other": "bo [\"b\"]" }));
    let outputs = block_on(engine.call("who.get").scope(["x"]).send()).outputs().unwrap();
    assert_eq!(outputs, json!({ "who": "caller [\"x\"]" }));
}

#[test]
fn handlers_share_the_state_of_the_program() {
    struct Greeting(&'static str);
    async fn greet(_: Args<()>, context: Context) -> Result<Json, ApiError> {
        let greeting = context.state::<Greeting>().map(|greeting| greeting.0);
        Ok(json!({ "greeting": greeting, "none": context.state::<String>().is_none() }))
    }
    let module = Module::new("shop").post("/it", greet);
    let rulebook = Rulebook::read(files_with_parameters(&json!({}))).state(Greeting("first")).state(Greeting("hello"));
    let engine = rulebook.module(module).build().unwrap();
    let outputs = call(&engine, "it.post", &json!({})).outputs().unwrap();
    assert_eq!(outputs, json!({ "greeting": "hello", "none": true }));
}

#[test]
fn call_targets_are_paths_below_the_base_path() {
    let mut files = library_definition();
    files.push((PathBuf::from("api/app.json"), json!({ "base": "/v1" }).to_string().into_bytes()));
    let engine = Rulebook::read(files).unbound(Unbound::Echo).build().unwrap();
    assert!(call(&engine, "GET /book/7", &json!({})).error().is_none());
    assert_eq!(call(&engine, "GET /v1/book/7", &json!({})).error().unwrap().code(), ErrorCode::UnknownService);
}

/// A parameter type of the program whose check panics.
#[derive(Debug, Clone, Copy)]
struct PanickingType;

impl Type for PanickingType {
    fn name(&self) -> &str {
        "broken"
    }

    fn info(&self) -> &str {
        "nothing that it can tell"
    }

    fn compile(&self, _: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
        Ok(Arc::new(*self))
    }
}

impl Check for PanickingType {
    fn check(&self, _: &mut Value<'_>) -> Result<(), TypeMismatch> {
        panic!("a mistake")
    }

    fn expected(&self) -> Cow<'static, str> {
        "anything".into()
    }

    fn schema(&self) -> Json {
        json!(true)
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term("broken")
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        Vec::new()
    }
}

#[test]
fn a_panic_in_a_type_of_the_program_is_an_internal_error() {
    let files = files_with_parameters(&json!({ "x": { "info": "Something", "type": "broken" } }));
    let engine = Rulebook::read(files).add_type(PanickingType).unbound(Unbound::Echo).build().unwrap();
    let response = call(&engine, "it.post", &json!({ "x": 1 }));
    let error = response.error().unwrap();
    assert_eq!(error.code(), ErrorCode::Internal);
    assert_eq!(error.log(), Some("a stage panicked: a mistake"));
}
