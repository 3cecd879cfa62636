//! A project for PhalApi, in php-fpm behind the checks.

use rulebook::Rulebook;
use rulebook_fastcgi::FastCgiKind;
use rulebook_test::Client;
use serde_json::{Value as Json, json};

use super::php_fpm::{PhpFpm, documented_settings};

/// Serves the project. The rules are those of its class, in the dialect that `rulebook new --from phalapi` writes.
fn client(fpm: &PhpFpm) -> Client {
    let mut app = documented_settings("phalapi", &fpm.address());
    app["envelope"] = json!("phalapi");
    app["service"] = json!({ "on": true });
    let rules = json!({ "User": {
        "*": { "sign": { "name": "X-Sign", "source": "header" } },
        "login": {
            "@desc": "Logs a user in",
            "@method": "POST",
            "@return": { "code": { "type": "int", "desc": "0" }, "info": { "type": "object", "desc": "The user" } },
            "@errors": { "refused": { "status": 400, "info": "the request is refused" } },
            "username": { "name": "username", "require": true, "min": 1, "max": 50 },
            "password": { "name": "password", "require": true, "min": 6 },
            "isRememberMe": { "name": "is_remember_me", "type": "boolean", "default": true },
            "born": { "name": "born", "type": "date", "format": "timestamp" }
        },
        "getList": {
            "@desc": "Lists users",
            "@return": { "list": { "type": "array", "desc": "The users" } },
            "ids": { "name": "ids", "type": "array", "format": "explode", "separator": "," }
        },
        "upload": {
            "@desc": "Saves a picture",
            "@method": "POST",
            "@return": { "name": { "type": "string", "desc": "Its name" }, "size": { "type": "int", "desc": "Its size" } },
            "file": { "name": "file", "type": "file", "require": true, "max": 1_048_576 }
        },
        "remove": { "@desc": "Removes a user", "@method": "POST" }
    } });
    let files = vec![("app.json".into(), app.to_string().into()), ("rules.json".into(), rules.to_string().into())];
    Client::new(Rulebook::read(files).handler_kind(FastCgiKind::new())).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn services_run_as_they_are_and_return_what_they_returned_before() {
    let Some(fpm) = PhpFpm::start() else { return };
    let client = client(&fpm);
    let login = |fields: &[(&str, &str)]| {
        let request = client.post("/?service=User.Login").header("X-Sign", "abc").form(fields.iter().copied());
        request.send().json()
    };
    let valid = [("username", "ada"), ("password", "123456"), ("is_remember_me", "on"), ("born", "1970-01-02")];
    let info = json!({ "name": "ada", "remembered": true, "born": 86400, "sign": "abc" });
    assert_eq!(login(&valid), json!({ "ret": 200, "data": { "code": 0, "info": info }, "msg": "" }), "{}", fpm.log());
    let listed = client.get("/?s=User.GetList&ids=3,5").send().json();
    assert_eq!(listed["data"], json!({ "list": [{ "id": 3 }, { "id": 5 }] }));
    // A service without a result.
    assert_eq!(client.post("/?service=User.Remove").form::<&str, &str>([]).send().json()["ret"], 200);

    // rulebook rejects this request before PHP sees it.
    let invalid = login(&[("username", "ada"), ("password", "123")]);
    assert_eq!(invalid["ret"], 400, "{invalid}");
    let refused = login(&[("username", "nobody"), ("password", "123456")]);
    assert_eq!((&refused["ret"], &refused["msg"]), (&json!(406), &json!("Bad Request: wrong sign")));
    let failed = login(&[("username", "broken"), ("password", "123456")]);
    assert_eq!(failed["msg"], "Interal Server Error: the database is away", "{failed}");
}

#[test]
fn files_reach_a_service() {
    let Some(fpm) = PhpFpm::start() else { return };
    let client = client(&fpm);
    let uploaded =
        client.post("/?service=User.Upload").file("file", "a \"picture\".png", vec![7; 100_000]).send().json();
    let data: &Json = &uploaded["data"];
    assert_eq!(data["size"], 100_000, "{uploaded}");
    assert_eq!(data["name"], "a %22picture%22.png");
}
