//! The example on the page `docs/sql.md` works as the page says.

use rulebook::Rulebook;
use rulebook_sql::SqlKind;
use rulebook_test::Client;
use serde_json::json;

/// Returns the content of the first code block after a text on the page.
fn block(page: &str, text: &str, language: &str) -> String {
    let (_, rest) = page.split_once(text).unwrap_or_else(|| panic!("the page does not contain {text:?}"));
    let (_, rest) = rest.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_example_on_the_page_works() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/sql.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let migrations = folder.path().join("migrations");
    std::fs::create_dir(&migrations).unwrap();
    std::fs::write(migrations.join("1_note.sql"), block(&page, "in `migrations/1_note.sql`", "sql")).unwrap();
    // The path on the page is relative to the current directory, which is not the folder of the test.
    let app = block(&page, "in `api/app.json`", "json")
        .replace("\"migrations\": \"migrations\"", &format!("\"migrations\": {:?}", migrations.to_str().unwrap()))
        .replace("DATABASE_URL", "RULEBOOK_TEST_UNSET");
    let definition = block(&page, "in `api/note.json`", "json");
    let rulebook = |definition: String| {
        let files = vec![("app.json".into(), app.clone().into()), ("note.json".into(), definition.into())];
        Rulebook::read(files).handler_kind(SqlKind::new()).data_folder(folder.path().join("data"))
    };
    let client = Client::new(rulebook(definition.clone())).unwrap();
    let created = client.post("/note").json(json!({ "title": "One", "tags": ["a", "b"] })).send();
    assert_eq!(created.output("id"), json!(1));
    assert_eq!(client.post("/note").json(json!({ "title": "One" })).send().status(), 409);
    assert_eq!(client.get("/note/1").send().json(), json!({ "id": 1, "title": "One", "tags": ["a", "b"] }));
    let list = client.get("/note?title=One").send().output("notes");
    assert_eq!(list, json!([{ "id": 1, "title": "One", "tags": ["a", "b"] }]));
    assert_eq!(client.get("/note?skip=20").send().output("notes"), json!([]));
    let csv = client.get("/note/export").send();
    assert_eq!((csv.text(), csv.status()), ("id,title,author\r\n1,One,anonymous\r\n", 200));
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    assert_eq!(client.delete("/note/1").send().status(), 200);
    assert_eq!(client.delete("/note/1").send().status(), 404);
    assert_eq!(client.get("/note/1").send().status(), 404);

    let error = rulebook(definition.replace("where :title is", "where :titel is")).build().unwrap_err().to_string();
    for line in block(&page, "with the file, line and column", "text").lines() {
        assert!(error.contains(line), "{line}\n{error}");
    }
}
