//! Tests of the folder in which `rulebook keys` stores keys. The folder `tests/keys` tests what the commands do.

use serde_json::{Value, json};

use crate::server_process::{ServerProcess, free_address};

use super::{RunResult, definition_folder, run_program, shop_folder};

#[test]
fn keys_are_stored_in_the_data_folder_of_the_server() {
    let folder = definition_folder(&[("app.json", json!({ "data": "own" })), ("it.json", json!({}))]);
    let file = |data: &str| folder.path().join(data).join("keys.json").exists();
    assert_eq!(run_program(folder.path(), &["keys", "add", "--name", "ada"]).exit_code, Some(0));
    assert!(file("own") && !file("data"));
    let mut command = crate::server_process::program(folder.path());
    command.env("RULEBOOK_DATA", "from-env").args(["keys", "add", "--name", "ada"]);
    assert!(command.status().unwrap().success() && file("from-env"));
    command.args(["--data", "from-flag/deep"]);
    assert!(command.status().unwrap().success() && file("from-flag/deep"));
    let shop = shop_folder();
    assert_eq!(run_program(shop.path(), &["keys", "add", "--name", "ada"]).exit_code, Some(0));
    assert!(shop.path().join("data/keys.json").exists(), "the default");
}

#[test]
fn keys_of_an_invalid_definition_require_the_flag_data() {
    let folder = definition_folder(&[("it.json", json!({ "unknown": 1 }))]);
    let result = run_program(folder.path(), &["keys", "add", "--name", "ada"]);
    assert_eq!((result.exit_code, result.stdout.as_str()), (Some(1), ""));
    assert!(result.stderr.contains("--data DIR"), "{}", result.stderr);
    assert_eq!(run_program(folder.path(), &["keys", "add", "--name", "ada", "--data", "data"]).exit_code, Some(0));
}

#[test]
fn a_data_folder_that_cannot_be_created_is_reported() {
    let folder = shop_folder();
    let result = run_program(folder.path(), &["keys", "add", "--name", "ada", "--data", "api/shop.json/data"]);
    assert_eq!((result.exit_code, result.stdout.as_str()), (Some(3), ""));
    assert!(result.stderr.contains("api/shop.json/data/keys.json"), "{}", result.stderr);
}

#[test]
fn permissions_that_no_method_requires_are_refused_without_force() {
    let folder = shop_folder();
    let add = |arguments: &[&str]| run_program(folder.path(), &[&["keys", "add", "--name", "ada"], arguments].concat());
    for (scope, help) in [
        ("admn", "no method requires the permission `admn`; did you mean `admin`?"),
        ("writer,menber", "no method requires the permission `menber`; did you mean `member`?"),
        ("x", "no method requires the permission `x`; `rulebook routes` lists the permissions"),
    ] {
        for data in [&[][..], &["--data", "data"]] {
            let result = add(&[&["--scope", scope], data].concat());
            assert_eq!((result.exit_code, result.stdout.as_str()), (Some(2), ""), "{scope}");
            assert!(result.stderr.starts_with(&format!("error: {help}\n")), "{}", result.stderr);
            assert!(result.stderr.contains("--force"), "{}", result.stderr);
        }
    }
    assert!(!folder.path().join("data/keys.json").exists(), "no key was created");
    assert_eq!(add(&["--scope", "admn", "--force"]).exit_code, Some(0));
    assert_eq!(add(&["--scope", "writer,admin"]).exit_code, Some(0));
}

#[test]
fn permissions_with_variables_are_compared_with_their_values() {
    let method = json!({ "info": "Renames", "scope": [["user[id]"]],
        "in": { "{id}": { "info": "Which", "type": "uint" } } });
    let folder = definition_folder(&[("it.json", json!({ "/": { "user/{id}": { "PUT": method } } }))]);
    let add = |scope: &str| run_program(folder.path(), &["keys", "add", "--name", "ada", "--scope", scope]);
    assert_eq!(add("user[12]").exit_code, Some(0));
    let wrong = add("user12");
    assert!(wrong.stderr.contains("did you mean `user[id]`?"), "{}", wrong.stderr);
}

