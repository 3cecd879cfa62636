//! Tests `rulebook_test::Client`, the client with which programs test their API.

mod misuse;
mod responses;

use std::path::PathBuf;

use proptest::prelude::*;
use rulebook::{
    ApiError, Args, AuthScheme, Authenticate, Authentication, Context, Head, Identity, Module, Rulebook, Unbound,
};
use rulebook_test::{Client, TestResponse};
use serde_json::{Value as Json, json};

/// Returns the API that is defined in one document.
fn api_from_document(document: &Json) -> Rulebook {
    Rulebook::read(vec![(PathBuf::from("app.json"), document.to_string().into_bytes())])
}

/// Creates a client of an API whose methods return their arguments as the output `args`.
fn echo_client(document: &Json) -> Client {
    Client::new(api_from_document(document).unbound(Unbound::Echo)).unwrap()
}

/// Creates a client of an API with one method, `PUT /the%20base/it/{id}/more/…`. The method has a parameter of this
/// type at each location: in the path, in positions, in the query, in the body, in header fields and in cookies.
fn client_with_parameters_everywhere(kind: &str) -> Client {
    let parameter = |name: &str| json!({ "info": "I", "type": format!("?{kind}"), "name": name });
    echo_client(
        &json!({ "base": "/the base", "modules": { "m": { "/": { "it/{id}/more": { "PUT": { "info": "I", "in": {
        "{id}": { "info": "I", "type": kind },
        "URL#0": parameter("first"),
        "URL#1": parameter("second"),
        "GET@q": parameter("query"),
        "b": parameter("body"),
        "ANY@a": parameter("any"),
        "HEADER@X-H": parameter("header"),
        "COOKIE@c": parameter("cookie"),
        "COOKIE@d": parameter("other_cookie")
    } } } } } } }),
    )
}

/// The names of the parameters of [`client_with_parameters_everywhere`] in code.
const PARAMETER_NAMES: [&str; 9] =
    ["id", "first", "second", "query", "body", "any", "header", "cookie", "other_cookie"];

#[track_caller]
fn echoed_args(response: &TestResponse) -> Json {
    assert_eq!(response.status(), 200, "{response:?}");
    response.output("args")
}

#[test]
fn arguments_are_sent_at_the_location_of_their_parameter() {
    let client = client_with_parameters_everywhere("string");
    let given: Json =
        PARAMETER_NAMES.iter().map(|name| ((*name).to_owned(), Json::from(format!("the {name}")))).collect();
    let call = || {
        let call = client.call("it.{id}.more.put");
        PARAMETER_NAMES.iter().fold(call, |call, name| call.arg(name, given[*name].clone()))
    };
    assert_eq!(echoed_args(&call().send()), given);
    assert_eq!(echoed_args(&call().urlencoded().send()), given);
    let words = call().arg("id", "another").send().output("args");
    assert_eq!(words["id"], "another", "the last one is used");
}

#[test]
fn omitted_arguments_are_not_sent() {
    let client = client_with_parameters_everywhere("string");
    let got = |name: &str| {
        let call = client.call("it.{id}.more.put").arg("id", "x").arg("query", Json::Null);
        let args = echoed_args(&call.arg(name, "here").send());
        let given = args.as_object().unwrap().iter().filter(|(key, value)| !value.is_null() && *key != "id");
        given.map(|(key, value)| (key.clone(), value.clone())).collect::<Json>()
    };
    for name in &PARAMETER_NAMES[1..] {
        assert_eq!(got(name), json!({ *name: "here" }), "an empty segment precedes the second position");
    }
}

#[test]
fn values_are_encoded_for_their_location() {
    for (kind, value) in [
        ("int", json!(-7)),
        ("float", json!(1.5)),
        ("bool", json!(true)),
        ("array<int>", json!([1, 2])),
        ("array<string>", json!(["[a", ""])),
        ("array<any>", json!(["3", 3, null])),
        ("object", json!({ "a": [1, "b"] })),
        ("any", json!({ "a": null })),
    ] {
        let client = client_with_parameters_everywhere(kind);
        let call =
            PARAMETER_NAMES.iter().fold(client.call("it.{id}.more.put"), |call, name| call.arg(name, value.clone()));
        let given: Json = PARAMETER_NAMES.iter().map(|name| ((*name).to_owned(), value.clone())).collect();
        assert_eq!(echoed_args(&call.send()), given, "{kind}");
    }
}

