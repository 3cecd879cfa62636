//! The document of api 3.0: what it shows, asked of a server. Tests are called after its sections.

use std::path::Path;

use rulebook::{Rulebook, Unbound};
use serde_json::{Value, json};

use crate::client::{Bearer, Request, Site};

const FORM: &str = "application/x-www-form-urlencoded";

/// The definition with the document's examples; every method echoes its arguments.
fn site() -> Site {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/definitions/good/methods");
    match Rulebook::load(folder).inspect(Bearer).unbound(Unbound::Echo).build() {
        Ok(engine) => Site::start(&engine),
        Err(report) => panic!("{report}"),
    }
}

#[test]
fn i_2_article_52_is_deleted_by_module_and_method() {
    let site = site();
    let delete = || Request::new("POST", "/article/delete").scope(&["admin"]);
    let args = json!({ "article_id": 52 });
    site.send(&delete().body(FORM, "article_id=52")).assert_args(&args);
    site.send(&delete().multipart(&[("name=article_id", b"52")])).assert_args(&args);
    site.send(&delete().body("application/json", r#"{"article_id": 52}"#)).assert_args(&args);
    site.send(&delete().body("application/json", r#"{"article_id": "52"}"#)).assert_args(&args);
    site.send(&Request::new("POST", "/article/delete?article_id=52").scope(&["admin"])).assert_args(&args);
    site.send(&delete()).assert_refused(400, "");
    site.send(&Request::new("GET", "/article/unknown")).assert_refused(404, "");
    site.send(&Request::new("PUT", "/article/delete")).assert_refused(405, "");
}

#[test]
fn ii_4_parameters_stand_in_the_body_or_in_the_url() {
    let site = site();
    let post = |uri: &str| Request::new("POST", uri).scope(&["poster"]);
    // `/{module}/{method}/`: with a slash behind it.
    site.send(&post("/article/write/").body(FORM, "title=abc&body=x"))
        .assert_args(&json!({ "title": "abc", "body": "x" }));
    // `/{module}/{method}/{param1}/{param2}`.
    let args = |id: &Value| json!({ "id_article": id, "URL_0": 1, "URL_1": "fr" });
    site.send(&post("/publications/article/1/fr")).assert_args(&args(&Value::Null));
    site.send(&post("/publications/article/1/fr/")).assert_args(&args(&Value::Null));
    // Of the URL and the body, both are caught.
    site.send(&post("/publications/article/1/fr").body(FORM, "id_article=2")).assert_args(&args(&json!(2)));
    site.send(&post("/publications/article/1/fr/3")).assert_refused(404, "");
}

#[test]
fn iii_any_one_of_the_permissions_suffices() {
    let site = site();
    let ask = |scope: &[&str]| site.send(&Request::new("POST", "/publications/article/1").scope(scope)).status;
    assert_eq!([&["poster"][..], &["admin"], &["user"], &["user", "x"]].map(ask), [200; 4]);
    assert_eq!([&["x"][..], &[]].map(ask), [403, 403]);
    // A list among them asks for all in it.
    let edit = Request::new("POST", "/article/edit").body(FORM, "article_id=1&body=x");
    let ask = |scope: &[&str]| site.send(&edit.clone().scope(scope)).status;
    assert_eq!([&["poster", "admin"][..], &["user"], &["poster"], &["admin"]].map(ask), [200, 200, 403, 403]);
}

#[test]
fn iii_parameters_are_optional_where_they_say_so() {
    let site = site();
    let ask = |uri: &str| site.send(&Request::new("POST", uri).scope(&["user"]));
    // IV.2: those that are not given are null.
    ask("/publications/article/7").assert_args(&json!({ "id_article": null, "URL_0": 7, "URL_1": null }));
    ask("/publications/article").assert_refused(400, "");
    ask("/publications/article/x").assert_refused(400, "");
}

#[test]
fn v_4_types_take_their_examples() {
    let site = site();
    let hash = "4612473aa81f93a878674f9ebffa8d63a1b51ea28dcdcdb1e89eb512aae9b77e";
    for (name, good, bad) in [
        ("mixed", vec![json!([9, "a"]), json!("a")], vec![]),
        ("id", vec![json!(10), json!("23"), json!(0), json!(2_147_483_647)], vec![json!(-1), json!(2_147_483_648_u64)]),
        ("numeric", vec![json!(-10.2), json!("23"), json!(null), json!("null")], vec![json!("x"), json!([])]),
        ("text", vec![json!("Hello!"), json!("")], vec![json!(1)]),
        ("hash", vec![json!(hash), json!(hash[..40])], vec![json!(hash[..41]), json!("x".repeat(40))]),
        ("alphanumeric", vec![json!("abc029.-sd9"), json!("a_b")], vec![json!("a b")]),
        ("letters", vec![json!("abc -sd")], vec![json!("abc1")]),
        ("mail", vec![json!("a.b@c.def")], vec![json!("a.b")]),
        (
            "number",
            vec![json!("0102030405"), json!("+33102030405"), json!("+33 102030405")],
            vec![json!("+331 02030405")],
        ),
        ("array", vec![json!([1, 3])], vec![json!([]), json!("a")]),
        ("object", vec![json!({ "a": 1 })], vec![json!({}), json!([1])]),
        ("boolean", vec![json!(true), json!(false)], vec![json!("maybe"), json!(1)]),
        ("varchar", vec![json!("Hello!"), json!("a")], vec![json!(""), json!("Hello!!")]),
        ("phone", vec![json!("0102030405")], vec![json!("0102030"), json!("abcdefghij")]),
        ("ids", vec![json!([1, "2"]), json!([])], vec![json!([-1])]),
        ("chained", vec![json!([[1, 2], [3]])], vec![json!([1]), json!([["a"]])]),
        ("filled", vec![json!([[1]])], vec![json!([[]])]),
        ("objects", vec![json!([{ "a": 1 }, null])], vec![json!([{}])]),
    ] {
        let ask = |value: &Value| {
            let body = json!({ (name): value }).to_string();
            site.send(&Request::new("POST", "/types/all").body("application/json", body))
        };
        for value in good {
            assert_eq!(ask(&value).status, 200, "{name} takes {value}");
        }
        for value in bad {
            let answer = ask(&value);
            assert_eq!(answer.status, 400, "{name} refuses {value}");
            assert!(answer.json()["errors"][0]["parameter"].as_str().unwrap().starts_with(name), "{answer:?}");
        }
    }
    // Of IV.2: files are parameters like others.
    let parts: [(&str, &[u8]); 2] = [("name=file; filename=a.txt", b"abc"), ("name=id", b"3")];
    let answer = site.send(&Request::new("POST", "/types/all").multipart(&parts));
    assert_eq!((answer.status, &answer.json()["args"]["file"]["size"]), (200, &json!(3)), "{answer:?}");
}