#[test]
fn values_that_the_parameter_of_a_variable_cannot_have_are_refused_without_force() {
    let method = |scope: &str, name: &str, parameter: Value| {
        let key = format!("{{{name}}}");
        json!({ "info": "It", "scope": [[scope]], "in": { key: parameter } })
    };
    let id = json!({ "info": "Which", "type": "id" });
    let day = json!({ "info": "Which", "type": "date", "format": "timestamp" });
    let word = json!({ "info": "Which", "type": "string(1,5)", "after": ["strtolower"] });
    let line = json!({ "info": "Which", "type": "enum", "range": ["first", "last"] });
    let definition = json!({ "/": {
        "user/{user_id}": { "PUT": method("user[user_id]", "user_id", id.clone()) },
        "day/{day}": { "GET": method("day[day]", "day", day) },
        "word/{word}": { "GET": method("word[word]", "word", word) },
        "either/{id}": { "GET": method("either[id]", "id", id) },
        "line/{id}": { "GET": method("either[id]", "id", line) }
    } });
    let folder = definition_folder(&[("it.json", definition)]);
    let add = |scope: &str, flags: &[&str]| {
        run_program(folder.path(), &[&["keys", "add", "--name", "ada", "--scope", scope], flags].concat())
    };
    for (scope, help) in [
        ("user[x]", "for `user_id` in `user[user_id]`, expected a whole number from 0 to 2147483647 instead of `x`"),
        ("user[]", "for `user_id` in `user[user_id]`, expected a whole number from 0 to 2147483647 instead of ``"),
        (
            "user[012]",
            "for `user_id` in `user[user_id]`, expected a whole number from 0 to 2147483647 instead of `012`",
        ),
        ("day[2026-05-17]", "for `day` in `day[day]`, expected `1778976000` instead of `2026-05-17`"),
        (
            "either[middle]",
            "for `id` in `either[id]`, expected a whole number from 0 to 2147483647 instead of `middle`",
        ),
    ] {
        let result = add(scope, &[]);
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(2), ""), "{scope}");
        let message = format!("error: no method requires the permission `{scope}`; {help}\n");
        assert!(result.stderr.starts_with(&message), "{}", result.stderr);
    }
    assert!(!folder.path().join("data/keys.json").exists(), "no key was created");
    assert_eq!(add("user[x]", &["--force"]).exit_code, Some(0));
    // Functions in `after` may convert other texts to the value.
    for scope in ["user[12],day[1778976000]", "either[12]", "either[last]", "word[a long word]"] {
        let result = add(scope, &[]);
        assert_eq!(result.exit_code, Some(0), "{scope}: {}", result.stderr);
    }
}

#[test]
fn permissions_cannot_be_compared_with_an_invalid_definition() {
    let folder = definition_folder(&[("it.json", json!({ "unknown": 1 }))]);
    let add = ["keys", "add", "--name", "ada", "--data", "data", "--scope", "admin"];
    let result = run_program(folder.path(), &add);
    assert_eq!((result.exit_code, result.stdout.as_str()), (Some(1), ""));
    assert!(result.stderr.contains("use --force"), "{}", result.stderr);
    assert_eq!(run_program(folder.path(), &[&add[..], &["--force"]].concat()).exit_code, Some(0));
}

#[test]
fn a_key_is_written_to_a_file_that_only_its_owner_can_read() {
    let folder = shop_folder();
    let add = ["keys", "add", "--name", "ada", "--scope", "admin", "--output", "ada.key"];
    let result = run_program(folder.path(), &add);
    assert_eq!((result.exit_code, result.stdout.as_str(), result.stderr.as_str()), (Some(0), "", ""));
    let file = folder.path().join("ada.key");
    let key = std::fs::read_to_string(&file).unwrap();
    assert!(key.starts_with("rb_") && key.ends_with('\n') && key.len() == 73, "{key}");
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&file.metadata().unwrap()) & 0o777, 0o600);

    let again = run_program(folder.path(), &add);
    assert_eq!((again.exit_code, again.stdout.as_str()), (Some(3), ""));
    assert!(again.stderr.starts_with("error: --output ada.key: "), "{}", again.stderr);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), key, "the existing file stays");
    let listed = run_program(folder.path(), &["keys", "list", "--json"]).stdout;
    let keys: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(keys.as_array().unwrap().len(), 1, "the refused command has created no key");

    let rotated = run_program(folder.path(), &["keys", "rotate", &key[3..11], "--output", "new.key"]);
    assert_eq!((rotated.exit_code, rotated.stdout.as_str()), (Some(0), ""));
    assert!(std::fs::read_to_string(folder.path().join("new.key")).unwrap().starts_with("rb_"));
    let unknown = run_program(folder.path(), &["keys", "rotate", "00000000", "--output", "none.key"]);
    assert_eq!(unknown.exit_code, Some(1));
    assert!(!folder.path().join("none.key").exists(), "no empty file remains");
}