#[test]
fn parameters_in_query_or_body_are_sent_as_the_documents_describe() {
    let method = json!({ "info": "I", "in": { "ANY@a": { "info": "I", "type": "int", "name": "a" } } });
    let methods = ["GET", "POST", "PUT", "DELETE", "PATCH"];
    let service: Json = methods.iter().map(|http| ((*http).to_owned(), method.clone())).collect();
    let client = echo_client(&json!({ "modules": { "m": { "/": { "it": service } } } }));
    for http in methods {
        let id = format!("it.{}", http.to_lowercase());
        assert_eq!(echoed_args(&client.call(&id).arg("a", 1).send()), json!({ "a": 1 }), "{http}");
    }
}

/// Creates a client of an API with a method that accepts uploaded files.
fn client_with_uploads() -> Client {
    echo_client(&json!({ "modules": { "m": { "/": { "it": { "POST": { "info": "I", "in": {
        "title": { "info": "I", "type": "string" },
        "n": { "info": "I", "type": "?int" },
        "picture": { "info": "I", "type": "?file", "name": "image" },
        "more": { "info": "I", "type": "?array<file>" },
        "GET@q": { "info": "I", "type": "?string", "name": "q" }
    } } } } } } }))
}

#[test]
fn calls_with_files_have_a_multipart_body() {
    let client = client_with_uploads();
    let file = |filename: &str, size: u32, media_type: &str| json!({ "filename": filename, "size": size, "media_type": media_type });
    let call = client.call("it.post").arg("title", "A \"picture\"").arg("n", 3);
    let response = call.file("image", "a \"b\".gif", b"GIF89a").file("more", "1", "one").file("more", "2", "").send();
    let got = echoed_args(&response);
    assert_eq!((&got["title"], &got["n"]), (&json!("A \"picture\""), &json!(3)));
    assert_eq!(got["image"]["size"], 6, "{got}");
    assert_eq!(got["image"]["media_type"], "image/gif", "{got}");
    assert_eq!(got["more"][0], file("1", 3, got["more"][0]["media_type"].as_str().unwrap()));
    assert_eq!(got["more"].as_array().map(Vec::len), Some(2));

    let response = client.post("/it?q=x").field("title", "By hand").file("picture", "a.gif", b"GIF89a".to_vec()).send();
    let got = echoed_args(&response);
    assert_eq!(
        (&got["title"], &got["q"], &got["image"]["filename"]),
        (&json!("By hand"), &json!("x"), &json!("a.gif"))
    );
}

#[test]
fn requests_by_path_are_sent_unchanged() {
    let client = client_with_parameters_everywhere("string");
    let path = "/the%20base/it/a%2Fb/more//%C3%A9";
    assert_eq!(echoed_args(&client.put(path).json(json!({ "b": "x" })).send())["body"], "x");
    let got = echoed_args(&client.put(&format!("{path}?q=1")).form([("b", "&="), ("a", "é")]).send());
    assert_eq!((&got["id"], &got["second"], &got["query"]), (&json!("a/b"), &json!("é"), &json!("1")));
    assert_eq!((&got["body"], &got["any"], &got["first"]), (&json!("&="), &json!("é"), &Json::Null));
    let response = client.put(path).body("text/csv", "b;x").send();
    assert_eq!((response.status(), response.code()), (415, Some("unsupported-media-type")));
    let response = client.request("OPTIONS", path).send();
    assert_eq!((response.status(), response.header("allow")), (200, Some("PUT, OPTIONS")));
    for (request, status) in [
        (client.get(path), 405),
        (client.post(path), 405),
        (client.delete(path), 405),
        (client.patch(path), 405),
        (client.request("HEAD", path), 405),
        (client.request("FNORD", path), 405),
        (client.get("/nowhere"), 404),
    ] {
        assert_eq!(request.send().status(), status);
    }
}

/// Returns a definition with two methods: GET is public, and PUT requires a permission that depends on the id in the
/// path.
fn user_definition() -> Json {
    json!({ "modules": { "m": { "/": { "user/{id}": {
        "GET": { "info": "I", "in": { "{id}": { "info": "I", "type": "id" } },
                 "out": { "who": { "info": "I", "type": "string" }, "token": { "info": "I", "type": "?string" } } },
        "PUT": { "info": "I", "scope": [["user[id]"], ["admin"]], "in": { "{id}": { "info": "I", "type": "id" } } }
    } } } } })
}

