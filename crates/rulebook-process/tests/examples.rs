//! The examples in docs/process.md, in each language.

use std::fs;
use std::path::{Path, PathBuf};

use rulebook::Rulebook;
use rulebook_process::{ProcessKind, sdk};
use serde_json::{Value as Json, json};

/// Returns the code blocks of the page in a language.
fn code_blocks(language: &str) -> Vec<String> {
    let page = repository().join("docs/process.md");
    let page = fs::read_to_string(page).unwrap();
    let begin = format!("```{language}\n");
    let blocks = page.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.collect()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Serves the example with the handlers in a language, and calls them.
async fn run_example(language: &str, command: &[&str], sdk: &[(&str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in sdk {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::write(folder.path().join(command.last().unwrap()), &code_blocks(language)[0]).unwrap();
    let definition = code_blocks("json");
    let mut app: Json = serde_json::from_str(&definition[0]).unwrap();
    app["handlers"]["default"]["process"] = json!(command);
    app["handlers"]["process"]["directory"] = json!(folder.path());
    let files = vec![
        (PathBuf::from("app.json"), app.to_string().into_bytes()),
        (PathBuf::from("note.json"), definition[1].clone().into_bytes()),
    ];
    let rulebook = Rulebook::read(files).data_folder(folder.path().join("data")).handler_kind(ProcessKind::new());
    let engine = rulebook.build().unwrap();
    let call = |id: u32| engine.call("note.get").arg("id", id);
    let outputs = call(1).send().await.outputs().unwrap();
    assert_eq!((&outputs["text"], &outputs["reader"]), (&json!("Buy bread"), &Json::Null));
    assert_eq!(call(1).scope(["any"]).send().await.get("reader"), Some(&json!("caller")));
    let missing = call(2).send().await;
    assert_eq!(missing.status(), 404);
    assert!(missing.serialize().contains(r#""id":2"#), "{}", missing.serialize());
}

#[tokio::test]
async fn python() {
    run_example("python", &["python3", "handlers.py"], sdk::PYTHON).await;
}

#[tokio::test]
#[ignore = "tests/external/sdk runs it, because it needs Node"]
async fn node() {
    run_example("js", &["node", "handlers.mjs"], sdk::NODE).await;
}

#[tokio::test]
#[ignore = "tests/external/sdk runs it, because it needs PHP"]
async fn php() {
    run_example("php", &["php", "handlers.php"], sdk::PHP).await;
}
