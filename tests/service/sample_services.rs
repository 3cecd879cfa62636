//! The services whose responses were recorded from PhalApi, as rules and handlers for rulebook.

use rulebook::{ApiError, Args, Context, Module, Rulebook, Upload};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::client::{self, TestServer};

/// Returns the outputs of the methods without parameters, by the paths of these methods.
fn constant_outputs() -> Vec<(&'static str, Json)> {
    vec![
        ("/site/Index", json!({ "title": "Hello PhalApi", "version": "2.23.2" })),
        ("/shop_Order/GetList", json!(["shop list"])),
        ("/shop_Order/Index", json!("shop order")),
        ("/user/_under", json!("under")),
        ("/user/leak", json!({ "cls": "App\\Api\\User" })),
        ("/user/retNull", Json::Null),
        ("/user/retVoid", Json::Null),
        ("/user/retEmpty", json!({})),
        ("/user/retString", json!("text")),
        ("/user/retFalse", json!(false)),
        ("/user/retFloat", json!(1.0)),
        (
            "/user/retNested",
            json!({ "a": [], "b": { "c": null, "d": true, "e": false }, "f": 0.1, "u": "你好/é", "h": "<a href=\"x\">&'</a>" }),
        ),
        // Rust texts are valid UTF-8, and JSON numbers are finite. These values are the closest that a handler can
        // return.
        ("/user/retBadUtf8", json!({ "v": String::from_utf8_lossy(b"\xff") })),
        ("/user/retInf", json!({ "v": f64::INFINITY })),
        ("/user/retObj", json!({ "k": "v" })),
        ("/user/retSparse", json!({ "1": "a", "3": "b" })),
        ("/user/retCdata", json!({ "v": "a]]><evil/>" })),
        ("/user/retXmlKey", json!({ "a b><x": "1", "n": ["one", "two"] })),
        ("/user/overrideRet", json!({ "ret": 999 })),
        ("/user/setRet", json!({ "id": 1 })),
    ]
}

fn sample_rules() -> Json {
    let mut all = json!({
        "Site": {}, "Shop_Order": {},
        "User": {
            "Login": {
                "username": { "name": "username", "require": true },
                "password": { "name": "password", "require": true, "min": 6 } },
            "GetById": { "id": { "name": "id", "type": "int", "require": true, "min": 1 } },
            "EchoIt": { "v": { "name": "v" } },
            "members": { "tags": { "name": "tags", "type": "array", "format": "json" } },
            "OnlyPost": { "@method": "POST", "@return": { "*": { "type": "fixed" } } },
            "OnlyGet": { "@method": "GET", "@return": { "*": { "type": "fixed" } } },
            "FromPost": { "p": { "source": "post" } },
            "FromGet": { "p": { "source": "get" } },
            "FromCookie": { "p": { "source": "cookie" } },
            "FromHeader": { "p": { "name": "X-Token", "source": "header" } },
            "Upload": { "f": { "name": "f", "type": "file", "range": ["image/png"], "ext": "png" } }
        }
    });
    for (path, value) in constant_outputs() {
        let (class, method) = path[1..].split_once('/').unwrap();
        let class = class[..1].to_uppercase() + &class[1..];
        let whole = !value.is_object();
        all[class][method] = if whole { json!({ "@return": { "*": { "type": "fixed" } } }) } else { json!({}) };
    }
    for method in ["throwBad", "throwInternal", "throwRedirect", "throwBiz", "throwPlain", "throwError"] {
        all["User"][method] = json!({
            "code": { "type": "int", "min": 0, "max": 9999 }, "m": { "name": "m" },
            "@errors": {
                "bad": { "status": 400, "info": "wrong sign" },
                "biz": { "status": 400, "info": "biz" },
                "busy": { "status": 500, "info": "system is busy now" }
            }
        });
    }
    all
}

#[derive(Deserialize, Serialize)]
struct EchoArgs {
    v: Option<String>,
}

async fn echo_v(Args(echoed): Args<EchoArgs>, _: Context) -> Result<EchoArgs, ApiError> {
    Ok(echoed)
}

