//! The examples of `docs/php.md`.

use rulebook::Rulebook;
use rulebook_fastcgi::FastCgiKind;
use rulebook_test::Client;

use super::php_fpm::{PhpFpm, documented_settings};

/// Returns the code blocks of the page in a language.
fn blocks(language: &str) -> Vec<String> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/php.md")).unwrap();
    let begin = format!("```{language}\n");
    page.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_first_example_works() {
    let Some(fpm) = PhpFpm::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("article.php");
    std::fs::write(&script, &blocks("php")[0]).unwrap();
    let definition = blocks("json")[0].replace("unix:/run/php/php-fpm.sock", &fpm.address());
    let definition = definition.replace("/srv/app/article.php", script.to_str().unwrap());
    let files = vec![("api.json".into(), definition.into())];
    let client = Client::new(Rulebook::read(files).handler_kind(FastCgiKind::new())).unwrap();
    assert_eq!(client.get("/article/1").send().output("title"), "Rules");
    assert_eq!(client.get("/article/3").send().code(), Some("no_such_article"));
    assert_eq!(client.get("/article/x").send().status(), 400);
}

#[test]
fn the_settings_for_existing_projects_are_valid() {
    for (style, api) in [
        ("phalapi", r#"{ "User": { "login": { "@desc": "Logs in" } } }"#),
        ("api3", r#"{ "article": { "GET::read": { "description": "Reads an article" } } }"#),
    ] {
        let settings = documented_settings(style, "unix:/run/php/php-fpm.sock");
        let files = vec![("app.json".into(), settings.to_string().into()), ("api.json".into(), api.into())];
        let client = Client::new(Rulebook::read(files).handler_kind(FastCgiKind::new()));
        client.unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn the_page_describes_all_settings() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/php.md")).unwrap();
    let documented = |name: &str| page.contains(&format!("\n| `{name}` |"));
    // The error for an unknown setting lists all of them.
    let app = r#"{ "handlers": { "fastcgi": { "x": 1 } } }"#;
    let api =
        r#"{ "/": { "a": { "GET": { "info": "A", "handler": { "fastcgi": "h:1", "script": "/a", "y": 1 } } } } }"#;
    let files = vec![("app.json".into(), app.into()), ("api.json".into(), api.into())];
    let report = Rulebook::read(files).handler_kind(FastCgiKind::new()).build().err().unwrap().to_string();
    let lists: Vec<_> = report.lines().filter(|line| line.contains("the settings are")).collect();
    assert_eq!(lists.len(), 2, "{report}");
    let names: Vec<_> = lists.iter().flat_map(|list| list.split('`').skip(1).step_by(2)).collect();
    assert!(names.len() > 30, "{names:?}");
    assert_eq!(names.into_iter().find(|name| !documented(name)), None);
}