async fn identity_name(_: Args<Json>, context: Context) -> Result<Json, ApiError> {
    let who = context.identity().map_or("nobody".to_owned(), |identity| identity.name().to_owned());
    Ok(json!({ "who": who, "token": context.header("X-Rulebook-Test") }))
}

async fn empty_handler(_: Args<Json>, _: Context) -> Result<(), ApiError> {
    Ok(())
}

fn user_module() -> Module {
    Module::new("m").get("/user/{id}", identity_name).put("/user/{id}", empty_handler)
}

#[test]
fn a_test_can_set_identity_and_permissions_of_the_caller() {
    let client = Client::new(api_from_document(&user_definition()).module(user_module())).unwrap();
    let put = || client.call("user.{id}.put").arg("id", 7);
    assert_eq!(put().send().code(), Some("unauthenticated"));
    let none: [&str; 0] = [];
    assert_eq!(put().scope(none).send().code(), Some("forbidden"));
    assert_eq!(put().scope(["user[8]"]).send().code(), Some("forbidden"));
    assert_eq!(put().scope(["user[7]"]).send().status(), 200);
    assert_eq!(put().scope(["x", "admin"]).send().status(), 200);
    assert_eq!(client.put("/user/8").scope(["user[8]"]).send().status(), 200);
    let get = || client.call("user.{id}.get").arg("id", 7);
    assert_eq!(get().send().output("who"), "nobody");
    assert_eq!(get().identity("Ada", ["reader"]).send().output("who"), "Ada");
    assert_eq!(client.get("/user/7").identity("Bob", none).send().output("who"), "Bob");
}

#[test]
fn the_credential_of_a_test_request_is_not_valid_for_other_requests() {
    let client = Client::new(api_from_document(&user_definition()).module(user_module())).unwrap();
    let other = Client::new(api_from_document(&user_definition()).module(user_module())).unwrap();
    let response = client.call("user.{id}.get").arg("id", 7).identity("Ada", ["admin"]).send();
    let token = response.output("token");
    let token = token.as_str().unwrap();
    assert_eq!(token.len(), 32, "{token}");
    for token in [token, "", "admin", "0"] {
        let refused = client.put("/user/7").header("x-rulebook-test", token).send();
        assert_eq!(refused.code(), Some("unauthenticated"), "the token is valid for one request only");
        assert_eq!(other.put("/user/7").header("x-rulebook-test", token).send().code(), Some("unauthenticated"));
    }
}

/// An authenticator for the scheme `Basic` that accepts one password.
struct BasicAuthenticator;

impl Authenticate for BasicAuthenticator {
    async fn authenticate(&self, head: &Head) -> Authentication {
        match head.header("Authorization") {
            None => Authentication::Anonymous,
            Some("Basic YTpi") => Authentication::Identity(Identity::new("Eve", ["admin"])),
            Some(_) => Authentication::Invalid("another password".to_owned()),
        }
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        vec![AuthScheme::Http("Basic".to_owned())]
    }
}

#[test]
fn requests_are_authenticated_by_authenticators_of_the_program_too() {
    let client =
        Client::new(api_from_document(&user_definition()).module(user_module()).authenticator(BasicAuthenticator))
            .unwrap();
    let put = || client.call("user.{id}.put").arg("id", 7);
    assert_eq!(
        put().send().header("www-authenticate"),
        Some("Basic"),
        "the challenge is that of the program's authenticators"
    );
    assert_eq!(put().header("authorization", "Basic YTpi").send().status(), 200);
    assert_eq!(put().header("authorization", "Basic YTpj").send().code(), Some("unauthenticated"));
    assert_eq!(put().header("authorization", "Basic YTpj").scope(["admin"]).send().status(), 200);
}

async fn declared_error(_: Args<Json>, _: Context) -> Result<Json, ApiError> {
    Err(ApiError::declared("full").with_member("detail", "of a handler").with_member("code", 5).with_member("seats", 0))
}