#[derive(Deserialize, Serialize)]
struct FindArgs {
    p: Option<String>,
}

async fn echo_p(Args(found): Args<FindArgs>, _: Context) -> Result<FindArgs, ApiError> {
    Ok(found)
}

async fn return_arguments(Args(return_arguments): Args<Map<String, Json>>, _: Context) -> Result<Json, ApiError> {
    Ok(Json::Object(return_arguments))
}

#[derive(Deserialize)]
struct ErrorArgs {
    code: Option<u32>,
    m: Option<String>,
}

impl ErrorArgs {
    /// Adds the PhalApi code and the message that the client requests to an error.
    fn customize_error(self, error: ApiError) -> ApiError {
        let error = self.m.into_iter().fold(error, ApiError::with_message);
        self.code.into_iter().fold(error, ApiError::with_phalapi_code)
    }
}

async fn fail_with_bad_request(Args(thrown): Args<ErrorArgs>, _: Context) -> Result<(), ApiError> {
    Err(thrown.customize_error(ApiError::declared("bad")))
}

async fn fail_with_busy(Args(thrown): Args<ErrorArgs>, _: Context) -> Result<(), ApiError> {
    Err(thrown.customize_error(ApiError::declared("busy")))
}

async fn fail_with_redirect(Args(thrown): Args<ErrorArgs>, _: Context) -> Result<(), ApiError> {
    Err(thrown.customize_error(ApiError::redirect("bad", "/new/place")))
}

async fn fail_with_business_error(Args(thrown): Args<ErrorArgs>, _: Context) -> Result<(), ApiError> {
    Err(thrown.customize_error(ApiError::declared("biz")))
}

async fn fail_internally(_: Args<Map<String, Json>>, _: Context) -> Result<(), ApiError> {
    Err(ApiError::internal("the secret reason"))
}

#[derive(Deserialize)]
struct UploadArgs {
    f: Option<Upload>,
}

async fn describe_upload(Args(UploadArgs { f }): Args<UploadArgs>, _: Context) -> Result<Json, ApiError> {
    let file =
        |file: &Upload| json!({ "name": file.filename(), "type": file.media_type(), "size": file.size(), "error": 0 });
    Ok(f.as_ref().map_or_else(|| json!({}), file))
}

fn sample_modules() -> [Module; 3] {
    let user = Module::new("User")
        .any("/user/Login", return_arguments)
        .any("/user/GetById", return_arguments)
        .any("/user/EchoIt", echo_v)
        .any("/user/members", return_arguments)
        .post("/user/OnlyPost", async |_: Args<()>, _: Context| Ok::<_, ApiError>("posted"))
        .get("/user/OnlyGet", async |_: Args<()>, _: Context| Ok::<_, ApiError>("got"))
        .post("/user/FromPost", echo_p)
        .any("/user/FromGet", echo_p)
        .any("/user/FromCookie", echo_p)
        .any("/user/FromHeader", echo_p)
        .post("/user/Upload", describe_upload)
        .any("/user/throwBad", fail_with_bad_request)
        .any("/user/throwInternal", fail_with_busy)
        .any("/user/throwRedirect", fail_with_redirect)
        .any("/user/throwBiz", fail_with_business_error)
        .any("/user/throwPlain", fail_internally)
        .any("/user/throwError", fail_internally);
    let modules = [("/site/", Module::new("Site")), ("/shop_Order/", Module::new("Shop_Order")), ("/user/", user)];
    modules.map(|(class, module)| {
        let own = constant_outputs().into_iter().filter(|(path, _)| path.starts_with(class));
        own.fold(module, |module, (path, value)| {
            module.any(path, move |_: Args<()>, _: Context| {
                let value = value.clone();
                async { Ok::<_, ApiError>(value) }
            })
        })
    })
}

/// Starts a server of the sample services with these settings.
pub fn sample_server(settings: &Json) -> TestServer {
    let files = [("app.json", settings.clone()), ("rules.json", sample_rules())];
    let add = |rulebook: Rulebook| sample_modules().into_iter().fold(rulebook, Rulebook::module).verify_outputs(false);
    TestServer::start(&client::engine(&files, add))
}
