//! Tests of the files that `rulebook new` creates. The script `tests/external/new` builds and runs a new project.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::run_program;

/// Returns the paths of all files and folders below a folder, in alphabetical order.
fn paths_below(folder: &Path) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            paths.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    paths.sort();
    paths
}

#[test]
fn a_new_project_has_the_files_of_the_template_and_a_copy_of_rulebook() {
    let folder = TempDir::new().unwrap();
    let result = run_program(folder.path(), &["new", "my-greeter2", "--no-git"]);
    let words = "Created the project my-greeter2. Next:\n  cd my-greeter2\n  cargo run -- serve --watch\n";
    assert_eq!((result.exit_code, result.stdout.as_str(), result.stderr.as_str()), (Some(0), words, ""));
    let expected = [
        "my-greeter2",
        "my-greeter2/.gitignore",
        "my-greeter2/Cargo.toml",
        "my-greeter2/README.md",
        "my-greeter2/api",
        "my-greeter2/api/app.json",
        "my-greeter2/api/greeting.json",
        "my-greeter2/build.rs",
        "my-greeter2/schema",
        "my-greeter2/schema/definition.json",
        "my-greeter2/src",
        "my-greeter2/src/greeting.rs",
        "my-greeter2/src/lib.rs",
        "my-greeter2/src/main.rs",
        "my-greeter2/tests",
        "my-greeter2/tests/greeting.rs",
    ];
    let (vendored, own): (Vec<_>, Vec<_>) =
        paths_below(folder.path()).into_iter().partition(|file| file.starts_with("my-greeter2/vendor"));
    assert_eq!(own, expected);
    for file in ["Cargo.toml", "rulebook/Cargo.toml", "rulebook-model/templates/page.html", "rulebook-cli/build.rs"] {
        assert!(vendored.contains(&format!("my-greeter2/vendor/{file}")), "{file}");
    }
    let text = |file: &str| fs::read_to_string(folder.path().join("my-greeter2").join(file)).unwrap();
    let manifest = text("Cargo.toml");
    let dependency = "{ path = \"vendor/rulebook";
    assert!(manifest.contains("\nname = \"my-greeter2\"\n"), "{manifest}");
    assert_eq!(manifest.matches(dependency).count(), 4, "{manifest}");
    assert!(text("src/main.rs").contains("run(my_greeter2::app)"));
    assert!(text("tests/greeting.rs").contains("use my_greeter2::app;"));
    for file in expected.iter().filter_map(|file| file.strip_prefix("my-greeter2/")).filter(|file| file.contains('.')) {
        let text = text(file);
        for placeholder in ["package-name", "crate_name", "RUST_VERSION", "SOURCE("] {
            assert!(!text.contains(placeholder), "{placeholder} in {file}");
        }
    }
    assert!(text("README.md").contains(concat!("needs Rust ", env!("CARGO_PKG_RUST_VERSION"), " or newer")));
    let checked = run_program(&folder.path().join("my-greeter2"), &["check"]);
    assert_eq!((checked.exit_code, checked.stdout.as_str()), (Some(0), "no errors: 1 module, 1 service, 1 method\n"));
}

