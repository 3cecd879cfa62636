//! Tests of the paths in the settings: they begin in the folder that contains the folder of the definition, whichever
//! the working directory is. Paths of flags begin in the working directory.

use std::fs;

use rulebook::Rulebook;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{run_program, shop_module};

/// Creates a project in the folder `shop` of a new folder.
fn project(app: &Json) -> TempDir {
    let mut settings = json!({ "unbound": "echo", "bind": "127.0.0.1:0" });
    settings.as_object_mut().unwrap().extend(app.as_object().unwrap().clone());
    let folder = TempDir::new().unwrap();
    let api = folder.path().join("shop/api");
    fs::create_dir_all(&api).unwrap();
    fs::write(api.join("app.json"), settings.to_string()).unwrap();
    fs::write(api.join("shop.json"), shop_module().to_string()).unwrap();
    folder
}

#[test]
fn errors_name_the_paths_from_the_folder_of_the_project() {
    let jwt = json!({ "issuer": "a", "audience": "b", "permissions": "x", "jwks": "conf/keys.json" });
    for (app, expected) in [
        (json!({ "auth": { "jwt": jwt } }), "conf/keys.json"),
        (json!({ "auth": { "basic": { "users": "conf/users" } } }), "conf/users"),
        (
            json!({ "bind": "https://127.0.0.1:0", "tls_certificate": "conf/a.pem", "tls_key": "conf/a.key" }),
            "conf/a.pem",
        ),
    ] {
        let folder = project(&app);
        let inside = run_program(&folder.path().join("shop"), &["serve"]);
        let outside = run_program(folder.path(), &["serve", "--api", "shop/api"]);
        for (result, path) in [(inside, expected.to_owned()), (outside, format!("shop/{expected}"))] {
            let is_named = [' ', '`', '"'].iter().any(|before| result.stderr.contains(&format!("{before}{path}")));
            assert!(result.exit_code != Some(0) && is_named, "{path}: {result:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn workers_run_in_the_folder_of_the_project() {
    // The process ends before it is ready, so that the start fails.
    let command = json!({ "process": ["sh", "-c", "touch started"] });
    for (settings, expected) in [(json!({}), "shop/started"), (json!({ "directory": "conf" }), "shop/conf/started")] {
        let folder = project(&json!({ "unbound": "refuse", "handlers": { "default": command, "process": settings } }));
        fs::create_dir(folder.path().join("shop/conf")).unwrap();
        let rulebook = Rulebook::load(folder.path().join("shop/api")).data_folder(folder.path().join("data"));
        let started = rulebook_cli::with_handler_kinds(rulebook).build().unwrap().start();
        assert!(started.is_err() && folder.path().join(expected).exists(), "{expected}: {started:?}");
    }
}

#[test]
fn folders_of_the_settings_are_in_the_project_and_folders_of_flags_in_the_working_directory() {
    let app =
        json!({ "data": "state", "handlers": { "sql": { "url": "sqlite:shop.db", "migrations": "migrations" } } });
    let folder = project(&app);
    let shop = folder.path().join("shop");
    fs::create_dir(shop.join("migrations")).unwrap();
    fs::write(shop.join("migrations/1_item.sql"), "create table item (id integer primary key)").unwrap();
    let migrate = |working: &str, arguments: &[&str]| {
        let result = run_program(&folder.path().join(working), &[&["migrate"], arguments].concat());
        assert!(result.stdout.starts_with("main: new, at sqlite:"), "{working}: {result:?}");
        assert!(result.stdout.ends_with("main: 1_item.sql\n  the table `item` is added\n"), "{working}: {result:?}");
    };
    migrate("", &["--api", "shop/api"]);
    assert!(shop.join("state/shop.db").exists());
    migrate("", &["--api", "shop/api", "--data", "flag"]);
    assert!(folder.path().join("flag/shop.db").exists());
    fs::remove_dir_all(shop.join("state")).unwrap();
    migrate("shop", &[]);
    assert!(shop.join("state/shop.db").exists());
    // A definition whose path is `.` is the folder of the project.
    fs::create_dir(shop.join("api/migrations")).unwrap();
    fs::copy(shop.join("migrations/1_item.sql"), shop.join("api/migrations/1_item.sql")).unwrap();
    migrate("shop/api", &["--api", "."]);
    assert!(shop.join("api/state/shop.db").exists());
}
