//! The services of PhalApi's recorded responses, as rules and handlers.

use rulebook::{ApiError, Args, Context, Module, Rulebook, Upload};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::client::{self, TestServer};

/// The outputs of the methods without parameters, by their paths.
fn returned() -> Vec<(&'static str, Json)> {
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
        // Rust texts are UTF-8, and JSON numbers are finite. These are the closest values that a handler can return.
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

fn rules() -> Json {
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
    for (path, value) in returned() {
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
struct Echoed {
    v: Option<String>,
}

async fn echo(Args(echoed): Args<Echoed>, _: Context) -> Result<Echoed, ApiError> {
    Ok(echoed)
}

#[derive(Deserialize, Serialize)]
struct Found {
    p: Option<String>,
}

async fn find(Args(found): Args<Found>, _: Context) -> Result<Found, ApiError> {
    Ok(found)
}

async fn all(Args(all): Args<Map<String, Json>>, _: Context) -> Result<Json, ApiError> {
    Ok(Json::Object(all))
}

#[derive(Deserialize)]
struct Thrown {
    code: Option<u32>,
    m: Option<String>,
}

impl Thrown {
    /// The error with the code and the message that the client requests.
    fn throw(self, error: ApiError) -> ApiError {
        let error = self.m.into_iter().fold(error, ApiError::with_message);
        self.code.into_iter().fold(error, ApiError::with_phalapi_code)
    }
}

async fn bad(Args(thrown): Args<Thrown>, _: Context) -> Result<(), ApiError> {
    Err(thrown.throw(ApiError::declared("bad")))
}

async fn busy(Args(thrown): Args<Thrown>, _: Context) -> Result<(), ApiError> {
    Err(thrown.throw(ApiError::declared("busy")))
}

async fn redirect(Args(thrown): Args<Thrown>, _: Context) -> Result<(), ApiError> {
    Err(thrown.throw(ApiError::redirect("bad", "/new/place")))
}

async fn business(Args(thrown): Args<Thrown>, _: Context) -> Result<(), ApiError> {
    Err(thrown.throw(ApiError::declared("biz")))
}

async fn fail(_: Args<Map<String, Json>>, _: Context) -> Result<(), ApiError> {
    Err(ApiError::internal("the secret reason"))
}

#[derive(Deserialize)]
struct Sent {
    f: Option<Upload>,
}

async fn upload(Args(Sent { f }): Args<Sent>, _: Context) -> Result<Json, ApiError> {
    let file =
        |file: &Upload| json!({ "name": file.filename(), "type": file.media_type(), "size": file.size(), "error": 0 });
    Ok(f.as_ref().map_or_else(|| json!({}), file))
}

fn modules() -> [Module; 3] {
    let user = Module::new("User")
        .any("/user/Login", all)
        .any("/user/GetById", all)
        .any("/user/EchoIt", echo)
        .any("/user/members", all)
        .post("/user/OnlyPost", async |_: Args<()>, _: Context| Ok::<_, ApiError>("posted"))
        .get("/user/OnlyGet", async |_: Args<()>, _: Context| Ok::<_, ApiError>("got"))
        .post("/user/FromPost", find)
        .any("/user/FromGet", find)
        .any("/user/FromCookie", find)
        .any("/user/FromHeader", find)
        .post("/user/Upload", upload)
        .any("/user/throwBad", bad)
        .any("/user/throwInternal", busy)
        .any("/user/throwRedirect", redirect)
        .any("/user/throwBiz", business)
        .any("/user/throwPlain", fail)
        .any("/user/throwError", fail);
    let modules = [("/site/", Module::new("Site")), ("/shop_Order/", Module::new("Shop_Order")), ("/user/", user)];
    modules.map(|(class, module)| {
        let own = returned().into_iter().filter(|(path, _)| path.starts_with(class));
        own.fold(module, |module, (path, value)| {
            module.any(path, move |_: Args<()>, _: Context| {
                let value = value.clone();
                async { Ok::<_, ApiError>(value) }
            })
        })
    })
}

/// Serves the sample with these settings.
pub fn server(settings: &Json) -> TestServer {
    let files = [("app.json", settings.clone()), ("rules.json", rules())];
    let add = |rulebook: Rulebook| modules().into_iter().fold(rulebook, Rulebook::module).verify_outputs(false);
    TestServer::start(&client::engine(&files, add))
}
