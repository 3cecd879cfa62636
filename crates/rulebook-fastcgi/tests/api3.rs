//! Classes of api 3.0, in php-fpm behind the checks.

use rulebook::Rulebook;
use rulebook_fastcgi::FastCgiKind;
use rulebook_test::Client;
use serde_json::{Value as Json, json};

use super::php_fpm::{PhpFpm, data, documented_settings};

/// Serves the project with its definition, as a user has it, and with settings of handlers.
fn client(fpm: &PhpFpm, shared: &Json) -> Client {
    let mut all = json!({ "root": data("api3"), "style": "api3", "errors": { "13": "locked" } });
    for (name, value) in shared.as_object().unwrap() {
        all[name] = value.clone();
    }
    let app = json!({ "handlers": { "default": { "fastcgi": fpm.address() }, "fastcgi": all } });
    let text = |description: &str| json!({ "description": description, "type": "text" });
    let errors = json!({
        "no_such_article": { "status": 404, "number": 12, "description": "there is no such article" },
        "locked": { "status": 409, "description": "the article is locked" }
    });
    let article_id = json!({ "description": "The wanted article", "type": "id", "name": "article_id" });
    let modules = json!({
        "article": {
            "GET::read": {
                "description": "Reads an article",
                "permissions": ["reader"],
                "parameters": {
                    "URL_0": article_id,
                    "lang": { "description": "Its language", "type": "varchar(2,5,letters)", "optional": "true" }
                },
                "output": {
                    "title": text("Its title"), "author": text("Its author"),
                    "lang": { "description": "Its language", "type": "?text" },
                    "log": { "description": "What has happened", "type": "array<text>" }
                },
                "errors": errors
            },
            "POST::write": {
                "description": "Writes an article",
                "parameters": {
                    "title": text("Its title"),
                    "tags": { "description": "Its tags", "type": "array<text>", "optional": true },
                    "price": { "description": "Its price", "type": "numeric" }
                },
                "output": { "written": { "description": "The arguments", "type": "mixed" } }
            },
            "POST::lock": { "description": "Locks an article", "errors": errors },
            "POST::purge": { "description": "Removes all articles", "output": { "done": { "description": "Whether", "type": "boolean" } } },
            "POST::broken": { "description": "Fails" },
            "POST::hidden": { "description": "Is private" },
            "POST::nothing": { "description": "Does not exist" },
            "POST::picture": {
                "description": "Saves a picture",
                "parameters": { "picture": { "description": "It", "type": "FILE" }, "title": text("Its title") },
                "output": { "name": text("It"), "size": { "description": "It", "type": "id" }, "title": text("It") }
            },
            "GET::export": {
                "description": "Exports articles",
                "options": { "download": "true" },
                "parameters": { "URL_0": { "description": "The year", "type": "id", "name": "year" } },
                "output": { "body": text("The file"), "headers": { "description": "Its header fields", "type": "mixed" } },
                "errors": errors
            }
        },
        "author": {
            "GET::read": {
                "description": "Reads an author",
                "permissions": ["admin"],
                "parameters": { "URL_0": { "description": "The author", "type": "id" } },
                "output": { "author": text("The author") }
            }
        }
    });
    let files = vec![("app.json".into(), app.to_string().into()), ("modules.json".into(), modules.to_string().into())];
    Client::new(Rulebook::read(files).handler_kind(FastCgiKind::new())).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_class_runs_behind_the_checks_and_calls_the_methods_that_its_definition_lists() {
    let Some(fpm) = PhpFpm::start() else { return };
    let client = client(&fpm, &json!({ "delegates": ["author/read"] }));
    let read = |target: &str| client.get(target).scope(["reader"]).send();
    let article = read("/article/read/52?lang=fr");
    let expected = json!({
        "error": 0, "ErrorDescription": "all right",
        "title": "article 52", "author": "author 52", "lang": "fr", "log": ["begun"]
    });
    assert_eq!(article.json(), expected, "{}", fpm.log());
    // An optional argument that is absent is null.
    assert_eq!(read("/article/read/52").json()["lang"], json!(null));
    assert_eq!(client.get("/article/read/52").send().status(), 401);
    assert_eq!(read("/article/read/x").status(), 400);
    let missing = read("/article/read/404");
    assert_eq!((missing.status(), missing.json()["error"].clone()), (404, json!(12)));
    let locked = client.post("/article/lock").send();
    assert_eq!((locked.status(), locked.json()["error"].clone()), (409, json!(13)));
}

#[test]
fn outputs_and_errors_that_are_not_declared_are_sent_unless_they_are_strict() {
    let Some(fpm) = PhpFpm::start() else { return };
    let id = json!({ "description": "The wanted article", "type": "id", "name": "article_id" });
    let lang = json!({ "description": "Its language", "type": "text", "optional": true });
    let title = json!({ "description": "It", "type": "id" });
    let modules = json!({ "article": {
        "GET::read": {
            "description": "Reads an article", "parameters": { "URL_0": id, "lang": lang }, "output": { "title": title }
        },
        "POST::lock": { "description": "Locks an article" }
    } });
    let answers = |root: &str, shared: Json| {
        let mut app = documented_settings("api3", &fpm.address());
        app["handlers"]["fastcgi"]["root"] = data(root).into();
        for (name, value) in shared.as_object().unwrap() {
            app["handlers"]["fastcgi"][name] = value.clone();
        }
        let files =
            vec![("app.json".into(), app.to_string().into()), ("modules.json".into(), modules.to_string().into())];
        let client = Client::new(Rulebook::read(files).handler_kind(FastCgiKind::new())).unwrap();
        let read = client.get("/article/read/52").send();
        let missing = client.get("/article/read/404").send();
        (read.status(), read.json(), missing.status(), missing.json())
    };
    let (_, _, missing_status, missing) = answers("api3", json!({}));
    let expected = json!({ "error": 12, "ErrorDescription": "it failed" });
    assert_eq!((missing_status, missing), (400, expected), "{}", fpm.log());
    // The framework of this project knows a description and a status.
    let (status, read, missing_status, missing) = answers("api3_framework", json!({}));
    let expected = json!({ "error": 0, "ErrorDescription": "all right", "title": "article", "log": ["read"] });
    assert_eq!((status, read), (200, expected), "{}", fpm.log());
    assert_eq!((missing_status, missing), (417, json!({ "error": 12, "ErrorDescription": "no such article" })));
    let (status, _, missing_status, _) = answers("api3_framework", json!({ "strict": true }));
    assert_eq!((status, missing_status), (500, 502));
}

#[test]
fn one_declared_error_keeps_the_numbers_of_a_project() {
    let Some(fpm) = PhpFpm::start() else { return };
    let mut app = documented_settings("api3", &fpm.address());
    app["handlers"]["fastcgi"]["errors"] = json!({ "*": "refused" });
    let errors = json!({ "refused": { "status": 400, "description": "the request is refused" } });
    let id = json!({ "description": "The wanted article", "type": "id", "name": "article_id" });
    let modules = json!({ "article": {
        "GET::read": { "description": "Reads an article", "parameters": { "URL_0": id }, "errors": errors },
        "POST::lock": { "description": "Locks an article", "errors": errors }
    } });
    let files = vec![("app.json".into(), app.to_string().into()), ("modules.json".into(), modules.to_string().into())];
    let client = Client::new(Rulebook::read(files).handler_kind(FastCgiKind::new())).unwrap();
    for (response, number) in [(client.get("/article/read/404").send(), 12), (client.post("/article/lock").send(), 13)]
    {
        let description = "it failed: the request is refused";
        assert_eq!(response.status(), 400, "{}", fpm.log());
        let expected = json!({ "error": number, "ErrorDescription": description, "name": "refused" });
        assert_eq!(response.json(), expected);
    }
}

#[test]
fn a_class_gets_arguments_with_their_types() {
    let Some(fpm) = PhpFpm::start() else { return };
    let client = client(&fpm, &json!({}));
    let written = client.post("/article/write").json(json!({ "title": "é", "tags": ["a"], "price": 2.25 })).send();
    // What the class prints is not part of the response.
    assert_eq!(written.json()["written"], json!({ "title": "é", "tags": ["a"], "price": 2.25 }), "{}", written.text());
    let form = client.post("/article/write").form([("title", "t"), ("price", "2.5")]).send();
    assert_eq!(form.json()["written"], json!({ "title": "t", "tags": null, "price": 2.5 }));
}

#[test]
fn a_class_that_fails_is_a_bad_gateway_and_its_reason_stays_in_the_log() {
    let Some(fpm) = PhpFpm::start() else { return };
    let client = client(&fpm, &json!({}));
    for path in ["/article/broken", "/article/hidden", "/article/nothing"] {
        let response = client.post(path).send();
        assert_eq!(response.status(), 502, "{path}: {}", response.text());
        for secret in ["database", "article.php", "api3"] {
            assert!(!response.text().contains(secret), "{}", response.text());
        }
    }
    // Without `delegates`, a class can call no other method.
    assert_eq!(client.post("/article/purge").send().json()["done"], json!(false));
}

#[test]
fn a_class_gets_files_and_returns_files() {
    let Some(fpm) = PhpFpm::start() else { return };
    let client = client(&fpm, &json!({}));
    let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let picture =
        client.post("/article/picture").field("title", "A \"title\"").file("picture", "a.bin", content).send();
    let outputs = picture.json();
    assert_eq!((&outputs["name"], &outputs["size"]), (&json!("a.bin"), &json!(1_200_000)), "{}", picture.text());
    assert_eq!(outputs["title"], "A \"title\"");
    // PHP accepts files of up to 2 MB; the class is not called without the file.
    let large = client.post("/article/picture").field("title", "A").file("picture", "a.bin", vec![1; 3 << 20]).send();
    assert_eq!(large.status(), 502, "{}", large.text());
    let export = client.get("/article/export/2025").send();
    assert_eq!((export.status(), export.text()), (200, "id,title\n2025,\"a title\"\n"));
    assert_eq!(export.header("Content-Type"), Some("text/csv;charset=UTF-8"));
    assert_eq!(export.header("Content-Disposition"), Some("attachment; filename=\"articles.csv\""));
    let missing = client.get("/article/export/1900").send();
    assert_eq!((missing.status(), missing.json()["error"].clone()), (404, json!(12)));
}

#[test]
fn the_project_needs_neither_an_autoloader_nor_the_classes_of_the_framework() {
    let Some(fpm) = PhpFpm::start() else { return };
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("modules");
    std::fs::create_dir(&folder).unwrap();
    let article = r"<?php
        use \api\core\Request;
        class article {
            public function lock($params) { return ['error' => new \error\core\Error(13)]; }
            public function nothing($params) { return ['error' => new \api\core\Error(13)]; }
            public function write($params) {
                $texts = [];
                foreach (['/author/read/a%20b/?x=1', '/author/read/404', '/article/lock'] as $url) {
                    $texts[] = json_decode(Request::remote($url)->dispatch()->serialize(), true);
                }
                $data = ['module' => 'author', 'method' => 'read'];
                $texts[] = json_decode(Request::remote('/c', $data)->dispatch()->serialize(), true);
                return ['written' => $texts];
            }
            public function export($params) {
                if (isset($params['number'])) {
                    return ['body' => 'failed: ' . $params['number'], 'headers' => ['Content-Type' => 'text/csv']];
                }
                $failed = (new Request('author/read', ['URL_0' => '404']))->download();
                (new Request('article/export', ['number' => $failed->error->get()]))->download();
            }
        }";
    let author = r"<?php
        class author {
            public function read($params) {
                $error = new \error\core\Error($params['URL_0'] === '404' ? 12 : 0);
                return ['error' => $error, 'author' => $params['URL_0']];
            }
        }";
    std::fs::write(folder.join("article.php"), article).unwrap();
    std::fs::write(folder.join("author.php"), author).unwrap();
    let root = root.path().display().to_string();
    let delegates = ["author/read", "article/export"];
    let shared = json!({ "root": root, "folder": "modules", "namespace": "", "delegates": delegates });
    let client = client(&fpm, &shared);
    assert_eq!(client.post("/article/lock").send().status(), 409, "{}", fpm.log());
    let other = client.post("/article/nothing").send().json();
    assert_eq!(other, json!({ "error": 13, "ErrorDescription": "it failed" }), "{}", fpm.log());
    let written = client.post("/article/write").json(json!({ "title": "a", "price": 1 })).send().json();
    let succeeded = |author: &str| json!({ "error": 0, "ErrorDescription": "all right", "author": author });
    let failed = |number: u8| json!({ "error": number, "ErrorDescription": "it failed" });
    let expected = json!([succeeded("a b"), failed(12), failed(1), succeeded("c")]);
    assert_eq!(written["written"], expected, "{}", fpm.log());
    let export = client.get("/article/export/2025").send();
    assert_eq!((export.status(), export.text()), (200, "failed: 12"), "{}", fpm.log());
    assert!(export.header("Content-Type").is_some_and(|media_type| media_type.starts_with("text/csv")));
}