#[test]
fn commands_that_would_not_change_the_keys_of_the_server_are_refused() {
    let folder = shop_folder();
    drop(ServerProcess::start(folder.path(), &free_address(), &["serve"]));
    let note = folder.path().join("data/keys.storage");
    assert_eq!(std::fs::read_to_string(&note).unwrap(), "keys.json\n");
    let run = |arguments: &[&str]| run_program(folder.path(), &[&["keys"], arguments].concat());
    let database = ["--key-storage", "postgres://ada:hunter2@127.0.0.1:1/keys"];
    let add = ["add", "--name", "ada"];
    let refused = run(&[&add[..], &database].concat());
    assert_eq!((refused.exit_code, refused.stdout.as_str()), (Some(2), ""));
    let expected = "error: the server with the data folder data has its keys in data/keys.json, but this command would \
                    use the database of --key-storage\nunset RULEBOOK_KEY_STORAGE";
    assert!(refused.stderr.starts_with(expected), "{}", refused.stderr);
    assert_eq!(run(&add).exit_code, Some(0));

    // A server with this database has been started.
    std::fs::write(&note, "postgres://db.internal:5432/keys\n").unwrap();
    for command in [&add[..], &["rotate", "00000000"], &["revoke", "00000000"]] {
        let refused = run(command);
        assert_eq!((refused.exit_code, refused.stdout.as_str()), (Some(2), ""));
        let expected = "has its keys in postgres://db.internal:5432/keys, but this command would use data/keys.json\n\
                        set RULEBOOK_KEY_STORAGE";
        assert!(refused.stderr.contains(expected), "{}", refused.stderr);
    }
    let listed = run(&["list"]);
    assert!(listed.exit_code == Some(0) && listed.stderr.starts_with("warning: the server"), "{}", listed.stderr);
    let copied = run(&[&["copy", "--to", "database"][..], &database].concat());
    assert_eq!(copied.exit_code, Some(3), "the database cannot be reached: {}", copied.stderr);
    drop(ServerProcess::start(folder.path(), &free_address(), &["serve"]));
    assert_eq!(run(&add).exit_code, Some(0), "the server uses the file again");
}

#[test]
fn the_address_of_a_database_that_is_not_valid_is_reported_without_its_secret() {
    let folder = shop_folder();
    for url in ["ftp://ada:hunter2@localhost/keys", "hunter2"] {
        for command in [&["keys", "list"][..], &["keys", "copy", "--to", "file"], &["serve"]] {
            let result = run_program(folder.path(), &[command, &["--key-storage", url]].concat());
            assert_eq!(result.exit_code, Some(2), "{}", result.stderr);
            assert!(result.stderr.contains("--key-storage: the database of the keys"), "{}", result.stderr);
            assert!(!format!("{}{}", result.stdout, result.stderr).contains("hunter2"), "{}", result.stderr);
        }
    }
    let mut command = crate::server_process::program(folder.path());
    let help =
        command.env("RULEBOOK_KEY_STORAGE", "mysql://ada:hunter2@localhost/keys").arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("RULEBOOK_KEY_STORAGE") && !help.contains("hunter2"), "{help}");
    let result = run_program(folder.path(), &["keys", "copy", "--to", "database"]);
    assert_eq!(result.exit_code, Some(2), "{}", result.stderr);
}

#[test]
fn no_part_of_a_password_with_special_characters_is_taken_for_the_host() {
    const PASSWORD: &str = "user1@secretpart/x";
    let folder = definition_folder(&[
        ("app.json", json!({ "key_storage": "postgres://ada:${KEYS_PASSWORD}@127.0.0.1:1/keys" })),
        ("it.json", json!({})),
    ]);
    let list = |variable: &str, value: &str| {
        let mut command = crate::server_process::program(folder.path());
        RunResult::from(command.env(variable, value).args(["keys", "list"]).output().unwrap())
    };
    let in_variable = list("KEYS_PASSWORD", PASSWORD);
    assert!(in_variable.stderr.contains("postgres://127.0.0.1:1/keys: "), "{}", in_variable.stderr);
    let in_address = list("RULEBOOK_KEY_STORAGE", &format!("postgres://ada:{PASSWORD}@127.0.0.1:1/keys"));
    assert!(in_address.stderr.contains("percent-encode the user name and the password"), "{}", in_address.stderr);
    for (result, exit_code) in [(in_variable, 3), (in_address, 2)] {
        assert_eq!(result.exit_code, Some(exit_code));
        assert!(!result.stderr.contains("secretpart"), "{}", result.stderr);
    }
}

#[test]
fn the_definition_names_a_database_without_a_password() {
    for (url, expected) in [
        ("mysql://ada:hunter2@localhost/keys", "contains a password"),
        ("postgres://localhost/keys?user=ada&password=hunter2", "contains a password"),
        (" ", "is blank"),
        ("sqlite:keys.db", "cannot be a database of SQLite"),
    ] {
        let folder = definition_folder(&[("app.json", json!({ "key_storage": url })), ("it.json", json!({}))]);
        let result = run_program(folder.path(), &["check"]);
        assert_eq!(result.exit_code, Some(1), "{}", result.stderr);
        let printed = format!("{}{}", result.stdout, result.stderr);
        assert!(printed.contains(expected) && !printed.contains("hunter2"), "{printed}");
    }
    let url = "${NO_SUCH_VARIABLE}";
    let folder = definition_folder(&[("app.json", json!({ "key_storage": url })), ("it.json", json!({}))]);
    for arguments in [&["keys", "list"][..], &["keys", "list", "--data", "data"]] {
        let result = run_program(folder.path(), arguments);
        assert_eq!(result.exit_code, Some(2), "{}", result.stderr);
        assert!(result.stderr.contains("`NO_SUCH_VARIABLE` is not set"), "{}", result.stderr);
    }
}