#[test]
fn a_new_project_can_have_handlers_in_other_languages() {
    let files = |language: &str| match language {
        "sql" => vec!["api/note.json", "migrations", "migrations/1_note.sql", "tests/note.json"],
        "python" => vec!["api/greeting.json", "handlers.py", "tests/greeting.json"],
        "node" => vec!["api/greeting.json", "greeting.mjs", "handlers.mjs", "tests/greeting.json"],
        _ => vec!["api/greeting.json", "greeting.php", "handlers.php", "tests/greeting.json"],
    };
    let python = [
        "rulebook",
        "rulebook/__init__.py",
        "rulebook/_debugger.py",
        "rulebook/_handler.py",
        "rulebook/_values.py",
        "rulebook/testing.py",
    ];
    let sdks: [(&str, &[&str]); 4] = [
        ("sql", &[]),
        ("python", &python),
        ("node", &["rulebook.mjs", "rulebook_testing.mjs"]),
        ("php", &["rulebook.php", "rulebook_testing.php"]),
    ];
    for (language, sdk) in sdks {
        let folder = TempDir::new().unwrap();
        let result = run_program(folder.path(), &["new", "notes", "--no-git", "--handlers", language]);
        let words = "Created the project notes. Next:\n  cd notes\n  rulebook serve --watch\n";
        assert_eq!((result.exit_code, result.stdout.as_str(), result.stderr.as_str()), (Some(0), words, ""));
        let mut shared = vec![".gitignore", "README.md", "api", "api/app.json", "schema", "schema/definition.json"];
        shared.extend(["schema/tests.json", "tests"]);
        let mut expected = [&shared[..], &files(language), sdk].concat();
        expected.sort_unstable();
        let project = folder.path().join("notes");
        assert_eq!(paths_below(&project), expected, "{language}");
        for file in expected.iter().filter(|file| file.contains('.')) {
            assert!(!fs::read_to_string(project.join(file)).unwrap().contains("package-name"), "{language}: {file}");
        }
        let checked = run_program(&project, &["check"]);
        assert_eq!((checked.exit_code, checked.stderr.as_str()), (Some(0), ""), "{}", checked.stdout);
    }
}

#[test]
fn the_options_of_projects_in_rust_are_refused_for_other_languages() {
    let folder = TempDir::new().unwrap();
    let result = run_program(folder.path(), &["new", "notes", "--handlers", "sql", "--path", "."]);
    let words = "error: --path is for handlers in Rust: the program `rulebook` serves this project\n";
    assert_eq!((result.exit_code, result.stderr.as_str()), (Some(3), words));
    for (arguments, message) in [
        (&["--handlers", "sql", "--from", "aicra", "."][..], "an imported project has handlers in Rust, or with"),
        (&["--handlers", "fastcgi"], "--handlers fastcgi is for imported projects"),
        (
            &["--handlers", "fastcgi", "--from", "aicra", "."],
            "projects for aicra have no handlers that php-fpm can run",
        ),
    ] {
        let result = run_program(folder.path(), &[&["new", "notes"], arguments].concat());
        assert_eq!(result.exit_code, Some(3), "{}", result.stderr);
        assert!(result.stderr.contains(message), "{arguments:?}: {}", result.stderr);
    }
    assert!(!folder.path().join("notes").exists());
}

#[test]
fn a_new_project_can_depend_on_a_local_checkout() {
    let folder = TempDir::new().unwrap();
    let unusual = "the \"rule\" \\ book\n";
    fs::create_dir_all(folder.path().join(unusual).join("crates/rulebook")).unwrap();
    fs::write(folder.path().join(unusual).join("crates/rulebook/Cargo.toml"), "").unwrap();
    let manifest_of = |name: &str, path: &str| {
        let result = run_program(folder.path(), &["new", name, "--path", path]);
        assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""));
        fs::read_to_string(folder.path().join(name).join("Cargo.toml")).unwrap()
    };
    let escaped = "the \\\"rule\\\" \\\\ book\\n/crates/rulebook";
    let relative = manifest_of("greeter", unusual);
    assert_eq!(relative.matches(&format!("path = \"../{escaped}")).count(), 4, "{relative}");
    let absolute_path = folder.path().canonicalize().unwrap();
    let absolute_path = absolute_path.to_str().unwrap();
    let absolute = manifest_of("other-greeter", &format!("{absolute_path}/{unusual}"));
    assert_eq!(absolute.matches(&format!("path = \"{absolute_path}/{escaped}")).count(), 4, "{absolute}");
    for (path, why) in [("nowhere", "No such file"), ("greeter/api", "the folder has no crates/rulebook/Cargo.toml")] {
        let result = run_program(folder.path(), &["new", "other", "--path", path]);
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(3), ""));
        assert!(result.stderr.starts_with(&format!("error: --path {path}: {why}")), "{}", result.stderr);
        assert!(!folder.path().join("other").exists());
    }
}