async fn three_outputs(_: Args<()>, _: Context) -> Result<Json, ApiError> {
    Ok(json!({ "text": "a", "number": 1, "list": [1] }))
}

#[test]
fn the_client_can_be_used_inside_an_async_runtime() {
    let client = client_with_parameters_everywhere("string");
    crate::handlers::block_on(async {
        tokio::task::yield_now().await;
        assert_eq!(client.call("it.{id}.more.put").arg("id", "x").send().status(), 200);
    });
}

#[test]
fn errors_of_creating_a_client_show_the_whole_report() {
    let error = Client::new(api_from_document(&user_definition())).unwrap_err();
    let shown = format!("{error:?}");
    assert_eq!(shown, error.to_string());
    for part in ["error[unbound-method]", "GET /user/{id} has no handler", "PUT /user/{id}", "app.json:1:"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let error = Client::new(Rulebook::load("no/such/folder")).unwrap_err();
    assert!(error.to_string().contains("no/such/folder"), "{error}");
}

proptest! {
    #![proptest_config(support::random::cases(64))]

    #[test]
    fn any_text_arrives_unchanged_at_the_server(
        anywhere in "\\PC{1,30}",
        control in ".{0,30}",
        field in "([!-~é中][ -~é中]{0,20})?[!-~é中]",
        cookie in "[ -:<-~é中]{1,20}",
    ) {
        let client = shared_client();
        let call = client.call("it.{id}.more.put").arg("id", &*anywhere).arg("first", &*anywhere).arg("second", &*anywhere);
        let call = call.arg("query", &*control).arg("body", &*control).arg("any", &*control);
        let call = call.arg("header", &*field).arg("cookie", &*cookie);
        let given = json!({
            "id": anywhere, "first": anywhere, "second": anywhere, "query": control, "body": control, "any": control,
            "header": field, "cookie": cookie, "other_cookie": null
        });
        prop_assert_eq!(echoed_args(&call.send()), given);
    }
}

/// Returns the client that all generated cases share.
fn shared_client() -> &'static Client {
    static CLIENT: std::sync::OnceLock<Client> = std::sync::OnceLock::new();
    CLIENT.get_or_init(|| client_with_parameters_everywhere("string"))
}

#[test]
fn an_error_response_before_the_end_of_a_large_body_is_received() {
    let client = client_with_uploads();
    let json = |size: usize| client.post("/it").body("application/json", vec![b'x'; size]);
    let file = |size: usize| client.call("it.post").arg("title", "x").file("image", "x", vec![b'x'; size]).send();
    for refused in [json(2 << 20).send(), json(70 << 20).send(), file(33 << 20)] {
        assert_eq!((refused.status(), refused.code()), (413, Some("too-large")));
    }
    assert_eq!(echoed_args(&file(20 << 20))["image"]["size"], 20 << 20);
}

#[test]
fn a_client_writes_to_new_folders_and_not_to_those_of_the_program() {
    async fn keep(_: Args<()>, context: Context) -> Result<Json, ApiError> {
        std::fs::write(context.store()?.path().expect("files are in a folder").join("kept.txt"), "kept")
            .map_err(ApiError::internal)?;
        Ok(json!({}))
    }

    let folder = tempfile::tempdir().unwrap();
    let (data, files) = (folder.path().join("data"), folder.path().join("files"));
    let document = json!({ "data": data, "files": files, "modules": { "m": { "GET": { "info": "Keeps a file" } } } });
    let rulebook = api_from_document(&document).keep_files().module(Module::new("m").get("/", keep));
    let used = rulebook.data_folder_handle();
    let client = Client::new(rulebook).unwrap();
    let response = client.get("/").send();
    assert_eq!(response.status(), 200, "{response:?}");
    assert!(!data.exists() && !files.exists());
    let used = used.path().to_owned();
    assert!(used.join("files/kept.txt").exists(), "{}", used.display());
    drop(client);
    assert!(!used.exists(), "the folder is removed with the client");

    let chosen = folder.path().join("chosen");
    let rulebook =
        api_from_document(&document).data_folder(&chosen).keep_files().module(Module::new("m").get("/", keep));
    let client = Client::new(rulebook.files_folder(chosen.join("stored"))).unwrap();
    assert_eq!(client.get("/").send().status(), 200);
    assert!(chosen.join("stored/kept.txt").exists());
}