#[test]
fn a_new_project_is_a_git_repository_that_ignores_secrets() {
    let folder = TempDir::new().unwrap();
    assert_eq!(run_program(folder.path(), &["new", "greeter"]).exit_code, Some(0));
    let project = folder.path().join("greeter");
    assert!(project.join(".git").is_dir());
    let ignored = |file: &str| {
        let mut git = Command::new("git");
        git.args(["check-ignore", "--quiet", file]).current_dir(&project).status().unwrap().success()
    };
    for file in ["data/keys.json", "data/pepper", "ada.key", "keys/ada.key", "grace.token", ".env", "target/debug/x"] {
        assert!(ignored(file), "{file}");
    }
    for file in [
        "api/app.json",
        "src/main.rs",
        "Cargo.lock",
        "vendor/rulebook/src/key/mod.rs",
        "vendor/rulebook/src/engine/data_folder.rs",
    ] {
        assert!(!ignored(file), "{file}");
    }
    assert_eq!(run_program(&project, &["new", "inner"]).exit_code, Some(0));
    assert!(!project.join("inner/.git").exists(), "a project in a repository belongs to it");
    assert_eq!(run_program(folder.path(), &["new", "plain", "--no-git"]).exit_code, Some(0));
    assert!(!folder.path().join("plain/.git").exists());
}

#[test]
fn project_names_that_cargo_rejects_are_refused() {
    let folder = TempDir::new().unwrap();
    let long = "a".repeat(65);
    for (name, why) in [
        ("", "the name is empty"),
        ("1st", "the name begins with '1'; expected a lowercase letter"),
        ("_greeter", "the name begins with '_'"),
        ("Greeter", "the name contains 'G'; expected lowercase letters"),
        ("gréeter", "the name contains 'é'"),
        ("gree ter", "the name contains ' '"),
        ("a/b", "the name contains '/'"),
        ("a\\b", "the name contains '\\\\'"),
        (".", "the name contains '.'"),
        ("..", "the name contains '.'"),
        (&long, "the name is longer than 64 characters"),
        ("match", "the name is a keyword of Rust"),
        ("proc-macro", "the name is reserved"),
        ("test", "the name is reserved"),
        ("com1", "the name is reserved"),
        ("serde", "that of a dependency of the project"),
        ("rulebook", "that of a dependency of the project"),
    ] {
        let result = run_program(folder.path(), &["new", name]);
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(2), ""), "{name:?}");
        assert!(result.stderr.contains(why), "{why:?} is not in {}", result.stderr);
    }
    assert_eq!(paths_below(folder.path()), [""; 0]);
    let repository = env!("CARGO_MANIFEST_DIR");
    for name in ["x", "com", "com10", "test2", "matches", &long[1..]] {
        assert_eq!(run_program(folder.path(), &["new", name, "--path", repository]).exit_code, Some(0), "{name}");
    }
}

#[test]
fn a_new_project_does_not_replace_existing_files() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    assert_eq!(run_program(folder.path(), &["new", "empty"]).exit_code, Some(0), "an empty folder may be replaced");
    fs::write(folder.path().join("file"), "mine").unwrap();
    fs::create_dir(folder.path().join("full")).unwrap();
    fs::write(folder.path().join("full/file"), "mine").unwrap();
    let before = paths_below(folder.path());
    for name in ["empty", "file", "full"] {
        let result = run_program(folder.path(), &["new", name]);
        let words = format!("error: `{name}` already exists\n");
        assert_eq!((result.exit_code, result.stdout.as_str(), result.stderr), (Some(3), "", words));
    }
    assert_eq!(paths_below(folder.path()), before, "no temporary files are left");
    assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), "mine");
}
